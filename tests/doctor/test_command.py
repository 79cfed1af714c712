"""What the command promises: it changes nothing unless told to, ends in time, and can be asked for a part."""

from __future__ import annotations

import base64
import contextlib
import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.doctor import vcenter as of_the_vcenter
from harness.lab.folder import LabFolder
from harness.machines.clones import clones_of
from harness.machines.leases import leased, quarantine
from harness.machines.vcenter import connected
from harness.site import read_site
from tests.doctor.patient import Patient, look
from tests.machines.sockets import listening, silent
from tests.waiting import until

OFF, UP = "win11-23h2-b", "win11-23h2-a"


def is_on(site_file: Path, number: int) -> bool:
    """Ask the lab's vCenter for a machine's power."""
    site = read_site(site_file)
    with connected(site) as vcenter:
        return vcenter.machine(site.machines[number]).condition().on


def test_a_machine_that_is_off_stays_off_and_is_skipped(lab: Path) -> None:
    """What needs a running guest says that it was not looked at, and how to have it looked at."""
    looked = look(lab, "--machine", OFF)
    assert looked.of("up")["words"] == "off"
    assert "--start" in looked.of("guest port")["advice"]
    assert looked.code == 0
    assert not is_on(lab, 1)


def test_start_reverts_looks_and_leaves_the_machine_as_it_was(lab: Path) -> None:
    """With --start a machine goes the way that a cell goes, and one that was off is off afterwards."""
    looked = look(lab, "--machine", OFF, "--start")
    assert looked.of("up")["words"].startswith("reverted in")
    assert {found["mark"] for found in looked.findings} == {"ok"}, looked.output
    assert not is_on(lab, 1)


def test_start_looks_into_a_clone_where_cells_get_clones(patient: Patient) -> None:
    """The guest that cells will see is a clone's: one is made as for a cell, looked into, and gone afterwards."""
    site = read_site(patient.file)
    patient.spoil(f'address = "{site.machines[0].address}"', 'strategy = "linked-clone"')
    patient.spoil("[budgets]", "[budgets]\nsettle = 0.2")
    looked = patient.looked("--start")
    assert looked.of("up")["words"].startswith("cloned as wincompat-win11-23h2-a-1 in")
    assert {found["mark"] for found in looked.findings} == {"ok"}, looked.output
    with connected(site) as vcenter:
        assert clones_of(vcenter) == []
    assert is_on(patient.file, 0), "the source is as it was"


def test_a_machine_in_use_is_left_alone(patient: Patient) -> None:
    """Nobody looks into a guest while somebody else has its lease, and the line says who."""
    site = read_site(patient.file)
    with leased(site, site.machines[0].windows, holder="the release run"):
        looked = patient.looked()
    assert "the release run" in looked.of("lease")["words"]
    assert looked.of("guest administrator")["mark"] == "skip"
    assert looked.code == 0
    assert patient.looked().of("lease")["mark"] == "ok"


def test_a_machine_in_quarantine_is_looked_at_with_a_warning(patient: Patient) -> None:
    """Whoever mends a machine wants to see how it is, before it is released."""
    site = read_site(patient.file)
    quarantine(site, site.machines[0], "drifted to 22631.9999")
    looked = patient.looked()
    assert looked.of("lease")["mark"] == "warn"
    assert "drifted to 22631.9999" in looked.of("lease")["words"]
    assert "wincompat leases release" in looked.of("lease")["advice"]
    assert looked.of("guest administrator")["mark"] == "ok"


@contextmanager
def attempts_counted(target: tuple[str, int]) -> Iterator[tuple[int, list[bytes]]]:
    """Relay to a guest's plain WinRM port and note each log-in (NTLM's third message) that passes by."""
    begins = base64.b64encode(b"NTLMSSP\0\3\0\0\0")[:14]
    seen: list[bytes] = []

    def serve(client: socket.socket) -> None:
        with socket.create_connection(target) as server:
            back = threading.Thread(target=_pour, args=(server, client), daemon=True)
            back.start()
            while piece := client.recv(1 << 16):
                seen.extend([begins] * piece.count(begins))
                server.sendall(piece)
            server.shutdown(socket.SHUT_RDWR)
            back.join()

    with listening(serve) as port:
        yield port, seen


def _pour(source: socket.socket, sink: socket.socket) -> None:
    with contextlib.suppress(ConnectionError):  # either end may leave without a word
        while piece := source.recv(1 << 16):
            sink.sendall(piece)


def test_an_account_that_is_refused_is_tried_once(patient: Patient) -> None:
    """Windows locks accounts out after some refusals: the doctor never makes a second one."""
    address = read_site(patient.file).machines[0].address
    with attempts_counted((address, 5985)) as (port, seen):
        patient.spoil("[winrm]", f'[winrm]\nscheme = "http"\nport = {port}')
        patient.spoil(f'address = "{address}"', 'address = "127.0.0.1"')
        patient.wrong_secret("administrator")
        looked = patient.looked()
    assert [found["check"] for found in looked.marked("fail")] == ["guest administrator"]
    assert len(seen) == 1


def test_a_part_is_looked_at_with_what_it_needs(patient: Patient) -> None:
    """--only shows the checks asked for, and of those that they need only one that failed."""
    assert [found["check"] for found in patient.looked("--only", "snapshot").findings] == ["snapshot"]
    patient.wrong_secret("vcenter")
    checks = {found["check"]: found["mark"] for found in patient.looked("--only", "snapshot").findings}
    assert checks == {"vcenter log-in": "fail", "snapshot": "skip"}


@pytest.mark.parametrize(
    ("options", "hint"),
    [
        (("--only", "gest"), "did you mean 'guest'"),
        (("--machine", "win11-23h2-aa"), "did you mean 'win11-23h2-a'"),
        (("--lab", "second"), "not both"),
    ],
)
def test_a_wrong_word_is_answered_with_the_right_one(lab: Path, options: tuple[str, str], hint: str) -> None:
    """Wrong usage has the exit code 2 and names the nearest right word."""
    looked = look(lab, *options)
    assert looked.code == 2
    assert hint in " ".join(looked.output.split())


def test_a_vcenter_that_never_answers_ends_with_the_budget(patient: Patient, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever hangs, the doctor ends when its time is up and says what it was waiting for."""
    monkeypatch.setattr(of_the_vcenter, "KNOCK", 120.0)  # one look has longer than all of them together
    with listening(silent) as port:
        patient.spoil("port = 8443", f"port = {port}")
        patient.spoil(f'host = "{read_site(patient.lab).vcenter.host}"', 'host = "127.0.0.1"')
        looked = patient.looked("--within", "10")
    (failed,) = looked.marked("fail")
    assert failed["check"] == "vcenter certificate"
    assert "when the time was up" in failed["words"]
    assert looked.code == 1


def test_ctrl_c_shows_what_was_found_so_far(patient: Patient) -> None:
    """Who has seen enough gets it laid out as always, and the shell's exit code for Ctrl-C."""
    greeted = threading.Event()

    def deaf(connection: socket.socket) -> None:
        while connection.recv(1 << 16):  # the handshake's first words: the port was tried before
            greeted.set()

    with listening(deaf) as port:
        patient.spoil("port = 8443", f"port = {port}")
        patient.spoil(f'host = "{read_site(patient.lab).vcenter.host}"', 'host = "127.0.0.1"')
        patiently = (
            "import runpy, sys; from harness.doctor import vcenter; vcenter.KNOCK = 300.0; "
            "runpy.run_module('harness.cli', run_name='__main__', alter_sys=True)"
        )
        command = [sys.executable, "-c", patiently, "doctor", str(patient.file)]
        process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert greeted.wait(300)
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=300)[0]
    assert process.returncode == 130
    assert "vcenter port: 127.0.0.1" in said
    assert "vcenter certificate: stopped" in said
    assert said.strip().endswith("stopped")


def test_quiet_shows_only_what_is_not_well(patient: Patient) -> None:
    """For a site of many machines: what needs mending, and how much there was in all."""
    patient.spoil('snapshot = "clean"', 'snapshot = "claen"')
    command = [sys.executable, "-m", "harness.cli", "doctor", str(patient.file), "--quiet"]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stdout
    lines = [line for line in said.splitlines() if line.startswith("  ")]
    assert len(lines) == 1
    assert lines[0].startswith("  fail  snapshot: no snapshot 'claen'; it has clean")
    assert " 1 fail, " in f" {said.splitlines()[-1]}"


def test_a_site_may_have_more_machines_than_are_looked_at_at_once(lab: Path) -> None:
    """Every machine gets its findings, each once."""
    looked = look(lab, "--only", "machine")
    assert sorted(found["subject"] for found in looked.findings) == [UP, OFF]


def test_json_says_what_the_lines_say(patient: Patient) -> None:
    """Each finding has its subject, check, mark, words and advice, beside the exit code."""
    command = [sys.executable, "-m", "harness.cli", "doctor", str(patient.file), "--json", "--only", "budgets"]
    told = json.loads(subprocess.run(command, capture_output=True, text=True, check=True).stdout)
    assert told["exit_code"] == 0
    (found,) = told["findings"]
    assert set(found) == {"subject", "check", "mark", "words", "advice", "seconds"}


def test_a_lab_that_is_not_up_is_said_so() -> None:
    """--lab with a name that no lab has ends with the exit code of a site that cannot do it."""
    command = [sys.executable, "-m", "harness.cli", "doctor", "--lab", "no-such-lab"]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.returncode == 3
    assert "wincompat lab up --name no-such-lab" in said.stderr


def test_a_guest_that_takes_connections_and_is_silent_is_told_so(lab: Path, patient: Patient) -> None:
    """A guest whose WinRM hangs is neither waited for long nor called refused."""
    folder = LabFolder(lab.parent.parent.parent, lab.parent.name)
    folder.ask("POST", "faults", name="guest-silent", machine=UP)
    try:
        looked = patient.looked()
    finally:
        folder.ask("DELETE", "faults")
        until(lambda: not json.loads(folder.ask("GET", "faults")))
    (failed,) = looked.marked("fail")
    assert failed["subject"] == UP
