"""What an exit code means depends on who ended with it, and on the package that it is about."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from harness.guest.guest import Guest
from harness.guest.outcome import Outcome
from harness.products import Package, read_product
from harness.results.result import Fault
from harness.scenarios.commands import Commands
from harness.scenarios.telling import Keeper
from tests.packages.tiny_program import tiny_program

NSIS = b"\0\0\0\0\xef\xbe\xad\xdeNullsoftInst" + bytes(64)
PRODUCT = """
id = "demo"
name = "Demo"
kind = "{kind}"
install_dir = 'C:\\Program Files\\Demo'
[[versions]]
version = "1.0"
file = "demo"
sha256 = "{zeros}"
[proofs]
files = ['{{install_dir}}\\demo.exe']
"""


class _Ends:
    """A guest on which every command ends with one code; also a keeper that keeps nothing."""

    def __init__(self, exit_code: int) -> None:
        self._exit_code = exit_code

    def run(self, command: str, **_: Any) -> Outcome:
        """End."""
        return Outcome(command=command, exit_code=self._exit_code, stdout="", stderr="", seconds=0.0)

    def facts(self) -> Any:
        """Have nothing."""
        return type("Facts", (), {"has": frozenset(), "temp": "C:\\T"})()

    def ended(self, *_: object) -> None:
        """Keep nothing."""


@pytest.mark.parametrize(
    ("kind", "content", "exit_code", "fault", "words"),
    [
        ("exe", tiny_program(overlay=NSIS), 2, Fault.PRODUCT, "given up by its script"),
        ("exe", tiny_program(), 2, Fault.PRODUCT, "a file was not found"),
        ("msi", b"no package at all", 1619, Fault.PRODUCT, "cannot be opened"),
    ],
)
def test_an_exit_code_is_read_with_the_package_in_hand(
    kind: str, content: bytes, exit_code: int, fault: Fault, words: str, tmp_path: Path
) -> None:
    """NSIS's 2 is no missing file, and a package that nobody could open is no mistake of who named it."""
    (tmp_path / "demo.toml").write_text(PRODUCT.format(kind=kind, zeros="0" * 64), "utf-8")
    file = tmp_path / f"demo.{kind}"
    file.write_bytes(content)
    ends: Any = _Ends(exit_code)
    commands = Commands(cast(Guest, ends), read_product(tmp_path / "demo.toml"), cast(Keeper, ends))
    _, meaning, _ = commands.run("setup", commands.log("install"), Package(file=file, sha256="0" * 64))
    assert meaning.fault is fault
    assert words in meaning.words
