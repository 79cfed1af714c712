"""Why an installer does not start: what is no program, and one for another processor, are called what they are."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from harness.guest.guest import Guest
from harness.guest.outcome import Outcome
from harness.scenarios.starting import what_is_missing
from tests.packages.tiny_program import ARM64, tiny_program


@pytest.mark.parametrize(
    ("content", "exit_code", "words"),
    [
        (b"<html>404</html>", 9009, "setup.exe is not a Windows program"),
        (tiny_program(machine=ARM64), 216, "setup.exe is a program for arm64"),
        (tiny_program(), 9009, ""),
        (b"<html>404</html>", 1, ""),
    ],
)
def test_what_cannot_be_started_is_looked_at(content: bytes, exit_code: int, words: str, tmp_path: Path) -> None:
    """Only where Windows or cmd says that it cannot start it, and only of a package, which is here."""
    file = tmp_path / "setup.exe"
    file.write_bytes(content)
    outcome = Outcome(command=r'"C:\cache\setup.exe" /S', exit_code=exit_code, stdout="", stderr="", seconds=0.0)
    said = what_is_missing(cast(Guest, None), outcome, file=file)
    assert said.startswith(words)
    assert bool(said) == bool(words)
