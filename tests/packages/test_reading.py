"""The readers against what others read, against files that are cut, and against files that are big."""

from __future__ import annotations

import json
import subprocess
import tracemalloc
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.builds import Build
from harness.cli import wincompat
from harness.packages.inspection import inspect
from harness.packages.msi.product import Msi, three_fields
from harness.packages.msi.tables import MsiPackage, NotAPackage
from tests.packages.tiny_program import tiny_program
from tests.packages.wares import Bench, set_property


def test_tables_are_what_msitools_reads(bench: Bench) -> None:
    """Every table of a package has the rows that libmsi, which others wrote, exports."""
    package = MsiPackage(bench.clean)
    assert {"Property", "Component", "File", "Upgrade", "InstallExecuteSequence"} <= package.tables
    for table in sorted(package.tables):
        told = subprocess.run(["msiinfo", "export", bench.clean, table], capture_output=True, check=True).stdout
        lines = told.decode().replace("\r", "").splitlines()[3:]
        rows = ["\t".join("" if value is None else str(value) for value in row.values()) for row in package.rows(table)]
        assert sorted(rows) == sorted(lines), table


def test_the_summary_and_places_are_read(bench: Bench) -> None:
    """Platform, words and schema come from the summary information, key paths and folders from the tables together."""
    msi = Msi(MsiPackage(bench.clean))
    assert (msi.package.summary.platform, msi.package.summary.schema, msi.architecture) == ("x64", 300, "x64")
    assert msi.components["Program"].key_path == r"[ProgramFiles64Folder]\Demo\demo.exe"
    assert msi.components["Settings"].key_path == r"HKLM\Software\Demo\Version"
    assert (msi.scope, msi.version) == ("machine", "2.0.0")


@pytest.mark.parametrize(
    ("version", "fields"),
    [("1.2.3.4", (1, 2, 3)), ("1", (1, 0, 0)), ("", (0, 0, 0)), ("1.x.3", (1, 0, 3)), ("٣.1", (3, 1, 0))],
)
def test_windows_installer_compares_three_fields(version: str, fields: tuple[int, int, int]) -> None:
    """What is no number counts as 0, and the fourth field not at all."""
    assert three_fields(version) == fields


def test_a_cut_package_is_unreadable_and_says_why(bench: Bench, tmp_path: Path) -> None:
    """A package of any length but its own is a finding in plain words, for the old package as well."""
    content = bench.clean.read_bytes()
    for length in (0, 1, 7, 8, 100, 700, 4096, len(content) // 2):
        (tmp_path / "cut.msi").write_bytes(content[:length])
        with pytest.raises(NotAPackage):
            MsiPackage(tmp_path / "cut.msi")
        (found,) = inspect(tmp_path / "cut.msi").findings
        assert found.code == "unreadable"
        assert found.sentence.startswith("cut.msi is unreadable, because ")
    seen = inspect(bench.clean, previous=tmp_path / "cut.msi", builds=(Build(22631),))
    assert [one.subject for one in seen.findings if one.code == "unreadable"] == ["cut.msi"]


def test_a_file_that_is_not_there_is_a_finding(tmp_path: Path) -> None:
    """Nothing is raised, whatever is asked for."""
    for place in (tmp_path / "none.msi", tmp_path):
        assert [one.code for one in inspect(place).findings] == ["unreadable"]


def test_a_big_file_is_not_read_into_memory(bench: Bench, tmp_path: Path) -> None:
    """A program and a package with 300 MB behind them cost a few megabytes."""
    program, blob = tmp_path / "big.exe", tmp_path / "blob"
    program.write_bytes(tiny_program())
    package = bench.package("big")
    for file in (program, blob):
        with file.open("ab") as stream:
            stream.truncate(300 << 20)
    subprocess.run(["msibuild", package, "-a", "Blob", blob], check=True)
    tracemalloc.start()
    try:
        assert inspect(program).kind == "exe"
        assert inspect(package).kind == "msi"
        assert tracemalloc.get_traced_memory()[1] < 60 << 20
    finally:
        tracemalloc.stop()
        package.unlink()


def test_the_command_prints_sentences_and_predictions(bench: Bench) -> None:
    """A defect is an error and exit code 1; a clean package ends with 0; a file that is not there is wrong usage."""
    broken = str(bench.package("for-the-command", set_property("DISABLEROLLBACK", "1")))
    asked = CliRunner().invoke(wincompat, ["inspect", broken, "--build", "win11-23h2"])
    assert asked.exit_code == 1
    assert "error   rollback-disabled" in asked.output
    assert "predicts: rollback not-undone" in asked.output
    assert CliRunner().invoke(wincompat, ["inspect", str(bench.clean)]).exit_code == 0
    assert CliRunner().invoke(wincompat, ["inspect", "nowhere.msi"]).exit_code == 2
    wrong = CliRunner().invoke(wincompat, ["inspect", broken, "--build", "win11-23h3"])
    assert (wrong.exit_code, "did you mean 'win11-23h2'?" in wrong.output) == (2, True)


def test_the_command_counts_warnings_when_it_is_strict(bench: Bench) -> None:
    """With --strict a warning is enough for exit code 1."""
    warned = str(bench.package("warned", set_property("ARPNOREMOVE", "1")))
    assert CliRunner().invoke(wincompat, ["inspect", warned]).exit_code == 0
    assert CliRunner().invoke(wincompat, ["inspect", warned, "--strict"]).exit_code == 1


def test_json_holds_everything_for_machines(bench: Bench) -> None:
    """Predictions are read by programs: scenario, outcome, builds, and whether they are sure."""
    broken = str(bench.package("for-json", set_property("DISABLEROLLBACK", "1")))
    told = json.loads(CliRunner().invoke(wincompat, ["inspect", broken, "--json"]).output)
    assert (told["kind"], told["worst"], told["says"]["version"]) == ("msi", "error", "2.0.0")
    assert told["findings"][0]["predicts"] == [
        {"scenario": "rollback", "outcome": "not-undone", "builds": None, "surely": True, "when": ""}
    ]
