"""The whole way: vSphere revert, WinRM over TLS with NTLM, a real cmd.exe in a lab guest."""

from __future__ import annotations

import hashlib
import threading
import warnings
from pathlib import Path
from typing import Literal

import pytest

from harness.builds import Build
from harness.errors import DeliveryFailed, GuestLost, GuestUnreachable, Hung
from harness.guest.guest import Guest
from harness.guest.outcome import Outcome
from harness.guest.questions import joined
from harness.guest.state import EVERYTHING, changes, questions
from harness.guest.transport import Endpoint
from harness.machines.machine import Machine
from harness.site import Site
from tests.waiting import until

from .breakable_wire import wire_to

BUILD = Build(19045)


def test_a_lab_guest_says_which_build_it_presents_and_that_it_is_wine(guest: Guest) -> None:
    """Nothing from the lab can be taken for Windows."""
    facts = guest.facts()
    assert facts.build.number == BUILD.number
    assert facts.provenance.startswith("Wine ")
    assert facts.provenance.endswith(f"presenting as {facts.build}")
    assert facts.has.isdisjoint({"powershell", "curl", "tar"})


def test_ready_and_facts_cost_three_messages_and_a_command_two(guest: Guest) -> None:
    """Create, Command, Receive; later only Command and Receive, when a command prints and ends at once."""
    before = guest.round_trips
    guest.run("echo hi")
    assert guest.round_trips - before <= 3


@pytest.mark.parametrize("code", [0, 1, 1603, 3010, -1, -1073741510])
def test_exit_codes_of_32_bits_come_back(guest: Guest, code: int) -> None:
    """What msiexec says arrives as it was said."""
    assert guest.run(f"cmd /c exit {code}").exit_code == code


def test_each_of_many_questions_has_its_own_answer(guest: Guest) -> None:
    """A built-in command that leaves the exit code alone does not inherit that of the command before."""
    asked = [
        "cmd /c exit 5",
        "echo hi",
        r'reg query "HKLM\SOFTWARE\No Such Key"',
        'dir /b "C:\\Program Files (x86)\\.."',
        "echo oops 1>&2",
        'echo "a & b"',
        "exit /b 7",
        r"if exist C:\nope echo never",
        "for %i in (a b) do @echo %i",
        "echo last",
    ]
    answers = guest.run_each(asked)
    assert [answer.command for answer in answers] == asked
    assert [answer.exit_code for answer in answers] == [5, 0, 1, 0, 0, 0, 7, 0, 0, 0]
    assert answers[1].stdout.strip() == "hi"
    assert "Program Files" in answers[3].stdout
    assert answers[4].stderr.strip() == "oops"
    assert answers[5].stdout.strip() == '"a & b"'
    assert answers[6].stdout == answers[7].stdout == ""
    assert answers[8].stdout.split() == ["a", "b"]
    assert answers[9].stdout.strip() == "last"


def test_a_command_runs_in_the_folder_it_is_given(guest: Guest) -> None:
    """Blanks in the folder's name are no trouble."""
    assert guest.run("cd", directory=r"C:\Program Files").stdout.strip() == r"C:\Program Files"


def test_long_output_is_capped_and_its_end_kept(guest: Guest) -> None:
    """A command that prints more than the cap is not cut at its last words."""
    outcome = guest.run("(for /l %i in (1,1,2000) do @echo line %i) & echo the end", cap=2000, deadline=120)
    assert outcome.truncated
    assert outcome.stdout.startswith("line 1")
    assert outcome.stdout.rstrip().endswith("the end")


def test_the_state_tells_what_was_left_behind(guest: Guest) -> None:
    """Files, uninstall entries and PATH are taken by two commands, and their differences said in words."""
    key = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\Left"
    before = guest.state()
    commands = guest._shell._finished
    assert changes(before, guest.state()) == ()
    # a Receive for each piece is no measure: a slow guest prints more of them
    assert len(list(joined(questions(EVERYTHING)))) <= 2
    assert guest._shell._finished - commands < 10
    made = guest.run_each(
        [
            r'mkdir "C:\Program Files\Left Behind"',
            r'echo x> "C:\Program Files\Left Behind\7 wonders.txt"',
            rf"reg add {key} /v DisplayName /d Left /f",
            rf"reg add {key} /v DisplayVersion /d 1.0 /f",
            r"reg add HKCU\Environment /v Path /t REG_EXPAND_SZ /d C:\Left /f",
            r"reg add HKLM\SOFTWARE\Leftover /v a /d 1 /f",
            r"reg add HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run /v Left /d C:\Left\left.exe /f",
            r"reg add HKLM\SYSTEM\CurrentControlSet\Services\LeftSvc /v ImagePath /d C:\ProgramData\left.exe /f",
            r"reg add HKLM\SOFTWARE\Classes\.left /ve /d Left /f",
            r"reg add HKLM\SOFTWARE\Policies\Left /v on /d 1 /f",
        ]
    )
    assert all(one.ok for one in made), made
    found = changes(before, guest.state())
    assert {(change.area, change.did, change.subject) for change in found} == {
        ("file", "added", r"C:\Program Files\Left Behind\7 wonders.txt"),
        ("uninstall entry", "added", "Left 1.0"),
        ("user PATH entry", "added", r"C:\Left"),
        ("vendor key", "added", "Leftover"),
        ("run entry", "added", "Left"),
        ("service", "added", "LeftSvc"),
        ("file association", "added", ".left"),
        ("policy", "added", "Left"),
    }


ENVIRONMENT = r'"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment"'


def test_a_guest_whose_path_has_lost_windows_is_seen_as_before(guest: Guest, machine: Machine) -> None:
    """An installer that took System32 out of PATH, and .exe out of PATHEXT, is found as that and as nothing else."""
    before = guest.state()
    assert guest.run(rf"reg add {ENVIRONMENT} /v PATHEXT /t REG_SZ /d .nin /f").ok
    assert guest.run(rf"%SystemRoot%\System32\reg.exe add {ENVIRONMENT} /v PATH /t REG_EXPAND_SZ /d C:\Ninja /f").ok
    assert not guest.run(r"reg query HKCU\Environment").ok  # a command of the product's has the PATH that is there
    assert [outcome.exit_code for outcome in guest.run_each([r"reg query HKCU\Environment", "exit /b 7"])] == [0, 7]
    assert guest.ask(r"reg query HKCU >nul & cd", directory=r"C:\Windows").stdout.strip().lower() == r"c:\windows"
    lost = {("system PATH entry", "removed", entry) for entry in before.system_path.entries}
    assert {(change.area, change.did, change.subject) for change in changes(before, guest.state())} == {
        *lost,
        ("system PATH entry", "added", r"C:\Ninja"),
        ("environment variable", "changed", "PATHEXT"),
    }
    machine.revert()  # the tests after this one want their PATH


def test_a_delivered_file_is_there_whole_for_every_account(guest: Guest, tmp_path: Path) -> None:
    """The standard account reads what the administrator brought; it comes back as it went."""
    file = tmp_path / "some file.bin"
    file.write_bytes(bytes(range(256)) * 1000)
    sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
    path = guest.deliver(file, sha256=sha256)
    guest.fetch(path, tmp_path / "back.bin")
    assert (tmp_path / "back.bin").read_bytes() == file.read_bytes()
    standard = guest.as_account("standard")
    assert standard.deliver(file, sha256=sha256) == path
    assert standard.run(f'copy "{path}" %TEMP%\\mine.bin').ok
    assert not standard.run(r'copy C:\windows\win.ini "C:\Program Files\mine.ini"').ok


def test_text_is_read_from_the_guest(guest: Guest) -> None:
    """A log comes as text; one that is not there says so."""
    assert guest.run(r"echo hello> C:\ProgramData\said.txt").ok
    assert guest.read_text(r"C:\ProgramData\said.txt").strip() == "hello"
    with pytest.raises(DeliveryFailed):
        guest.read_text(r"C:\ProgramData\nope.txt")


def test_both_accounts_have_shells_of_their_own(guest: Guest) -> None:
    """The same guest as another person."""
    standard = guest.as_account("standard")
    assert standard.account != guest.account
    assert standard.run("echo %USERNAME%").stdout.strip().lower() == standard.account.lower()
    assert guest.run("echo %USERNAME%").stdout.strip().lower() == guest.account.lower()
    assert guest.as_account("administrator") is guest


def test_an_overdue_command_ends_with_its_whole_tree(lab_site: Site, machine: Machine) -> None:
    """The picture first, then the end; the guest is of use afterwards and nothing runs on."""
    seen: list[int] = []
    with Guest.of(lab_site, machine.entry, at_deadline=lambda: seen.append(len(machine.screenshot()))) as guest:
        guest.wait_until_ready(300)
        with pytest.raises(Hung):
            guest.run(r'cmd /c "for /l %i in (1,0,2) do @echo alive> C:\wincompat\alive.txt"', deadline=5.0)
        until(lambda: seen, else_say="no picture was taken")
        assert seen[0] > 100
        assert guest.run(r"del C:\wincompat\alive.txt").ok
        guest.run("ping -n 2 127.0.0.1")
        assert not guest.run(r"type C:\wincompat\alive.txt").ok


def test_a_power_cut_in_the_middle_is_lost_and_not_hung(lab_site: Site, machine: Machine) -> None:
    """A guest that goes away is the site's fault, and is found out before the deadline."""
    with Guest.of(lab_site, machine.entry) as guest:
        guest.wait_until_ready(300)
        cut = threading.Timer(0.5, machine.power_off)
        cut.start()
        try:
            with pytest.raises(GuestLost, match=machine.name):
                guest.run("for /l %i in (1,0,2) do @rem", deadline=120)
        finally:
            cut.join()
            machine.power_on()
            guest.wait_until_ready(300)


def test_a_second_guest_does_not_disturb_the_first(lab_site: Site, guest: Guest, machine: Machine) -> None:
    """Each has its connections; NTLM's contexts do not mix between threads."""
    found: list[list[Outcome]] = [[], []]

    def work(number: int) -> None:
        with Guest.of(lab_site, machine.entry) as own:
            found[number] = [own.run(f"echo {number} {turn}") for turn in range(5)]

    threads = [threading.Thread(target=work, args=(number,)) for number in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [[one.stdout.strip() for one in outcomes] for outcomes in found] == [
        [f"{number} {turn}" for turn in range(5)] for number in range(2)
    ]
    assert guest.run("ver").ok


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_wire_that_breaks_costs_neither_output_nor_a_second_start(
    lab_site: Site, machine: Machine, scheme: Literal["http", "https"]
) -> None:
    """Between commands and in the middle of them, with sealed messages and with TLS: each command runs once, whole."""
    port = lab_site.winrm.model_copy(update={"scheme": scheme, "port": None}).listening_port
    count = rf"C:\ProgramData\count-{scheme}.txt"
    with wire_to(machine.entry.address, port) as wire:
        # the lab's certificate names the guest's own address, and the wire has another
        winrm = lab_site.winrm.model_copy(update={"scheme": scheme, "port": wire.port, "verify": False})
        account = lab_site.accounts["administrator"]
        endpoint = Endpoint("127.0.0.1", winrm, account.user, account.password.read())
        with warnings.catch_warnings(), Guest(endpoint, machine=machine.name) as guest:
            warnings.simplefilter("ignore")  # urllib3 warns of what the test asked for: no check of the certificate
            guest.wait_until_ready(300)
            for number in range(3):
                wire.cut()
                assert guest.run(f"echo line{number} >> {count}").exit_code == 0
            cut = threading.Timer(0.7, wire.cut)
            cut.start()
            outcome = guest.run(
                f"echo before& ping -n 3 127.0.0.1 >nul& echo line3 >> {count}& echo after", deadline=120
            )
            cut.join()
            assert outcome.stdout.split() == ["before", "after"]
            assert guest.run(f"type {count}").stdout.split() == ["line0", "line1", "line2", "line3"]
        assert wire.connections >= 5


def test_a_restart_of_windows_is_told_from_a_connection_that_broke(
    guest: Guest, lab_site: Site, machine: Machine
) -> None:
    """Neither a lost connection nor the other account's commands look like a restart; a restart does."""
    guest.run("echo a shell that is known")
    guest.as_account("standard").run("echo Wine's server starts anew for this account")
    guest._shell.disconnect()
    assert not guest.has_restarted(120)
    assert not guest.forgot
    machine._vm.RebootGuest()
    with pytest.raises(GuestLost):
        guest.run("ping -n 60 127.0.0.1 >nul", deadline=120)
    assert guest.has_restarted(300)
    assert guest.forgot
    with guest:
        guest.wait_until_ready(300)
        assert not guest.has_restarted(120)


def test_a_machine_that_was_not_reverted_is_not_ready_after_a_revert(
    guest: Guest, lab_site: Site, machine: Machine
) -> None:
    """What a guest says must not be from before the revert; after a real one the same guest is clean."""
    guest.run("echo in use")
    now = [0.0]

    def sleep(seconds: float) -> None:
        now[0] += 10 * seconds  # a few looks will do

    with Guest(guest._endpoint, machine=machine.name, clock=lambda: now[0], sleep=sleep) as same:
        with pytest.raises(GuestUnreachable, match="is not as its snapshot: it is in use since 2"):
            same.wait_until_ready(300, reverted=True)
        machine.revert()
    with Guest.of(lab_site, machine.entry) as clean:
        clean.wait_until_ready(300, reverted=True)
