"""The service's own promises, kept for a scripted guest; real commands are proved in test_winrm_clients.py."""

from __future__ import annotations

import socket
import time
import uuid
from collections.abc import Iterator

import pytest
import requests
from winrm.exceptions import WSManFaultError

from harness.lab.winrm import names
from tests.waiting import until

from .scripted_guest import ADMINISTRATOR, STANDARD
from .scripted_lab import Lab, envelope


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


def test_an_idle_shell_expires(lab: Lab) -> None:
    """A shell that nobody uses for its idle timeout is gone and its commands with it."""
    client = lab.client()
    shell = client.open_shell(idle_timeout="PT3S")
    client.run_command(shell, "silent")
    process = lab.guest.processes[0]
    until(lambda: process.signals)
    assert process.signals == ["terminate"]
    with pytest.raises(WSManFaultError) as missing:
        client.run_command(shell, "echo")
    assert missing.value.wsman_fault_code == 2150858843


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
        (envelope("", ""), 2150858769),
        (envelope(names.GET, "").replace(names.SOAP, "http://schemas.xmlsoap.org/soap/envelope/"), 2150858765),
        (
            envelope(names.GET, "", header='<n:New xmlns:n="urn:new" s:mustUnderstand="true">1</n:New>'),
            2150858768,
        ),
        (envelope(names.GET, "", header="<w:MaxEnvelopeSize>8191</w:MaxEnvelopeSize>"), 2150858805),
        (envelope(names.GET, "", header=f"<w:MaxEnvelopeSize>{'9' * 5000}</w:MaxEnvelopeSize>"), 2150858843),
        (
            envelope(
                names.CREATE,
                "<rsp:Shell/>",
                header=f'<w:OptionSet><w:Option Name="WINRS_CODEPAGE">{"9" * 5000}</w:Option></w:OptionSet>',
            ),
            87,
        ),
    ],
    ids=[
        *("xml", "action", "body", "resource", "duration", "shell", "no shell", "get", "option"),
        *("no action", "older soap", "header", "small envelope", "long number", "code page"),
    ],
)
def test_what_cannot_be_done_is_a_fault(lab: Lab, content: str, code: int) -> None:
    """Every refusal is a SOAP fault with status 500, its media type and its code, never a page."""
    answer = lab.post(content)
    assert (answer.status_code, answer.headers["Content-Type"]) == (500, names.SOAP_MEDIA_TYPE)
    assert f'Code="{code}"' in answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ('<rsp:Send><rsp:Stream Name="stdon" CommandId="{}">eA==</rsp:Stream></rsp:Send>', 2150859147),
        ('<rsp:Receive><rsp:DesiredStream CommandId="{}">stdout trace</rsp:DesiredStream></rsp:Receive>', 2150859149),
    ],
)
def test_a_stream_that_the_shell_does_not_have_is_refused(lab: Lab, body: str, code: int) -> None:
    """What is written to another stream than stdin is not given to the command, and none is read that is not there."""
    client = lab.client()
    shell = client.open_shell()
    command = client.run_command(shell, "cat")
    action = names.SEND if "Send" in body else names.RECEIVE
    assert f'Code="{code}"' in lab.post(envelope(action, body.format(command), shell=shell)).text
    client.send_command_input(shell, command, b"kept", end=True)
    assert client.get_command_output(shell, command) == (b"kept", b"", 0)


def test_too_large_an_envelope_is_not_even_read(lab: Lab) -> None:
    """More than MaxEnvelopeSizekb gets 413, whether its length was told or not."""
    assert lab.post(b"x" * (500 * 1024 + 1)).status_code == 413

    def pieces() -> Iterator[bytes]:
        for _ in range(60):
            yield b"x" * 10000

    auth = (ADMINISTRATOR.name, ADMINISTRATOR.password)
    try:
        answer = requests.post(lab.url, pieces(), auth=auth, timeout=60)
    except requests.ConnectionError:
        return  # cut off while still talking
    assert answer.status_code == 413


def test_only_wsman_is_here(lab: Lab) -> None:
    """Another path is 404, another method 405; the path's case and query do not matter."""
    assert requests.get(lab.url, timeout=60).status_code == 405
    assert lab.post("", path="/other").status_code == 404
    assert lab.post("", path="/WSMan?PSVersion=5.1").status_code == 200


def test_config_tells_the_envelope_size(lab: Lab) -> None:
    """Clients read MaxEnvelopeSizekb before they cut files into pieces."""
    answer = lab.post(envelope(names.GET, "").replace(names.CMD_SHELL, names.CONFIG))
    assert "<cfg:MaxEnvelopeSizekb>500</cfg:MaxEnvelopeSizekb>" in answer.text


def test_the_ports_follow_the_power(lab: Lab) -> None:
    """Off refuses connections and resets those that are open; on listens at once, and shells from before are gone."""
    client = lab.client()
    shell = client.open_shell()
    idle = socket.create_connection((lab.address, 5985))
    time.sleep(0.2)
    lab.loop.run(lab.guest.power_off())
    idle.settimeout(60)
    with pytest.raises(ConnectionResetError):
        idle.recv(1)
    idle.close()
    for port in (5985, 5986):
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection((lab.address, port))
    for _ in range(3):
        lab.loop.run(lab.guest.power_on())
        for scheme, port in (("http", 5985), ("https", 5986)):
            answer = requests.get(f"{scheme}://{lab.address}:{port}/wsman", verify=str(lab.trust), timeout=60)
            assert answer.status_code == 405
        lab.loop.run(lab.guest.power_off())
    lab.loop.run(lab.guest.power_on())
    client.transport.close_session()
    with pytest.raises(WSManFaultError) as missing:
        client.run_command(shell, "echo")
    assert missing.value.wsman_fault_code == 2150858843
