"""A program that says in its version resource that it is another version is found, by a program built with makensis."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from harness.guest.guest import Guest
from harness.guest.state import Entry, State
from harness.products import Package, Proofs
from harness.scenarios.file_version import BIGGEST, version_of_another

FILE = r"C:\Program Files\Demo\demo.exe"
SCRIPT = """Unicode true
Target amd64-unicode
Name "Demo"
OutFile "demo.exe"
RequestExecutionLevel user
VIProductVersion "1.2.0.0"
VIAddVersionKey "ProductName" "Demo"
VIAddVersionKey "FileVersion" "1.2"
VIAddVersionKey "LegalCopyright" "Us"
VIAddVersionKey "FileDescription" "Demo"
Section
SectionEnd
"""


class Holding:
    """A guest that holds one file, and counts how often it was fetched."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.fetched = 0

    def fetch(self, guest_path: str, target: Path) -> None:
        """Bring the file."""
        assert guest_path == FILE
        self.fetched += 1
        shutil.copy(self._file, target)


@pytest.fixture
def holding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Holding:
    """Give a guest with a program that says 1.2, and a cache of our own."""
    if shutil.which("makensis") is None:
        pytest.skip("makensis (Debian: nsis) not found")
    (tmp_path / "demo.nsi").write_text(SCRIPT, "utf-8")
    subprocess.run(["makensis", "-V1", "demo.nsi"], check=True, cwd=tmp_path, capture_output=True)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return Holding(tmp_path / "demo.exe")


def _found(holding: Holding, version: str, *, size: int = 9, **proofs: Any) -> Any:
    package = cast(Package, SimpleNamespace(sha256="ab" * 32))
    seen = State(account="a", files={FILE: Entry(size, "1")}, uninstall={})
    told = Proofs.model_validate({"files": [FILE], **proofs})
    return version_of_another(cast(Guest, holding), told, package, version, seen)


def test_a_program_of_another_version_is_found_and_named(holding: Holding) -> None:
    """It is compared as far as both go, and brought once for a package."""
    found = _found(holding, "1.3.0")
    assert found.sentence == rf"after installing 1.3.0 {FILE} says that it is another version: FileVersion 1.2"
    assert found.code == "file-version"
    assert _found(holding, "1.2.0") is None
    assert holding.fetched == 1


def test_what_the_products_file_says_of_its_program_holds(holding: Holding) -> None:
    """A version of its own, one that is registered, or none that matters."""
    assert _found(holding, "7.0", file_version="1.2") is None
    assert _found(holding, "7.0", file_version="any") is None
    assert _found(holding, "7.0", uninstall_entry={"display_name": "Demo", "display_version": "1.2"}) is None
    assert _found(holding, "1.2", file_version="1.4").code == "file-version"


def test_a_big_program_is_not_brought(holding: Holding) -> None:
    """Through WinRM it would take minutes."""
    assert _found(holding, "7.0", size=BIGGEST + 1) is None
    assert holding.fetched == 0
