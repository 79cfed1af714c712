"""EXE installers: what made them, what they need, and whether they are whole."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from harness.builds import Build
from harness.packages.declared import Declared
from harness.packages.finding import Severity
from harness.packages.inspection import Inspection, inspect
from harness.packages.installer_kind import installer_kind
from harness.packages.program import WINDOWS_10, program_in, read_program
from tests.packages.tiny_program import ARM64, X86, tiny_program

MANIFEST = (
    '<assembly xmlns="urn:schemas-microsoft-com:asm.v1" manifestVersion="1.0"><trustInfo><security>'
    '<requestedPrivileges><requestedExecutionLevel level="requireAdministrator" uiAccess="false"/>'
    f'</requestedPrivileges></security></trustInfo><compatibility><application><supportedOS Id="{WINDOWS_10}"/>'
    "</application></compatibility></assembly>"
)
SCRIPT = """Unicode true
Target {target}
Name "Demo"
OutFile "demo.exe"
InstallDir "$PROGRAMFILES64\\Demo"
RequestExecutionLevel admin
VIProductVersion "1.2.0.0"
VIAddVersionKey "ProductName" "Demo"
VIAddVersionKey "ProductVersion" "1.2"
VIAddVersionKey "FileVersion" "1.2"
VIAddVersionKey "LegalCopyright" "Us"
VIAddVersionKey "FileDescription" "Demo"
Section
  SetOutPath "$INSTDIR"
  File "demo.nsi"
SectionEnd
"""
BUILDS = (Build(19045), Build(26100))


@pytest.fixture(scope="module")
def nsis(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build a real installer with makensis."""
    if shutil.which("makensis") is None:
        pytest.skip("makensis (Debian: nsis) not found")
    folder = tmp_path_factory.mktemp("nsis")
    (folder / "demo.nsi").write_text(SCRIPT.format(target="amd64-unicode"), "utf-8")
    subprocess.run(["makensis", "-V1", "demo.nsi"], check=True, cwd=folder, capture_output=True)
    return folder / "demo.exe"


def codes(seen: Inspection) -> set[str]:
    """Name every finding but that it is unsigned, as everything built here is."""
    return {found.code for found in seen.findings} - {"unsigned"}


def test_a_real_installer_says_what_it_is_and_draws_no_finding(nsis: Path) -> None:
    """What makensis builds with care is read in full: tool, version, rights."""
    seen = inspect(nsis, builds=BUILDS, declared=Declared(version="1.2.0", switches="/S"))
    assert (seen.kind, codes(seen)) == ("exe", set())
    assert seen.says == {
        "product": "Demo",
        "version": "1.2",
        "made with": "NSIS",
        "silent with": "/S",
        "platform": "x64",
        "rights": "requireAdministrator",
    }


@pytest.mark.parametrize(
    ("switches", "fits"), [("/S", True), ("/D=C:\\x /S", True), ("/s", False), ("/quiet", False), ("", False)]
)
def test_switches_that_do_not_fit_the_tool_are_predicted_to_hang(nsis: Path, switches: str, fits: bool) -> None:
    """NSIS minds capitals: with /s it shows its window and waits."""
    seen = inspect(nsis, declared=Declared(switches=switches))
    assert ("switches-do-not-fit" in codes(seen)) is not fits


def test_another_version_than_declared_is_found(nsis: Path) -> None:
    """A package under the wrong name is noticed before it is installed."""
    assert codes(inspect(nsis, declared=Declared(version="1.3"))) == {"version-differs"}


def test_an_installer_that_was_cut_off_is_found(nsis: Path, tmp_path: Path) -> None:
    """Half a download still has a good header; the header says how much should follow."""
    content = nsis.read_bytes()
    for length in (len(content) - 10, len(content) - 2000, 30_000):
        (tmp_path / "cut.exe").write_bytes(content[:length])
        assert "cut-off" in codes(inspect(tmp_path / "cut.exe"))


@pytest.mark.parametrize(
    ("made_with", "content"),
    [
        ("WiX Burn", tiny_program(sections=[".wixburn"])),
        ("Inno Setup", tiny_program(resources={10: {11111: b"rDlPtS\xcd\xe6\xd7{\x0b*"}}, overlay=b"zlb\x1a")),
        ("Inno Setup", tiny_program(overlay=b"Inno Setup Setup Data (4.2.6)")),
        ("InstallShield", tiny_program(overlay=b"ISSetupStream\0")),
        ("Advanced Installer", tiny_program(overlay=b"...ADVINSTSFX")),
        ("NSIS", tiny_program(overlay=b"\0\0\0\0\xef\xbe\xad\xdeNullsoftInst" + bytes(8))),
        ("", tiny_program(overlay=b"PK\3\4")),
        ("", tiny_program()),
    ],
)
def test_the_tool_is_told_by_its_marks(made_with: str, content: bytes) -> None:
    """Each tool leaves marks of its own; without one nothing is guessed."""
    kind = installer_kind(program_in(content, "setup.exe"))
    assert (kind.name if kind else "") == made_with


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (tiny_program(machine=ARM64, manifest=MANIFEST), "other-architecture"),
        (tiny_program(subsystem_version=11, manifest=MANIFEST), "needs-later-windows"),
        (tiny_program(imports=["VCRUNTIME140.dll"], manifest=MANIFEST), "needs-missing-dll"),
        (tiny_program(imports=["ucrtbased.dll"], manifest=MANIFEST), "needs-missing-dll"),
        (tiny_program(manifest=MANIFEST.replace(WINDOWS_10, "{}")), "windows-10-unknown"),
        (tiny_program(manifest=MANIFEST.replace("requestedExecutionLevel", "x")), "no-requested-rights"),
        (tiny_program(manifest=MANIFEST)[:900], "cut-off"),
    ],
)
def test_a_defect_of_a_program_is_found_and_nothing_else(content: bytes, code: str, tmp_path: Path) -> None:
    """One defect in an otherwise clean program draws its own finding."""
    (tmp_path / "setup.exe").write_bytes(content)
    seen = inspect(tmp_path / "setup.exe", builds=BUILDS)
    assert codes(seen) >= {code} if code == "cut-off" else codes(seen) == {code}


@pytest.mark.parametrize("machine", [X86, 0x8664])
def test_a_clean_program_draws_no_finding(machine: int, tmp_path: Path) -> None:
    """32-bit programs run on 64-bit Windows, and what every Windows has may be imported."""
    imports = ["KERNEL32.dll", "api-ms-win-crt-runtime-l1-1-0.dll", "icu.dll", "d3dcompiler_47.dll", "msvcrt.dll"]
    (tmp_path / "setup.exe").write_bytes(tiny_program(machine=machine, imports=imports, manifest=MANIFEST))
    assert codes(inspect(tmp_path / "setup.exe", builds=BUILDS)) == set()
    assert read_program(tmp_path / "setup.exe").imports == tuple(name.casefold() for name in imports)


def test_a_missing_dll_is_predicted_for_the_builds_that_lack_it(tmp_path: Path) -> None:
    """What a later build brought is missing on the earlier ones only; a debug library is missing everywhere, surely."""
    (tmp_path / "a.exe").write_bytes(tiny_program(imports=["icu.dll"], manifest=MANIFEST))
    seen = inspect(tmp_path / "a.exe", builds=(Build(17763), Build(19045)))
    ((_, predicted),) = [one for one in seen.predictions() if one[0].code == "needs-missing-dll"]
    assert predicted.builds == (17763,)
    (tmp_path / "b.exe").write_bytes(tiny_program(imports=["msvcp140d.dll"], manifest=MANIFEST))
    seen = inspect(tmp_path / "b.exe", builds=BUILDS)
    assert seen.worst is Severity.ERROR
    assert [one.surely for _, one in seen.predictions()] == [True]
