"""The doctor's judgements where no lab shows them: certificates, quotas, budgets, and the order of checks."""

from __future__ import annotations

import re
import ssl
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import wincompat
from harness.doctor import network, quotas
from harness.doctor.check import Check, Chosen, examine
from harness.doctor.controller import room_in
from harness.doctor.finding import Answer, Finding, Mark, fail, ok, skip
from harness.doctor.showing import section
from harness.doctor.tables import EVERY
from harness.errors import AuthoringError, GuestLost
from harness.site import Budgets
from tests.doctor.patient import Patient
from tests.machines.sockets import certificate, https_server, listening


def test_what_a_check_needs_stands_before_it() -> None:
    """The tables are made from top to bottom: a need that came later would never be met."""
    names = [check.name for check in EVERY]
    assert len(set(names)) == len(names)
    for place, check in enumerate(EVERY):
        assert set(check.needs) <= set(names[:place]), check.name


def _made(*checks: Check[None]) -> dict[str, Answer]:
    chosen = Chosen.of(checks, ())
    told = examine(checks, None, subject="x", chosen=chosen, before={}, stopped=str)
    return {found.check: found.answer for found in told if isinstance(found, Finding)}


def _raise(error: Exception) -> Answer:
    raise error


def test_an_error_of_the_site_is_a_failed_check_with_its_advice() -> None:
    """What the engine says of a machine is what the doctor says of it."""
    lost = GuestLost("went silent", machine="vm", advice="look at its console")
    assert _made(Check("a", (), lambda _: _raise(lost)))["a"] == fail("went silent", "look at its console")
    assert _made(Check("a", (), lambda _: _raise(AuthoringError("no file"))))["a"].mark is Mark.FAIL


def test_a_check_that_breaks_costs_only_what_needs_it() -> None:
    """A mistake of ours in one check is said, and the others are made."""
    made = _made(
        Check("broken", (), lambda _: _raise(KeyError("oh"))),
        Check("after", ("broken",), lambda _: ok("")),
        Check("other", (), lambda _: ok("well")),
    )
    assert "the check itself broke: KeyError" in made["broken"].words
    assert made["after"] == skip("'broken' failed")
    assert made["other"] == ok("well")


def test_a_reason_not_to_look_is_handed_on_unchanged() -> None:
    """Of a row of skipped checks the first reason is the one that helps."""
    made = _made(
        Check("up", (), lambda _: skip("off", "--start")),
        Check("port", ("up",), lambda _: ok("")),
        Check("log-in", ("port",), lambda _: ok("")),
    )
    assert made["log-in"] == skip("off", "--start")


def test_skipped_checks_of_one_reason_share_a_line() -> None:
    """A machine that is off is one line, not fifteen."""
    findings = [
        Finding(subject="vm", check="snapshot", answer=ok("clean")),
        Finding(subject="vm", check="up", answer=skip("off", "--start")),
        Finding(subject="vm", check="guest port", answer=skip("off", "--start")),
    ]
    assert list(section("vm", findings))[2:] == [
        "  \x1b[32mok  \x1b[0m  snapshot: clean",
        "  \x1b[90mskip\x1b[0m  up, port: off; --start",
    ]


@pytest.mark.parametrize(
    ("host", "days", "mark", "words"),
    [
        ("127.0.0.1", 100, Mark.OK, "verified, for 127.0.0.1"),
        ("127.0.0.1", 10, Mark.WARN, "ends in 9 days"),
        ("127.0.0.1", -1, Mark.FAIL, "its certificate ended on"),
        ("localhost", 100, Mark.FAIL, "is for 127.0.0.1, not for localhost"),
    ],
)
def test_a_certificate_is_judged_by_chain_name_and_end(
    tmp_path: Path, host: str, days: int, mark: Mark, words: str
) -> None:
    """A certificate that ends soon is a warning; one that has ended, or names somebody else, blocks every cell."""
    pem = certificate(tmp_path, until=datetime.now(UTC) + timedelta(days=days))
    tls = ssl.create_default_context(cafile=str(pem))
    with listening(https_server(pem, b"")) as port:
        answer = network.trusted(host, port, tls=tls, within=60, part="vcenter")
    assert answer.mark is mark
    assert words in answer.words


def test_a_certificate_that_is_not_verified_is_a_warning(tmp_path: Path) -> None:
    """A site with verify = false works, and whoever stands in between is not noticed."""
    pem = certificate(tmp_path)
    with listening(https_server(pem, b"")) as port:
        answer = network.trusted("127.0.0.1", port, tls=network.unverified(), within=60, part="winrm", how="")
    assert answer.mark is Mark.WARN
    assert "winrm.ca_file" in answer.advice


WELL = {
    "MaxEnvelopeSizekb": "500",
    "MaxTimeoutms": "60000",
    "Service/MaxConcurrentOperationsPerUser": "1500",
    "Winrs/MaxShellsPerUser": "30",
    "Winrs/MaxProcessesPerShell": "25",
    "Winrs/MaxMemoryPerShellMB": "1024",
}


def test_quotas_of_windows_as_it_comes_are_well() -> None:
    """Windows 10 and 11 allow by default what the harness asks for."""
    assert quotas.judged(WELL).mark is Mark.OK
    assert quotas.judged({}).mark is Mark.OK


@pytest.mark.parametrize(
    ("setting", "value", "mark"),
    [
        ("Winrs/MaxMemoryPerShellMB", "150", Mark.FAIL),
        ("Winrs/MaxMemoryPerShellMB", "512", Mark.WARN),
        ("Winrs/MaxShellsPerUser", "1", Mark.FAIL),
        ("MaxTimeoutms", "10000", Mark.FAIL),
        ("Winrs/AllowRemoteShellAccess", "false", Mark.FAIL),
    ],
)
def test_a_quota_that_is_too_small_comes_with_the_command_that_raises_it(setting: str, value: str, mark: Mark) -> None:
    """The advice can be typed into the guest as it stands."""
    answer = quotas.judged({**WELL, setting: value})
    assert answer.mark is mark
    place, _, key = setting.rpartition("/")
    assert f"winrm set winrm/config{'/' + place.lower() if place else ''} @{{{key}=" in answer.advice


def test_budgets_that_contradict_each_other_are_a_warning(lab: Path, tmp_path: Path) -> None:
    """A call that may take longer than the task it belongs to makes the shorter budget a lie."""
    patient = Patient(lab, tmp_path)
    patient.text = re.sub(r"\[budgets\][^\[]*", "", patient.text) + "\n[budgets]\nrequest = 500\n"
    looked = patient.looked("--only", "budgets")
    (found,) = looked.findings
    assert found["mark"] == "warn"
    assert "request = 500" in found["words"]
    assert f"task = {Budgets().task:g}" in found["words"]
    assert looked.code == 0


def test_a_folder_that_is_not_there_yet_is_judged_by_the_one_above(tmp_path: Path) -> None:
    """The first run makes its folder; what counts is whether it can."""
    assert room_in(tmp_path / "build" / "runs", "for a run", "elsewhere").mark in (Mark.OK, Mark.WARN)
    (tmp_path / "file").write_text("")
    assert room_in(tmp_path / "file" / "runs", "for a run", "elsewhere").mark is Mark.FAIL


def test_the_word_lab_stands_for_the_site_file_of_the_lab_that_is_up(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """As with every other subcommand that takes a site: where none is up the line says so, and how to start one."""
    monkeypatch.setattr("harness.running_lab.lab_that_is_up", lambda: None)
    monkeypatch.chdir(tmp_path)
    said = CliRunner().invoke(wincompat, ["doctor", "lab"], prog_name="wincompat")
    assert (said.exit_code, said.output.count("\n")) == (3, 1)
    assert "start the lab: wincompat lab up" in said.output
