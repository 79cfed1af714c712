"""Notes about failures, known issues by fingerprint, and predictions: what one run learns, the next one shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import wincompat
from harness.errors import AuthoringError
from harness.triage import append, read_notes, stub

from .project import Project


def triage(project: Project, *options: str) -> str:
    """Call the command on the last run."""
    ran = CliRunner().invoke(wincompat, ["triage", f"--runs={project.pytester.path / 'build/runs'}", *options])
    assert ran.exit_code == 0, ran.output
    return ran.output


def fingerprint(project: Project, scenario: str = "fails") -> str:
    """Read the name of a scenario's failure."""
    return str(project.results()[f"win10-21h2::demo::{scenario}"]["fingerprint"])


def test_a_note_that_is_written_once_is_shown_in_the_next_run(project: Project) -> None:
    """The command prints what to paste, one failure of two builds once; the next run shows it, on the page as well."""
    project.matrix("passes", "fails")
    project.run_here("matrices/demo.toml")
    name = fingerprint(project)
    assert triage(project).count(name) == 2  # in the list, and in the note to paste
    triage(project, "--write")
    notes = project.pytester.path / "matrices/triage.toml"
    assert triage(project).count(name) == 2  # in the list, and as one that waits to be filled in
    notes.write_text(
        notes.read_text("utf-8")
        .replace('note = ""', 'note = "it is the <proxy>"')
        .replace('owner = ""', 'owner = "Ann"')
    )
    first = project.folder
    project.run_here("matrices/demo.toml").stdout.fnmatch_lines(
        ["FAILED 2 cells *", "  note: it is the <proxy>, owner Ann"]
    )
    (second,) = [run for run in (project.pytester.path / "build/runs").iterdir() if run.is_dir() and run != first]
    page = (second / "report.html").read_text("utf-8")
    assert "it is the &lt;proxy&gt;" in page
    assert name in page


def test_notes_beside_a_matrix_are_no_matrix(project: Project) -> None:
    """The file lies among matrices and is not collected; a folder can be run as a whole."""
    project.matrix("passes", builds="19044")
    project.write("matrices/triage.toml", "")
    project.run_here("matrices").assert_outcomes(passed=1)


def test_a_wrong_triage_file_is_answered_in_one_line(project: Project) -> None:
    """A slip in the notes stops the run before it begins, with file and key."""
    project.matrix("passes", builds="19044")
    project.write("matrices/triage.toml", '[[notes]]\nfingerprint = "xyz"\n')
    run = project.run_here("matrices/demo.toml")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(["*triage.toml: notes[[]0].fingerprint: should be a fingerprint: ten hexadecimal digits*"])


def test_what_a_person_wrote_is_never_lost(tmp_path: Path) -> None:
    """A note is put behind what is there, which stays byte for byte, comments, line ends and all."""
    file = tmp_path / "triage.toml"
    written = '# mine\r\n[[notes]]\r\nfingerprint = "0123456789"\r\nnote = "ä"  # keep'.encode()
    file.write_bytes(written)
    append(file, [stub("aaaaaaaaaa", ["failed: x\n[[notes]]\nevil = 1"])])
    assert file.read_bytes().startswith(written)
    assert [note.fingerprint for note in read_notes(file)] == ["0123456789", "aaaaaaaaaa"]


@pytest.mark.parametrize("text", ["[[notes]", "notes = []\n", '[[notes]]\nfingerprint = "zz"\n'])
def test_a_file_that_no_note_can_follow_is_left_alone(tmp_path: Path, text: str) -> None:
    """What cannot be read, or would not be readable any more, is refused and not touched."""
    file = tmp_path / "triage.toml"
    file.write_text(text)
    with pytest.raises(AuthoringError, match=r"triage\.toml"):
        append(file, [stub("aaaaaaaaaa", [])])
    assert file.read_text() == text


def issue(**keys: str) -> str:
    """Write a known issue of everything."""
    known = {"id": '"K1"', "ticket": '"T-1"', "reason": '"we know"', "expires": "2099-01-01", **keys}
    return "[[known_issues]]\n" + "\n".join(f"{key} = {value}" for key, value in known.items()) + "\n"


def test_an_issue_is_known_by_its_fingerprint(project: Project) -> None:
    """It covers the failure of that name, whatever its words, and no other."""
    project.matrix("fails", "asserts", builds="19044")
    project.run_here("matrices/demo.toml")
    name = fingerprint(project)
    project.matrix("fails", "asserts", builds="19044", more=issue(fingerprint=f'"{name}"'))
    project.run_here("matrices/demo.toml").assert_outcomes(xfailed=1, failed=1)


@pytest.mark.parametrize(("versions", "covered"), [('["2.*"]', 1), ('["1.0", "2.0"]', 1)])
def test_an_issue_is_of_versions(project: Project, versions: str, covered: int) -> None:
    """Its scope may name versions of the product, with wildcards."""
    project.matrix("fails", builds="19044", more=issue(versions=versions))
    project.run_here("matrices/demo.toml").assert_outcomes(xfailed=covered)


def test_an_issue_of_other_versions_is_a_slip(project: Project) -> None:
    """One that covers nothing that is run is answered before the run."""
    project.matrix("fails", builds="19044", more=issue(versions='["1.*"]'))
    project.run_here("matrices/demo.toml").stderr.fnmatch_lines(
        ["*known_issues[[]0]: 'K1' matches no cell that is run*"]
    )


def test_an_issue_that_is_gone_is_told_as_fixed_and_only_when_all_of_its_scope_was_run(project: Project) -> None:
    """A part of the scope proves nothing; all of it, passed, does."""
    project.matrix("passes", "fails", more=issue(scenarios='["passes"]', owner='"Ann"'))
    line = "KNOWN ISSUE K1 (T-1, owner Ann) fixed: all 2 cells in its scope passed; close it"
    project.run_here("matrices/demo.toml", "--scenario=passes").stdout.fnmatch_lines([line])
    project.run_here("matrices/demo.toml", "--build=19044").stdout.no_fnmatch_line("KNOWN ISSUE*")


def test_an_issue_that_expired_does_not_count_and_that_is_said(project: Project) -> None:
    """From the day after on a covered failure is a failure, and the run says why."""
    project.matrix("fails", builds="19044", more=issue(expires="2020-01-01"))
    run = project.run_here("matrices/demo.toml")
    run.assert_outcomes(failed=1)
    run.stdout.fnmatch_lines(["KNOWN ISSUE K1 (T-1) expired on 2020-01-01 and does not count any more"])


def test_packages_are_read_beside_the_run_and_a_broken_one_breaks_nothing(project: Project) -> None:
    """The demo's ZIP is none: that is a finding about it, written down once for its cells, and the run goes on."""
    project.matrix("passes", "install")
    conftest = (project.pytester.path / "conftest.py").read_text("utf-8")
    project.write("conftest.py", conftest.replace('{"upgrade": fails}', '{"upgrade": fails, "install": passes}'))
    run = project.run_here("matrices/demo.toml")
    assert run.ret == 0
    from harness.predictions import Preflight

    read = Preflight.read(project.folder)
    assert [one.findings[0].code for one in read.packages.values()] == ["unreadable"]
    assert set(read.cells) == set(project.results())
