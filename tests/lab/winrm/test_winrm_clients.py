"""Clients that nobody here wrote drive a real lab guest through the WinRM service."""

from __future__ import annotations

import base64
import json
import os
import re
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import pypsrp.shell
import pypsrp.wsman
import pytest
import requests
from winrm.exceptions import WinRMOperationTimeoutError, WSManFaultError
from winrm.protocol import Protocol

from harness.builds import Build
from harness.lab.guest import LabAccount, LabGuest
from harness.lab.host import lab_home, missing
from harness.lab.image import ACCOUNTS, golden_image
from harness.lab.winrm.credentials import USER_FILE_VARIABLE, write_user_file
from harness.lab.winrm.service import WinRMService

from .served import LoopThread, certificate, free_address, loop_thread

pytestmark = pytest.mark.skipif(bool(missing()), reason="; ".join(missing()))

Transport = Literal["basic", "ntlm"]
PASSWORD = "Correct-Horse-7"
WAYS = [("basic", "http"), ("basic", "https"), ("ntlm", "http"), ("ntlm", "https")]


@dataclass
class Target:
    """A guest that is up, where it is and what makes clients trust it."""

    guest: LabGuest
    loop: LoopThread
    address: str
    trust: Path

    def url(self, scheme: str) -> str:
        """Where the service is."""
        return f"{scheme}://{self.address}:{5986 if scheme == 'https' else 5985}/wsman"

    def client(self, transport: Transport = "ntlm", scheme: str = "https", user: str = "Administrator") -> Protocol:
        """Make a pywinrm client."""
        return Protocol(
            self.url(scheme),
            transport=transport,
            username=user,
            password=PASSWORD,
            ca_trust_path=str(self.trust),
            operation_timeout_sec=50,
            read_timeout_sec=120,
        )


@pytest.fixture(scope="module")
def target(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Target]:
    """Run one guest for all these tests; each leaves it up."""
    address = free_address()
    private = tmp_path_factory.mktemp("winrm")
    tls, trust = certificate(private, address)
    accounts = [LabAccount(name=name, password=PASSWORD, level=level) for name, level in ACCOUNTS.items()]
    home = lab_home()
    folder = home / "tests" / f"winrm-{uuid.uuid4().hex[:8]}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with pytest.MonkeyPatch.context() as patch, loop_thread() as loop:
        for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
            patch.delenv(name, raising=False)
        patch.setenv(USER_FILE_VARIABLE, "")  # so that it is forgotten afterwards
        write_user_file(private / "users", accounts, [folder.name])
        image = loop.run(golden_image(home))
        guest = loop.run(LabGuest.create(image, folder, build=Build(22631), accounts=accounts))
        service = WinRMService(guest, address=address, tls=tls)
        try:
            loop.run(service.start())
            loop.run(guest.power_on())
            loop.run(guest.until_up())
            yield Target(guest, loop, address, trust)
        finally:
            loop.run(service.stop())
            loop.run(guest.destroy())


@pytest.mark.parametrize(("transport", "scheme"), WAYS)
def test_pywinrm_runs_commands_every_way(target: Target, transport: Transport, scheme: str) -> None:
    """Output, both streams, 32-bit exit codes, quotes, UTF-8, directory and variables, by Basic and NTLM."""
    client = target.client(transport, scheme)
    shell = client.open_shell(codepage=65001, working_directory="C:\\windows", env_vars={"ANSWER": "4 2"})

    def run(line: str, *words: str) -> tuple[bytes, bytes, int]:
        command = client.run_command(shell, line, words)
        try:
            return client.get_command_output(shell, command)
        finally:
            client.cleanup_command(shell, command)

    assert run("echo %CD% %ANSWER% grüße") == ("C:\\windows 4 2 grüße\r\n".encode(), b"", 0)
    assert run("echo sorry 1>&2& exit 1603") == (b"", b"sorry \r\n", 1603) or run("exit 1603")[2] == 1603
    assert run("exit", "-1")[2] == 0xFFFFFFFF
    assert run('if "a b"=="a b" (echo same) else exit 5') == (b"same\r\n", b"", 0)
    assert run("echo", "x" * 9000) == (b"", b"The command line is too long.\r\n", 1)
    client.close_shell(shell)


@pytest.mark.parametrize("auth", ["basic", "ntlm", "negotiate"])
@pytest.mark.parametrize("ssl", [False, True], ids=["http", "https"])
def test_pypsrp_runs_commands_every_way(target: Target, auth: str, ssl: bool) -> None:
    """SPNEGO is sent where pywinrm sends raw NTLM, RelatesTo is checked, and the configuration is asked for."""
    wsman = pypsrp.wsman.WSMan(
        target.address,
        port=5986 if ssl else 5985,
        ssl=ssl,
        auth=auth,
        encryption="never" if auth == "basic" else "auto",
        username="Administrator",
        password=PASSWORD,
        cert_validation=str(target.trust),  # type: ignore[arg-type]  # documented to take a path
    )
    with wsman, pypsrp.shell.WinRS(wsman, codepage=65001) as shell:
        wsman.update_max_payload_size()
        assert wsman.max_envelope_size == 500 * 1024
        process = pypsrp.shell.Process(shell, "cmd.exe", ["/c", "echo", "hi", "&", "exit", "3"])
        process.invoke()
        process.signal(pypsrp.shell.SignalCode.TERMINATE)
        assert (process.stdout.strip(), process.rc) == (b"hi", 3)
        state = shell._get_shell()
        assert (state["ShellId"], state["State"]) == (shell.id, "Connected")
        reader = pypsrp.shell.Process(shell, "find", ['"b"'])
        reader.begin_invoke()
        reader.send(b"abc\r\nxyz\r\n", end=False)
        reader.send(b"cba\r\n")
        reader.end_invoke()
        assert reader.stdout.split() == [b"abc", b"cba"]


@pytest.mark.skipif(shutil.which("winrmcp") is None, reason="winrmcp is not installed: apt-get install winrmcp")
@pytest.mark.parametrize("scheme", ["http", "https"])
def test_winrmcp_brings_a_file_piece_by_piece(target: Target, tmp_path: Path, scheme: str) -> None:
    """Every piece arrives in %TEMP%, whole; PowerShell should put them together, which Wine only pretends to have."""
    content = os.urandom(40_000)
    (tmp_path / "file").write_bytes(content)
    port = "5986" if scheme == "https" else "5985"
    words = ["winrmcp", "-addr", f"{target.address}:{port}", "-user", "Administrator", "-pass", PASSWORD]
    if scheme == "https":
        words += ["-https", "-cacert", str(target.trust)]
    copied = subprocess.run([*words, str(tmp_path / "file"), "C:/copied"], capture_output=True, text=True, timeout=300)
    assert copied.returncode == 0, copied.stdout + copied.stderr

    client = target.client()
    shell = client.open_shell()

    def run(line: str) -> str:
        return client.get_command_output(shell, client.run_command(shell, line))[0].decode()

    found = re.findall(r"winrmcp-\S+?\.tmp\S*", run("dir /b %TEMP%"))
    found.sort(key=lambda name: int(name.rpartition(".")[2]) if name.rpartition(".")[2].isdecimal() else 0)
    text = "".join(run(f"type %TEMP%\\{name}") for name in found)
    run("del /q %TEMP%\\winrmcp-*")
    client.close_shell(shell)
    assert b"".join(base64.b64decode(line) for line in text.split()) == content


ANSIBLE = Path(sys.executable).with_name("ansible")


@pytest.mark.skipif(not ANSIBLE.exists(), reason="ansible is not installed: pip install ansible-core")
@pytest.mark.parametrize(("transport", "scheme"), WAYS)
def test_ansible_runs_a_raw_command(target: Target, tmp_path: Path, transport: str, scheme: str) -> None:
    """Ansible's winrm connection reads a file of the guest and sees its exit code."""
    host = {
        "ansible_host": target.address,
        "ansible_connection": "winrm",
        "ansible_port": 5986 if scheme == "https" else 5985,
        "ansible_winrm_scheme": scheme,
        "ansible_winrm_transport": transport,
        "ansible_winrm_ca_trust_path": str(target.trust),
        "ansible_shell_type": "powershell",
        "ansible_user": "Administrator",
        "ansible_password": PASSWORD,
    }
    inventory = tmp_path / "hosts.json"
    inventory.write_text(json.dumps({"all": {"hosts": {"guest": host}}}))
    environment = {
        **os.environ,
        "ANSIBLE_LOCALHOST_WARNING": "false",
        "ANSIBLE_HOME": str(tmp_path / "ansible"),
        "LC_ALL": "C.UTF-8",
    }
    done = subprocess.run(
        [str(ANSIBLE), "guest", "-i", f"{inventory}", "-m", "raw", "-a", "type C:\\windows\\system.ini"],
        capture_output=True,
        text=True,
        env=environment,
        timeout=300,
        cwd=tmp_path,
    )
    assert "rc=0" in done.stdout, done.stdout + done.stderr
    assert "[mci]" in done.stdout


def test_output_of_many_megabytes_arrives_whole(target: Target) -> None:
    """More output than the service holds comes through in order, because the command waits for its reader."""
    client = target.client("basic", "http")
    shell = client.open_shell()
    command = client.run_command(shell, "for /L %i in (1,1,40000) do @echo %i-0123456789012345678901234567890123456789")
    lines = client.get_command_output(shell, command)[0].split()
    client.close_shell(shell)
    assert [line.partition(b"-")[0] for line in lines] == [str(number).encode() for number in range(1, 40001)]


def test_an_account_that_cannot_wait_is_told_so(target: Target) -> None:
    """A guest serves one account at a time: another's command times out as an operation, and runs when it may."""
    administrator, standard = target.client(), target.client(user="tester")
    shell, standard_shell = administrator.open_shell(), standard.open_shell()
    command = administrator.run_command(shell, "pause")
    standard.operation_timeout_sec = 1
    with pytest.raises(WinRMOperationTimeoutError):
        standard.run_command(standard_shell, "echo too early")
    administrator.cleanup_command(shell, command)
    standard.operation_timeout_sec = 50
    again = standard.run_command(standard_shell, "echo %USERNAME%")
    assert standard.get_command_output(standard_shell, again) == (b"tester\r\n", b"", 0)
    administrator.close_shell(shell)
    standard.close_shell(standard_shell)


def test_terminate_ends_the_tree_and_ctrl_c_tells_how(target: Target) -> None:
    """A hanging program ends on terminate from another connection, and the guest goes on."""
    client, other = target.client(), target.client()
    shell = client.open_shell()
    command = client.run_command(shell, "ping -n 600 127.0.0.1 >nul & pause")
    killer = threading.Timer(0.5, other.cleanup_command, (shell, command))
    killer.start()
    with pytest.raises(WSManFaultError) as ended:
        client.get_command_output(shell, command)
    killer.join()
    assert ended.value.wsman_fault_code in (995, 2150858843)
    assert client.get_command_output(shell, client.run_command(shell, "echo still here"))[0] == b"still here\r\n"
    client.close_shell(shell)


@pytest.mark.parametrize("how", ["power_off", "shut_down"])
def test_no_exit_code_comes_of_a_guest_that_goes_away(target: Target, how: str) -> None:
    """A command that the power or a shut-down ended leaves its client with a lost connection, never with a number."""
    client = target.client("ntlm", "http")
    shell = client.open_shell()
    command = client.run_command(shell, "echo started & pause")
    seen: list[object] = []

    def wait() -> None:
        try:
            seen.append(client.get_command_output(shell, command))
        except (requests.RequestException, WSManFaultError) as error:
            seen.append(error)

    waiting = threading.Thread(target=wait)
    waiting.start()
    time.sleep(0.5)
    target.loop.run(getattr(target.guest, how)())
    waiting.join(120)
    target.loop.run(target.guest.power_on())
    target.loop.run(target.guest.until_up())
    assert len(seen) == 1
    assert isinstance(seen[0], requests.ConnectionError)
    again = target.client("ntlm", "http")
    with pytest.raises(WSManFaultError) as missing_shell:
        again.run_command(shell, "echo")
    assert missing_shell.value.wsman_fault_code == 2150858843
