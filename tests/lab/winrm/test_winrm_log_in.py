"""Who is let in by the service, in which form of a name, and what a stranger learns."""

from __future__ import annotations

import http.client
import uuid
from pathlib import Path

import pytest
import requests
from winrm.exceptions import InvalidCredentialsError, WSManFaultError
from winrm.protocol import Protocol

from harness.lab.winrm import names
from harness.lab.winrm.credentials import write_user_file
from harness.lab.winrm.quotas import Policy
from harness.lab.winrm.service import WinRMService

from .scripted_guest import ADMINISTRATOR, STANDARD, ScriptedGuest
from .scripted_lab import Lab, Transport, envelope
from .served import certificate, loop_thread


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
        answer = requests.post(f"http://{lab.address}:5985{path}", ask, headers=headers, timeout=60)
        assert (answer.status_code, "OS: 0.0.0" in answer.text) == (200, True)
    assert "OS: 10.0.22631" in lab.post(ask, WSMANIDENTIFY="yes").text
    assert "OS: 10.0.22631" in lab.post(ask).text  # as some clients ask who log in anyway
    wrong = requests.post(f"{lab.url}-anon/identify", "<x", headers=headers, timeout=60)
    assert (wrong.status_code, "Fault>" in wrong.text) == (500, True)


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
