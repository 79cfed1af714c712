"""A command starts once, its answer is never lost without saying so, and it never outlives its deadline."""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator

import pytest

from harness.errors import GuestLost, GuestRefused, HarnessError, Hung, SiteError
from harness.guest.advice import TOO_MANY_OPERATIONS, TOO_MANY_SHELLS
from harness.guest.envelope import Received
from harness.guest.shell import RENEW, Shell

from .scripted_wsman import MISSING, Mishap, ScriptedWSMan, serving


@pytest.fixture
def script() -> Iterator[ScriptedWSMan]:
    """Serve a guest that behaves until it is told not to."""
    with serving(ScriptedWSMan()) as script:
        yield script


@pytest.fixture
def shell(script: ScriptedWSMan) -> Iterator[Shell]:
    """Give a shell on that service."""
    shell = Shell(script.endpoint, machine="win-a", patience=30)
    yield shell
    shell.close()


def test_a_shell_is_opened_once_for_many_commands(script: ScriptedWSMan, shell: Shell) -> None:
    """After the first command, a command costs two messages: Command and Receive."""
    assert [shell.run("echo", deadline=60).stdout for _ in range(3)] == ["hello\n"] * 3
    assert shell.messages == 1 + 3 * 2
    assert script.count("Create") == 1


def test_a_shell_is_replaced_before_its_finished_commands_reach_the_quota(script: ScriptedWSMan, shell: Shell) -> None:
    """Finished commands are given back with their shell, so a long test never meets Windows' limit of operations."""
    for _ in range(RENEW + 1):
        shell.run("echo", deadline=60)
    assert (script.count("Create"), script.count("Delete")) == (2, 1)


@pytest.mark.parametrize(("told", "meant"), [(0, 0), (1603, 1603), (4294967295, -1), (3221225786, -1073741510)])
def test_exit_codes_are_signed_32_bit(script: ScriptedWSMan, shell: Shell, told: int, meant: int) -> None:
    """Exit codes read as Windows people write them."""
    script.exit_code = told
    assert shell.run("x", deadline=60).exit_code == meant


def test_characters_and_line_ends_split_between_answers_arrive_whole(script: ScriptedWSMan, shell: Shell) -> None:
    """Windows cuts output anywhere, also inside a character or a line end."""
    script.output = [b"gr\xc3", b"\xbc\xc3\x9fe\r", b"\nbye"]
    assert shell.run("x", deadline=60).stdout == "grüße\nbye"


def test_output_beyond_the_cap_keeps_head_and_tail(script: ScriptedWSMan, shell: Shell) -> None:
    """An installer that prints without end costs bounded memory, and its last words are kept."""
    script.output = [b"head" + b"x" * 50_000] + [b"y" * 50_000] * 20 + [b"z" * 50_000 + b"tail"]
    outcome = shell.run("x", deadline=60, cap=1000)
    assert outcome.truncated
    assert outcome.stdout.startswith("head")
    assert outcome.stdout.endswith("tail")
    assert len(outcome.stdout) < 1100
    assert f"{22 * 50_000 + 8 - 1000} characters left out" in outcome.stdout


def test_a_receive_whose_answer_was_lost_is_asked_again_and_nothing_is_missing(
    script: ScriptedWSMan, shell: Shell
) -> None:
    """The very same Receive is repeated on a new connection; the guest gives the same answer again."""
    script.output = [b"one ", b"two"]
    script.mishaps["Receive"] = [Mishap(acted=True), Mishap(), Mishap(status=500)]
    assert shell.run("x", deadline=60).stdout == "one two"
    assert script.started == ["x"]


def test_a_command_whose_answer_was_lost_is_asked_after_and_not_sent_again(script: ScriptedWSMan, shell: Shell) -> None:
    """A Command that has arrived goes on, although its answer was lost: it must not run twice."""
    shell.run("first", deadline=60)
    script.mishaps["Command"] = [Mishap(acted=True)]
    assert shell.run("second", deadline=60).stdout == "hello\n"
    assert script.started == ["first", "second"]


def test_a_command_that_never_arrived_is_sent_again(script: ScriptedWSMan, shell: Shell) -> None:
    """When the guest has the shell and does not know the command, sending it once more is safe."""
    shell.run("first", deadline=60)
    script.mishaps["Command"] = [Mishap()]
    assert shell.run("second", deadline=60).stdout == "hello\n"
    assert script.started == ["first", "second"]


def test_a_command_is_not_sent_again_when_the_guest_cannot_be_asked_after_it(
    script: ScriptedWSMan, shell: Shell
) -> None:
    """A guest that gives commands ids of its own cannot tell whether ours arrived; nothing may run twice."""
    script.keeps_ids = False
    shell.run("first", deadline=60)
    script.mishaps["Command"] = [Mishap(acted=True)]
    with pytest.raises(GuestLost, match="broke while starting a command"):
        shell.run("second", deadline=60)
    assert script.count("Command") == 2


def test_a_command_lost_with_its_shell_is_not_sent_again(script: ScriptedWSMan, shell: Shell) -> None:
    """A guest that restarted may have run the command before."""
    shell.run("first", deadline=60)
    script.shells.clear()
    script.mishaps["Command"] = [Mishap()]
    with pytest.raises(GuestLost, match="forgot the shell"):
        shell.run("second", deadline=60)
    assert script.started == ["first"]


@pytest.mark.parametrize("code", [MISSING, TOO_MANY_OPERATIONS])
def test_a_shell_that_takes_no_more_commands_is_replaced(script: ScriptedWSMan, shell: Shell, code: int) -> None:
    """These faults say that the command did not start, so a new shell gets it."""
    shell.run("first", deadline=60)
    script.mishaps["Command"] = [Mishap(fault=code)]
    assert shell.run("second", deadline=60).ok
    assert script.count("Create") == 2


def test_a_service_that_turns_a_message_away_is_asked_again(script: ScriptedWSMan, shell: Shell) -> None:
    """HTTP 503 means that nothing was done, not even a Command."""
    script.mishaps["Command"] = [Mishap(status=503), Mishap(status=503)]
    assert shell.run("x", deadline=60).ok
    assert script.started == ["x"]


def test_too_many_shells_is_said_in_so_many_words(script: ScriptedWSMan, shell: Shell) -> None:
    """The quota of shells has its own message and advice."""
    script.mishaps["Create"] = [Mishap(fault=TOO_MANY_SHELLS)]
    with pytest.raises(GuestRefused, match="MaxShellsPerUser"):
        shell.run("x", deadline=60)


def test_an_account_that_may_not_load_its_profile_goes_without(script: ScriptedWSMan, shell: Shell) -> None:
    """Windows may refuse a shell with profile to an ordinary user, and give one without."""
    script.mishaps["Create"] = [Mishap(fault=5)]
    assert shell.run("x", deadline=60).ok
    assert script.count("Create") == 2


def test_done_without_an_exit_code_is_not_taken_for_success(script: ScriptedWSMan, shell: Shell) -> None:
    """What nobody knows is the site's fault, neither a pass nor a failure of the product."""
    script.exit_code = None
    with pytest.raises(GuestLost, match="without an exit code"):
        shell.run("x", deadline=60)


def test_a_guest_that_goes_away_is_lost_and_not_hung(script: ScriptedWSMan, shell: Shell) -> None:
    """Silence within the deadline is the site's fault."""
    shell.patience = 0.5
    script.runs_on = True
    script.mishaps["Receive"] = [Mishap()] * 100
    with pytest.raises(GuestLost, match=r"win-a: the connection to .* broke"):
        shell.run("setup.exe", deadline=30)


def test_an_overdue_command_is_seen_and_then_ended(script: ScriptedWSMan) -> None:
    """At the deadline the picture comes first; then the command is signalled and its shell deleted; it is Hung."""
    script.runs_on = True
    seen: list[list[str]] = []
    shell = Shell(script.endpoint, machine="win-a", at_deadline=lambda: seen.append(script.asked.copy()))
    with pytest.raises(Hung, match=r"still running after 2 s and ended: setup\.exe"):
        shell.run("setup.exe /S", deadline=2)
    assert "Signal" not in seen[0]
    assert script.asked.index("Signal") < script.asked.index("Delete")
    assert script.started == ["setup.exe /S", r"%SystemRoot%\System32\taskkill.exe /F /T /IM setup.exe"]
    assert not script.shells
    script.runs_on = False
    assert shell.run("next", deadline=60).ok
    shell.close()


def test_a_picture_that_fails_does_not_keep_the_command_running(script: ScriptedWSMan) -> None:
    """The verdict stays Hung, and says that there is no picture."""

    def fail() -> None:
        raise SiteError("no screen", machine="win-a", advice="look")

    script.runs_on = True
    shell = Shell(script.endpoint, machine="win-a", at_deadline=fail)
    with pytest.raises(Hung) as caught:
        shell.run("setup.exe", deadline=2)
    assert "no screen" in caught.value.__notes__[0]
    shell.close()


def test_a_guest_that_vanished_before_the_deadline_is_lost_and_not_hung(script: ScriptedWSMan, shell: Shell) -> None:
    """A frozen guest answers neither the Receive nor whoever comes to end the command."""
    script.runs_on = True
    for action in ("Receive", "Signal", "Delete"):
        script.mishaps[action] = [Mishap(silence=12.0)] * 10
    with pytest.raises(GuestLost):
        shell.run("setup.exe", deadline=2)


def test_a_guest_that_restarted_before_the_deadline_is_lost_and_not_hung(script: ScriptedWSMan, shell: Shell) -> None:
    """A shell that is gone when its command is to be ended tells of a restart."""
    script.runs_on = True
    shell._at_deadline = script.shells.clear
    with pytest.raises(GuestLost, match="forgot the shell"):
        shell.run("setup.exe", deadline=2)


def test_a_controller_that_stood_still_asks_before_it_calls_a_command_hung(script: ScriptedWSMan) -> None:
    """What ended in time is not overdue because nobody listened; what goes on is ended, however much it prints."""
    now = [0.0]

    def stand_still(_: Received) -> None:
        now[0] += 3600

    shell = Shell(script.endpoint, machine="win-a", clock=lambda: now[0])
    script.output = [b"one ", b"two"]
    assert shell.run("setup.exe", deadline=600, heard=stand_still).stdout == "one two"
    script.output = [b"and on "] * 10
    with pytest.raises(Hung):
        shell.run("setup.exe", deadline=600, heard=stand_still)
    assert script.asked[: script.asked.index("Signal")].count("Receive") == 2 + 2
    shell.close()


def test_a_refused_account_is_named_with_advice(script: ScriptedWSMan, shell: Shell) -> None:
    """A 401 names the account and what to look at."""
    script.mishaps["Create"] = [Mishap(status=401)] * 5
    with pytest.raises(GuestRefused, match=r"'tester'.*LocalAccountTokenFilterPolicy"):
        shell.run("x", deadline=60)
    assert script.count("Create") == 1


def test_no_password_is_left_in_an_error_or_its_frames(script: ScriptedWSMan, shell: Shell) -> None:
    """Test runners print the variables of frames, so the foreign ones are cut off."""
    script.mishaps["Create"] = [Mishap(status=401)]
    with pytest.raises(GuestRefused) as caught:
        shell.run("x", deadline=60)
    link: BaseException | None = caught.value
    while link is not None:
        trace = link.__traceback__
        while trace is not None:
            assert not re.search(r"site-packages/(winrm|requests|urllib3)", trace.tb_frame.f_code.co_filename)
            trace = trace.tb_next
        link = link.__cause__ or link.__context__
    assert "right" not in repr(shell.endpoint)


def test_a_command_line_that_cmd_would_cut_is_refused(shell: Shell) -> None:
    """Beyond 8,191 characters cmd runs nothing, and says so only to a person."""
    with pytest.raises(HarnessError, match="9000 characters"):
        shell.run("x" * 9000, deadline=60)


@pytest.fixture
def closed_port() -> Callable[[], int]:
    """Find a port on which nobody listens."""

    def find() -> int:
        with socket.create_server(("127.0.0.1", 0)) as server:
            return int(server.getsockname()[1])

    return find


def test_nobody_listening_is_lost_after_patience(closed_port: Callable[[], int]) -> None:
    """A refused connection is retried for the patience and then named."""
    shell = Shell(ScriptedWSMan(port=closed_port()).endpoint, machine="win-a", patience=0.2)
    with pytest.raises(GuestLost, match="does not answer while opening a shell: Connection refused"):
        shell.run("x", deadline=60)
    shell.close()
