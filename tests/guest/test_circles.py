"""What drives a guest knows what is read from one, and never the other way round."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import harness.guest

TOP = Path(harness.guest.__file__).parent


def _name(file: Path) -> str:
    return ".".join(("harness", "guest", *file.relative_to(TOP).with_suffix("").parts)).removesuffix(".__init__")


MODULES = {_name(file): file for file in TOP.rglob("*.py")}


def _imported(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom):
            for name in node.names:
                module = f"{node.module}.{name.name}"
                yield module if module in MODULES else str(node.module)


def test_no_module_of_the_guest_imports_itself_by_way_of_others() -> None:
    """Not even for types: what needs the other to be understood is one thing in two files."""
    graph = {module: {one for one in _imported(file) if one in MODULES} for module, file in MODULES.items()}
    assert len(graph) > 30
    TopologicalSorter(graph).prepare()  # raises CycleError, which names the circle
