"""The service's own promises, kept for a scripted guest; real commands are proved in test_winrm_clients.py."""

from __future__ import annotations

import base64
import http.client
import os
import socket
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests
from winrm.exceptions import InvalidCredentialsError, WinRMOperationTimeoutError, WSManFaultError
from winrm.protocol import Protocol

from harness.lab.winrm import names
from harness.lab.winrm.command import HELD
from harness.lab.winrm.credentials import USER_FILE_VARIABLE, write_user_file
from harness.lab.winrm.quotas import Policy, Quotas
from harness.lab.winrm.service import WinRMService

from .scripted_guest import ADMINISTRATOR, STANDARD, ScriptedGuest
from .scripted_lab import Lab, Transport, envelope, output, receive
from .served import certificate, free_address, loop_thread


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Clients take no proxy or trust from outside, and the user file, named to the whole process, is forgotten."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    yield
    os.environ.pop(USER_FILE_VARIABLE, None)


@pytest.fixture
def quotas() -> Quotas:
    """Allow little enough to be reached."""
    return Quotas(max_shells_per_user=3, max_processes_per_shell=2, max_concurrent_operations_per_user=5, max_timeout=5)


@pytest.fixture
def policy() -> Policy:
    """Open what the lab opens."""
    return Policy()


@pytest.fixture
def lab(tmp_path: Path, quotas: Quotas, policy: Policy) -> Iterator[Lab]:
    """Serve a guest that is up."""
    guest = ScriptedGuest()
    address = free_address()
    write_user_file(tmp_path / "users", guest.accounts.values(), [guest.name])
    tls, trust = certificate(tmp_path, address)
    with loop_thread() as loop:
        service = WinRMService(guest.as_guest, address=address, tls=tls, quotas=quotas, policy=policy)
        loop.run(service.start())
        loop.run(guest.power_on())
        try:
            yield Lab(guest, address, loop, service, trust)
        finally:
            loop.run(service.stop())


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
    client = lab.client(timeout=1)
    shell = client.open_shell()
    command = client.run_command(shell, "silent")
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


def test_terminating_from_a_second_connection_frees_the_first(lab: Lab) -> None:
    """A Receive that waits is told that the operation was aborted, and no exit code is made up."""
    client, other = lab.client("ntlm"), lab.client("ntlm")
    shell = client.open_shell()
    command = client.run_command(shell, "silent")
    seen: list[BaseException] = []

    def wait() -> None:
        try:
            client.get_command_output_raw(shell, command)
        except WSManFaultError as error:
            seen.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.3)
    other.cleanup_command(shell, command)
    waiting.join(10)
    assert [error.wsman_fault_code for error in seen if isinstance(error, WSManFaultError)] == [995]
    assert lab.guest.processes[0].signals == ["terminate"]


def test_quotas_are_faults_with_their_own_codes(lab: Lab) -> None:
    """Too many processes, operations and shells are told apart by code; room is made by closing shells only."""
    client = lab.client()
    shells = [client.open_shell() for _ in range(3)]
    with pytest.raises(WSManFaultError) as refused:
        client.open_shell()
    assert refused.value.wsman_fault_code == refused.value.wmierror_code == 2150859173
    lab.client(user=STANDARD.name).open_shell()

    for _ in range(2):
        client.run_command(shells[0], "silent")
    with pytest.raises(WSManFaultError) as refused:
        client.run_command(shells[0], "silent")
    assert refused.value.wsman_fault_code == 2147944216

    for _ in range(2):
        client.cleanup_command(shells[1], client.run_command(shells[1], "echo"))
    with pytest.raises(WSManFaultError) as refused:
        client.run_command(shells[1], "echo")
    assert refused.value.wsman_fault_code == refused.value.wmierror_code == 2150859174
    client.close_shell(shells[0], close_session=False)
    client.run_command(shells[1], "echo")


def test_a_line_too_long_is_answered_as_cmd_answers(lab: Lab) -> None:
    """8,191 characters pass; one more does not reach the program."""
    client = lab.client()
    shell = client.open_shell()
    client.run_command(shell, "echo " + "x" * (8191 - 5))
    client.run_command(shell, "echo " + "x" * (8192 - 5))
    assert len(lab.guest.lines[0]) == 8191
    assert lab.guest.lines[1] == "echo The command line is too long.>&2& exit 1"


def test_an_idle_shell_expires(lab: Lab) -> None:
    """A shell that nobody uses for its idle timeout is gone and its commands with it."""
    client = lab.client()
    shell = client.open_shell(idle_timeout="PT0.3S")
    client.run_command(shell, "silent")
    process = lab.guest.processes[0]
    for _ in range(100):
        if process.signals:
            break
        time.sleep(0.05)
    assert process.signals == ["terminate"]
    with pytest.raises(WSManFaultError) as missing:
        client.run_command(shell, "echo")
    assert missing.value.wsman_fault_code == 2150858843


def test_a_shell_is_its_owners(lab: Lab) -> None:
    """Another user is denied, a proposed identity is kept, and a second shell of that name is refused."""
    proposed = str(uuid.uuid4()).upper()
    body = f'<rsp:Shell ShellId="{proposed}"><rsp:InputStreams>stdin</rsp:InputStreams></rsp:Shell>'
    assert proposed in lab.post(envelope(names.CREATE, body)).text
    assert 'Code="2150858798"' in lab.post(envelope(names.CREATE, body)).text
    with pytest.raises(WSManFaultError) as denied:
        lab.client(user=STANDARD.name).run_command(proposed, "echo")
    assert denied.value.wsman_fault_code == 5


@pytest.mark.parametrize("transport", ["basic", "ntlm"])
@pytest.mark.parametrize(
    "user", ["tester", "TESTER", ".\\tester", "win11-23h2-a\\tester", "WIN11-23H2-A\\tester", "tester@win11-23h2-a"]
)
def test_a_name_works_in_every_form_of_windows(lab: Lab, transport: Transport, user: str) -> None:
    """Bare, dotted, with the machine before or after it, in any case."""
    assert lab.client(transport, user).open_shell()


@pytest.mark.parametrize("transport", ["basic", "ntlm"])
@pytest.mark.parametrize(
    ("user", "password"),
    [("tester", "wrong"), ("tester", ""), ("nobody", "x"), ("", ""), ("joe", ADMINISTRATOR.password)],
)
def test_a_stranger_is_refused_every_time(lab: Lab, transport: Transport, user: str, password: str) -> None:
    """A wrong name or password gets 401, again and again, and the right one works right after."""
    stranger = Protocol(lab.url, transport=transport, username=user or "x", password=password)
    for _ in range(3):
        with pytest.raises(InvalidCredentialsError):
            stranger.open_shell()
    assert lab.client(transport).open_shell()


def test_whoever_asks_is_told_how_to_log_in(lab: Lab) -> None:
    """Without credentials the answer names Negotiate and Basic, each in a header of its own, and nothing else."""
    line = http.client.HTTPConnection(lab.address, 5985)
    line.request("POST", "/wsman", b"", {"Content-Type": names.SOAP_MEDIA_TYPE})
    answer = line.getresponse()
    answer.read()
    line.close()
    assert answer.status == 401
    assert answer.headers.get_all("WWW-Authenticate") == ["Negotiate", 'Basic realm="WSMAN"']


@pytest.mark.parametrize(
    "header", ["Negotiate", "Negotiate !!!", "Negotiate AAAA", "Basic", "Basic AAAA", "Kerberos AAAA"]
)
def test_a_broken_log_in_is_refused(lab: Lab, header: str) -> None:
    """Tokens that are no tokens end in 401."""
    line = http.client.HTTPConnection(lab.address, 5985)
    line.request("POST", "/wsman", b"", {"Authorization": header})
    assert line.getresponse().status == 401
    line.close()


def test_a_sealed_message_belongs_to_its_connection(lab: Lab) -> None:
    """A sealed message on a connection that has not logged in gets 400, not an opening."""
    boundary = b"--Encrypted Boundary\r\n"
    body = boundary + b"\tContent-Type: x\r\n\tOriginalContent: type=a;Length=3\r\n" + boundary
    body += b"\tContent-Type: application/octet-stream\r\n\x10\0\0\0" + b"s" * 16 + b"abc--Encrypted Boundary--\r\n"
    media = 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'
    assert lab.post(body, **{"Content-Type": media}).status_code == 400


@pytest.mark.parametrize("policy", [Policy(allow_unencrypted=False)])
def test_a_guest_as_shipped_takes_no_plain_text(lab: Lab, policy: Policy) -> None:
    """With AllowUnencrypted off, Basic over HTTP is refused and NTLM works because it seals."""
    with pytest.raises(InvalidCredentialsError):
        lab.client("basic").open_shell()
    client = lab.client("ntlm")
    assert client.open_shell()
    plain = Protocol(
        lab.url,
        transport="ntlm",
        username=ADMINISTRATOR.name,
        password=ADMINISTRATOR.password,
        message_encryption="never",
    )
    with pytest.raises(Exception, match="500"):
        plain.open_shell()


def test_identify_needs_no_log_in_and_tells_a_stranger_no_build(lab: Lab) -> None:
    """Both addresses of Identify answer; the build is told only to who has logged in."""
    ask = (
        f'<s:Envelope xmlns:s="{names.SOAP}" xmlns:i="{names.IDENTITY}"><s:Header/><s:Body><i:Identify/></s:Body>'
        "</s:Envelope>"
    )
    headers = {"Content-Type": names.SOAP_MEDIA_TYPE, "WSMANIDENTIFY": "unauthenticated"}
    for path in ("/wsman", "/wsman-anon/identify"):
        answer = requests.post(f"http://{lab.address}:5985{path}", ask, headers=headers, timeout=10)
        assert (answer.status_code, "OS: 0.0.0" in answer.text) == (200, True)
    assert "OS: 10.0.22631" in lab.post(ask, WSMANIDENTIFY="yes").text
    wrong = requests.post(f"{lab.url}-anon/identify", "<x", headers=headers, timeout=10)
    assert (wrong.status_code, "Fault>" in wrong.text) == (500, True)


@pytest.mark.parametrize(
    ("content", "code"),
    [
        ("<not", 2150858817),
        (envelope("urn:nothing", ""), 2150858753),
        (envelope(names.CREATE, ""), 2150858817),
        (envelope(names.CREATE, "<rsp:Shell/>").replace("/shell/cmd", "/shell/psh"), 2150858752),
        (envelope(names.CREATE, "<rsp:Shell><rsp:IdleTimeOut>soon</rsp:IdleTimeOut></rsp:Shell>"), 87),
        (envelope(names.DELETE, "", shell=str(uuid.uuid4())), 2150858843),
        (envelope(names.DELETE, ""), 2150858843),
        (envelope(names.GET, ""), 2150858843),
        (
            envelope(
                names.CREATE,
                "<rsp:Shell/>",
                header='<w:OptionSet><w:Option Name="NEW" MustComply="true">x</w:Option></w:OptionSet>',
            ),
            2150858834,
        ),
    ],
    ids=["xml", "action", "body", "resource", "duration", "shell", "no shell", "get", "option"],
)
def test_what_cannot_be_done_is_a_fault(lab: Lab, content: str, code: int) -> None:
    """Every refusal is a SOAP fault with status 500, its media type and its code, never a page."""
    answer = lab.post(content)
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, names.SOAP_MEDIA_TYPE)
    assert f'Code="{code}"' in answer.text
    assert "Traceback" not in answer.text


def test_too_large_an_envelope_is_not_even_read(lab: Lab) -> None:
    """More than MaxEnvelopeSizekb gets 413, whether its length was told or not."""
    assert lab.post(b"x" * (500 * 1024 + 1)).status_code == 413

    def pieces() -> Iterator[bytes]:
        for _ in range(60):
            yield b"x" * 10000

    auth = (ADMINISTRATOR.name, ADMINISTRATOR.password)
    try:
        answer = requests.post(lab.url, pieces(), auth=auth, timeout=10)
    except requests.ConnectionError:
        return  # cut off while still talking
    assert answer.status_code == 413


def test_only_wsman_is_here(lab: Lab) -> None:
    """Another path is 404, another method 405; the path's case and query do not matter."""
    assert requests.get(lab.url, timeout=10).status_code == 405
    assert lab.post("", path="/other").status_code == 404
    assert lab.post("", path="/WSMan?PSVersion=5.1").status_code == 200


def test_config_tells_the_envelope_size(lab: Lab) -> None:
    """Clients read MaxEnvelopeSizekb before they cut files into pieces."""
    answer = lab.post(envelope(names.GET, "").replace(names.CMD_SHELL, names.CONFIG))
    assert "<cfg:MaxEnvelopeSizekb>500</cfg:MaxEnvelopeSizekb>" in answer.text


@pytest.mark.parametrize("lies", [False, True])
def test_a_power_cut_is_never_an_exit_code(lab: Lab, lies: bool) -> None:
    """When the power goes, a waiting client loses its connection, even if the dying process claims to have exited."""
    lab.guest.lies = lies
    client = lab.client("ntlm")
    shell = client.open_shell()
    command = client.run_command(shell, "silent")
    seen: list[object] = []

    def wait() -> None:
        try:
            seen.append(client.get_command_output(shell, command))
        except requests.ConnectionError as error:
            seen.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.3)
    lab.loop.run(lab.guest.power_off())
    waiting.join(10)
    assert len(seen) == 1
    assert isinstance(seen[0], requests.ConnectionError)


def test_the_ports_follow_the_power(lab: Lab) -> None:
    """Off refuses connections and resets those that are open; on listens at once, and shells from before are gone."""
    client = lab.client()
    shell = client.open_shell()
    idle = socket.create_connection((lab.address, 5985))
    time.sleep(0.2)
    lab.loop.run(lab.guest.power_off())
    idle.settimeout(10)
    with pytest.raises(ConnectionResetError):
        idle.recv(1)
    idle.close()
    for port in (5985, 5986):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((lab.address, port))
    for _ in range(3):
        lab.loop.run(lab.guest.power_on())
        for scheme, port in (("http", 5985), ("https", 5986)):
            answer = requests.get(f"{scheme}://{lab.address}:{port}/wsman", verify=str(lab.trust), timeout=10)
            assert answer.status_code == 405
        lab.loop.run(lab.guest.power_off())
    lab.loop.run(lab.guest.power_on())
    client.transport.close_session()
    with pytest.raises(WSManFaultError) as missing:
        client.run_command(shell, "echo")
    assert missing.value.wsman_fault_code == 2150858843


def test_a_service_wants_its_user_file(tmp_path: Path) -> None:
    """Starting without accounts for NTLM says what to call, instead of refusing every log-in later."""
    guest = ScriptedGuest()
    tls, _ = certificate(tmp_path, "127.0.0.1")
    with loop_thread() as loop, pytest.raises(RuntimeError, match="write_user_file"):
        loop.run(WinRMService(guest.as_guest, address="127.0.0.1", tls=tls).start())


def test_the_user_file_is_the_owners_alone(tmp_path: Path) -> None:
    """It is written 0600 in a folder 0700, and what its format cannot hold is refused."""
    path = tmp_path / "secrets" / "users"
    for _ in range(2):
        write_user_file(path, [ADMINISTRATOR], ["a", "b"])
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    bad = type(ADMINISTRATOR)(name="x", password="a:b", level="standard")
    with pytest.raises(ValueError, match="colon"):
        write_user_file(path, [bad], ["a"])
