"""A scripted guest behind the real service, and the ways in which its tests talk to it."""

from __future__ import annotations

import base64
import re
import uuid
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import requests
from winrm.protocol import Protocol

from harness.lab.winrm import names
from harness.lab.winrm.service import WinRMService

from .scripted_guest import ADMINISTRATOR, STANDARD, ScriptedGuest
from .served import LoopThread

Transport = Literal["basic", "ntlm"]
RSP = f'xmlns:rsp="{names.SHELL}"'


@dataclass
class Lab:
    """A scripted guest, its service and ways to it."""

    guest: ScriptedGuest
    address: str
    loop: LoopThread
    service: WinRMService
    trust: Path

    @property
    def url(self) -> str:
        """Where HTTP is."""
        return f"http://{self.address}:5985/wsman"

    def client(self, transport: Transport = "basic", user: str = ADMINISTRATOR.name, timeout: int = 5) -> Protocol:
        """Make a client that knows its password."""
        password = STANDARD.password if user == STANDARD.name else ADMINISTRATOR.password
        return Protocol(
            self.url,
            transport=transport,
            username=user,
            password=password,
            operation_timeout_sec=timeout,
            read_timeout_sec=timeout + 60,
        )

    def post(self, content: bytes | str, *, path: str = "/wsman", **headers: str) -> requests.Response:
        """Post something of the test's own making, with Basic."""
        auth = requests.auth.HTTPBasicAuth(ADMINISTRATOR.name.encode(), ADMINISTRATOR.password.encode())
        headers = {"Content-Type": names.SOAP_MEDIA_TYPE} | headers
        data = content.encode() if isinstance(content, str) else content
        return requests.post(f"http://{self.address}:5985{path}", data, headers=headers, auth=auth, timeout=120)


def envelope(action: str, body: str, *, shell: str = "", message: str = "", header: str = "") -> str:
    """Write one request as a client does."""
    selectors = f'<w:SelectorSet><w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet>' if shell else ""
    return (
        f'<s:Envelope xmlns:s="{names.SOAP}" xmlns:a="{names.ADDRESSING}" xmlns:w="{names.WSMAN}" {RSP}><s:Header>'
        f"<a:Action>{action}</a:Action><a:MessageID>{message or uuid.uuid4()}</a:MessageID>"
        f"<w:ResourceURI>{names.CMD_SHELL}</w:ResourceURI><w:OperationTimeout>PT5S</w:OperationTimeout>"
        f"{selectors}{header}</s:Header><s:Body>{body}</s:Body></s:Envelope>"
    )


def receive(command: str, shell: str, message: str = "") -> str:
    """Write a Receive for one command."""
    desired = f'<rsp:DesiredStream CommandId="{command}">stdout stderr</rsp:DesiredStream>'
    return envelope(names.RECEIVE, f"<rsp:Receive>{desired}</rsp:Receive>", shell=shell, message=message)


def output(answer: requests.Response) -> bytes:
    """Join what all streams of a Receive's answer hold."""
    return b"".join(
        base64.b64decode(text) for text in re.findall(r"<rsp:Stream [^>]*>([^<]+)</rsp:Stream>", answer.text)
    )
