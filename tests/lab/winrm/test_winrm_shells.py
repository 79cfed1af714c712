"""Shells and commands as the service promises them, for a scripted guest: streams, input, signals, lost answers."""

from __future__ import annotations

import base64
import http.client
import re
import threading
import time
import uuid

import pytest
import requests
from winrm.exceptions import WinRMOperationTimeoutError, WSManFaultError

from harness.lab.winrm import names
from harness.lab.winrm.command import HELD, Command
from tests.waiting import begun

from .scripted_guest import ADMINISTRATOR
from .scripted_lab import Lab, envelope, output, receive


def test_a_command_gives_its_streams_apart_and_its_exit_code(lab: Lab) -> None:
    """Both streams arrive, and the exit code is the unsigned 32-bit number that Windows reports."""
    client = lab.client()
    shell = client.open_shell()
    assert client.get_command_output(shell, client.run_command(shell, "both")) == (b"out\r\n", b"err\r\n", 2147944003)


def test_a_shell_begins_as_asked(lab: Lab) -> None:
    """Code page, directory, environment and arguments reach the guest; arguments are joined with blanks, unquoted."""
    client = lab.client()
    shell = client.open_shell(codepage=65001, working_directory="C:\\x y", env_vars={"A": "1 & 2"})
    client.run_command(shell, "echo", ["a b", '"c d"', "%TEMP%"])
    assert lab.guest.lines == ['echo a b "c d" %TEMP%']
    started = lab.guest.started[0]
    assert started["account"] == ADMINISTRATOR
    assert (started["codepage"], started["directory"], started["environment"]) == (65001, "C:\\x y", {"A": "1 & 2"})


def test_without_cmd_nothing_is_left_for_cmd_to_read(lab: Lab) -> None:
    """WINRS_SKIP_CMD_SHELL hands signs that mean something to cmd on to the program, and wants its full path."""
    client = lab.client()
    shell = client.open_shell()
    client.run_command(shell, "C:\\a b\\p.exe", ["x & y", '"q | r"', "<z>"], skip_cmd_shell=True)
    assert lab.guest.lines == ['"C:\\a b\\p.exe" x ^& y "q | r" ^<z^>']
    with pytest.raises(WSManFaultError) as refused:
        client.run_command(shell, "powershell.exe", skip_cmd_shell=True)
    assert refused.value.wsman_fault_code == 2147942402


def test_input_reaches_the_command_and_can_be_closed(lab: Lab) -> None:
    """Send feeds the command piece by piece; End closes its input."""
    client = lab.client()
    shell = client.open_shell()
    command = client.run_command(shell, "cat")
    client.send_command_input(shell, command, b"one ")
    client.send_command_input(shell, command, b"two", end=True)
    assert client.get_command_output(shell, command) == (b"one two", b"", 0)
    with pytest.raises(WSManFaultError):
        client.send_command_input(shell, command, b"three")


def test_a_receive_without_news_times_out_and_may_be_repeated(lab: Lab) -> None:
    """Silence ends in fault 2150858793 after the operation timeout; the command goes on."""
    client = lab.client()
    shell = client.open_shell()
    command = client.run_command(shell, "silent")
    client.operation_timeout_sec = 1
    for _ in range(2):
        with pytest.raises(WinRMOperationTimeoutError):
            client.get_command_output_raw(shell, command)
    assert lab.guest.processes[0].signals == []


def test_the_same_receive_again_gets_the_same_output(lab: Lab) -> None:
    """A client whose answer was lost repeats its message and loses nothing; a new message gets what comes next."""
    client = lab.client()
    shell = client.open_shell()
    command = client.run_command(shell, "flood")
    message = str(uuid.uuid4())
    first, again = (lab.post(receive(command, shell, message)) for _ in range(2))
    assert output(first) == output(again) != b""
    assert f"<a:RelatesTo>{message}</a:RelatesTo>" in again.text
    before = lab.guest.flooded
    lab.post(receive(command, shell))
    assert lab.guest.flooded >= before


def test_a_client_with_one_id_for_all_messages_gets_what_comes_next(lab: Lab) -> None:
    """Some clients name every message alike: what they ask after their command is no repetition, however alike."""
    message = "uuid:abdf4705-4e98-5cc0-a532-d595322e66dd"

    def ask(action: str, body: str, shell: str = "") -> str:
        return lab.post(envelope(action, body, shell=shell, message=message)).text

    shell = re.findall(r"<rsp:ShellId>([^<]+)<", ask(names.CREATE, "<rsp:Shell/>"))[0]
    line = "<rsp:CommandLine><rsp:Command>cat</rsp:Command></rsp:CommandLine>"
    command = re.findall(r"<rsp:CommandId>([^<]+)<", ask(names.COMMAND, line, shell))[0]
    heard = []
    for word in (b"one", b"two"):
        coded = base64.b64encode(word).decode()
        ask(
            names.SEND,
            f'<rsp:Send><rsp:Stream Name="stdin" CommandId="{command}">{coded}</rsp:Stream></rsp:Send>',
            shell,
        )
        heard.append(output(lab.post(receive(command, shell, message))))
    assert heard == [b"one", b"two"]


def test_a_client_that_hung_up_takes_no_output_with_it(lab: Lab) -> None:
    """Output that came after its Receive's connection was closed goes to the next Receive."""
    client = lab.client()
    shell = client.open_shell()
    command = client.run_command(shell, "cat")
    token = base64.b64encode(f"{ADMINISTRATOR.name}:{ADMINISTRATOR.password}".encode()).decode()
    line = http.client.HTTPConnection(lab.address, 5985)
    line.request("POST", "/wsman", receive(command, shell), {"Authorization": f"Basic {token}"})
    time.sleep(0.2)
    line.close()
    time.sleep(0.2)
    client.send_command_input(shell, command, b"kept", end=True)
    assert client.get_command_output(shell, command) == (b"kept", b"", 0)


def test_a_flood_waits_for_its_reader(lab: Lab) -> None:
    """A command that prints without end is held up once a little more than a megabyte waits for the client."""
    client = lab.client()
    shell = client.open_shell()
    command = client.run_command(shell, "flood")
    taken = 0
    for _ in range(3):
        time.sleep(0.3)
        assert lab.guest.flooded - taken <= HELD + 2 * 65536
        taken += len(client.get_command_output_raw(shell, command)[0])
    assert taken > 0
    client.close_shell(shell)
    assert lab.guest.processes[0].signals == ["terminate"]


def test_an_answer_fits_into_the_envelope_that_was_asked_for(lab: Lab) -> None:
    """MaxEnvelopeSize bounds each answer to a Receive."""
    client = lab.client()
    shell = client.open_shell()
    command = client.run_command(shell, "flood")
    time.sleep(0.3)
    asked = receive(command, shell).replace("</s:Header>", "<w:MaxEnvelopeSize>20000</w:MaxEnvelopeSize></s:Header>")
    assert 15000 < len(lab.post(asked).content) <= 20000


def test_ctrl_c_leaves_the_command_and_terminate_removes_it(lab: Lab) -> None:
    """After Ctrl+C a Receive tells how it ended; after terminate the command is unknown, and a second is no error."""
    client = lab.client()
    shell = client.open_shell()
    command = client.run_command(shell, "silent")
    body = f'<rsp:Signal CommandId="{command}"><rsp:Code>{names.SHELL}/signal/ctrl_c</rsp:Code></rsp:Signal>'
    assert lab.post(envelope(names.SIGNAL, body, shell=shell)).status_code == 200
    assert client.get_command_output(shell, command)[2] == 0xC000013A
    assert lab.guest.processes[0].signals == ["ctrl_c"]
    for _ in range(2):
        client.cleanup_command(shell, command)
    with pytest.raises(WSManFaultError) as missing:
        client.get_command_output_raw(shell, command)
    assert missing.value.wsman_fault_code == 2150858843


def test_terminating_from_a_second_connection_frees_the_first(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    """A Receive that waits is told that the operation was aborted, and no exit code is made up."""
    client, other = lab.client("ntlm"), lab.client("ntlm")
    shell = client.open_shell()
    command = client.run_command(shell, "silent")
    seen: list[BaseException] = []
    waits = begun(monkeypatch, Command, "receive")

    def wait() -> None:
        try:
            client.get_command_output_raw(shell, command)
        except WSManFaultError as error:
            seen.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert waits.wait(60)
    other.cleanup_command(shell, command)
    waiting.join(60)
    assert [error.wsman_fault_code for error in seen if isinstance(error, WSManFaultError)] == [995]
    assert lab.guest.processes[0].signals == ["terminate"]


def test_a_line_too_long_is_answered_as_cmd_answers(lab: Lab) -> None:
    """8,191 characters pass; one more does not reach the program."""
    client = lab.client()
    shell = client.open_shell()
    client.run_command(shell, "echo " + "x" * (8191 - 5))
    client.run_command(shell, "echo " + "x" * (8192 - 5))
    assert len(lab.guest.lines[0]) == 8191
    assert lab.guest.lines[1] == "echo The command line is too long.>&2& exit 1"


@pytest.mark.parametrize("lies", [False, True])
def test_a_power_cut_is_never_an_exit_code(lab: Lab, monkeypatch: pytest.MonkeyPatch, lies: bool) -> None:
    """When the power goes, a waiting client loses its connection, even if the dying process claims to have exited."""
    lab.guest.lies = lies
    client = lab.client("ntlm")
    shell = client.open_shell()
    command = client.run_command(shell, "silent")
    seen: list[object] = []
    waits = begun(monkeypatch, Command, "receive")

    def wait() -> None:
        try:
            seen.append(client.get_command_output(shell, command))
        except requests.ConnectionError as error:
            seen.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert waits.wait(60)
    lab.loop.run(lab.guest.power_off())
    waiting.join(60)
    assert len(seen) == 1
    assert isinstance(seen[0], requests.ConnectionError)
