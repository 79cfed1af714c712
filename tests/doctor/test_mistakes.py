"""Each mistake in a site is one line that fails, with the next move; what depends on it is not looked at."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.site import read_site
from tests.doctor.patient import Patient
from tests.machines.sockets import certificate, closed_port


def _address(patient: Patient) -> str:
    return read_site(patient.lab).machines[0].address


def _host(patient: Patient) -> str:
    return read_site(patient.lab).vcenter.host


def _another_ca(patient: Patient, part: str) -> None:
    head, mark, tail = patient.text.partition(f"[{part}]")
    wrong = certificate(patient.folder)
    patient.text = head + mark + tail.replace(f"{patient.lab.parent}/ca.pem", str(wrong), 1)


# what is spoilt: (how, the check that fails, words in what it says, words in what it advises)
MISTAKES: dict[str, tuple[Callable[[Patient], None], str, str, str]] = {
    "vCenter's password is not set": (
        lambda p: p.spoil(
            '{ file = "' + f"{p.lab.parent}/secrets/vcenter.secret" + '" }', '{ env = "NO_SUCH_SECRET" }'
        ),
        "secret vcenter",
        "NO_SUCH_SECRET is not set",
        "export NO_SUCH_SECRET=",
    ),
    "administrator's secret is not there": (
        lambda p: p.spoil("administrator.secret", "no-such.secret"),
        "secret administrator",
        "no-such.secret: cannot read the secret",
        "write the password alone into that file",
    ),
    "vCenter's password is wrong": (
        lambda p: p.wrong_secret("vcenter"),
        "vcenter log-in",
        "refuses the log-in of 'administrator@lab.local'",
        "check vcenter.user and the password in",
    ),
    "vCenter's name does not resolve": (
        lambda p: p.spoil(f'host = "{_host(p)}"', 'host = "no-such-vcenter.invalid"'),
        "vcenter name",
        "no-such-vcenter.invalid does not resolve",
        "correct vcenter.host",
    ),
    "vCenter's port is closed": (
        lambda p: p.spoil("port = 8443", f"port = {closed_port()}"),
        "vcenter port",
        "refused",
        "check vcenter.host and vcenter.port",
    ),
    "vCenter's CA is another one": (
        lambda p: _another_ca(p, "vcenter"),
        "vcenter certificate",
        "does not verify",
        "vcenter.ca_file",
    ),
    "vCenter's thumbprint is another one": (
        lambda p: p.spoil("port = 8443", f'port = 8443\nthumbprint = "{"ab" * 32}"'),
        "vcenter certificate",
        "another one than vcenter.thumbprint says",
        "whether it was renewed",
    ),
    "user without privileges": (
        lambda p: p.log_in_as("administrator@lab.local", "vcenter", "auditor@lab.local", "auditor"),
        "vcenter privileges",
        "VirtualMachine.State.RevertToSnapshot",
        "role",
    ),
    "machine has another name": (
        lambda p: p.spoil("Windows/win11-23h2-a", "Windows/win11-23h2-aa"),
        "machine",
        "no such machine",
        "did you mean",
    ),
    "snapshot has another name": (
        lambda p: p.spoil('snapshot = "clean"', 'snapshot = "claen"'),
        "snapshot",
        "no snapshot 'claen'",
        "clean",
    ),
    "machine's name does not resolve": (
        lambda p: p.spoil(f'"{_address(p)}"', '"no-such-guest.invalid"'),
        "address",
        "no-such-guest.invalid does not resolve",
        "correct the machine's address",
    ),
    "machine's address is one where nothing listens": (
        lambda p: p.spoil(f'"{_address(p)}"', f'"{_host(p)}"'),
        "guest port",
        "refused",
        "check the address",
    ),
    "guests' CA is another one": (
        lambda p: _another_ca(p, "winrm"),
        "guest certificate",
        "does not verify",
        "winrm.ca_file",
    ),
    "WinRM by plain HTTP to the port for HTTPS": (
        lambda p: p.spoil("[winrm]", '[winrm]\nscheme = "http"\nport = 5986'),
        "guest ws-man",
        "",
        "winrm.scheme",
    ),
    "WinRM by HTTPS to the port for plain HTTP": (
        lambda p: p.spoil("[winrm]", "[winrm]\nport = 5985"),
        "guest certificate",
        "TLS",
        "winrm.port",
    ),
    "administrator's password is wrong": (
        lambda p: p.wrong_secret("administrator"),
        "guest administrator",
        "refuses the account 'Administrator'",
        "password",
    ),
    "standard account's password is wrong": (
        lambda p: p.wrong_secret("standard"),
        "guest standard",
        "refuses the account 'tester'",
        "password",
    ),
    "standard account is an administrator": (
        lambda p: p.log_in_as("tester", "standard", "Administrator", "administrator"),
        "guest limits",
        "may write where only administrators may",
        "take it out of the Administrators",
    ),
    "administrator is a standard account": (
        lambda p: p.log_in_as("Administrator", "administrator", "tester", "standard"),
        "guest token",
        "cannot install",
        "LocalAccountTokenFilterPolicy",
    ),
    "build is another one": (
        lambda p: p.spoil('build = "22631"', 'build = "22621"'),
        "guest build",
        "22631.4037, not",
        "correct 'build'",
    ),
    "lease store cannot be opened": (
        lambda p: p.spoil("sqlite:///leases.sqlite3", "sqlite:///no/such/folder/leases.sqlite3"),
        "leases",
        "unable to open",
        "leases.url",
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_with_the_next_move(patient: Patient, mistake: str) -> None:
    """One mistake fails one check, which says what is wrong and what to do; nothing else fails for want of it."""
    spoil, check, words, advice = MISTAKES[mistake]
    spoil(patient)
    looked = patient.looked()
    assert [found["check"] for found in looked.marked("fail")] == [check], looked.output
    (failed,) = looked.marked("fail")
    assert words in failed["words"]
    assert advice in failed["advice"]
    assert failed["advice"]
    assert looked.code == 1


def test_a_good_site_is_well(patient: Patient) -> None:
    """Where nothing is wrong nothing is reported wrong, and every check was made."""
    looked = patient.looked()
    assert {found["mark"] for found in looked.findings} == {"ok"}, looked.output
    assert looked.code == 0


def test_what_depends_on_a_failure_is_skipped_with_the_reason(patient: Patient) -> None:
    """A check that cannot be made names the one that failed, not the one before it."""
    patient.wrong_secret("administrator")
    looked = patient.looked()
    for check in ("guest token", "guest standard", "guest limits"):
        assert looked.of(check)["mark"] == "skip"
        assert looked.of(check)["words"] == "'guest administrator' failed"


def test_no_secret_is_ever_shown(patient: Patient) -> None:
    """Neither right nor wrong passwords are in what the doctor says."""
    for name in ("administrator", "vcenter"):
        patient.wrong_secret(name)
    spoilt = patient.looked()
    assert "Wr0ng-and-not-to-be-seen" not in spoilt.output
    well = Patient(patient.lab, patient.folder).looked()
    for name in ("vcenter", "administrator", "standard"):
        assert patient.secret(name) not in well.output


def test_a_site_file_that_is_wrong_is_not_looked_at(patient: Patient, tmp_path: Path) -> None:
    """A mistake in the file itself is the file's, with the exit code that all commands have for it."""
    patient.spoil("[winrm]", "[winrn]")
    assert patient.looked().code == 4


def test_a_place_for_clones_that_is_not_there_is_one_line(patient: Patient) -> None:
    """A folder that clones should go to is looked for beforehand; privileges are asked about what is there."""
    patient.text = re.sub(
        r"(?m)^address = .*",
        'strategy = "linked-clone"\nclones = { folder = "Lab/vm/Windowz" }',
        patient.text,
    )
    looked = patient.looked()
    assert [found["check"] for found in looked.marked("fail")] == ["clones"], looked.output
    assert "no such folder" in looked.of("clones")["words"]
