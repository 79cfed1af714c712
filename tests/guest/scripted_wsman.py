"""A WS-Man service on a real socket that keeps shells and commands, and misbehaves on cue."""

from __future__ import annotations

import base64
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from xml.sax.saxutils import unescape

from pydantic import SecretStr

from harness.guest.envelope import new_id
from harness.guest.transport import Endpoint
from harness.site import WinRM
from tests.serving import aside

SHELL = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
MISSING = 2150858843


@dataclass(frozen=True)
class Mishap:
    """What goes wrong with one message: before or after it was acted on, the connection drops or a status comes."""

    acted: bool = False
    status: int | None = None  # None: the connection is closed without an answer
    fault: int | None = None
    silence: float = 0.0


@dataclass
class ScriptedCommand:
    """What a command prints, whether it ends, and with which exit code (None: Done without one)."""

    output: list[bytes]
    errors: bytes
    exit_code: int | None = 0
    runs_on: bool = False
    replay: dict[str, bytes] = field(default_factory=dict)


@dataclass
class ScriptedWSMan:
    """The service's memory: what it was asked, what goes wrong next with which action, what commands print."""

    output: list[bytes] = field(default_factory=lambda: [b"hello\r\n"])
    errors: bytes = b""
    prepare: Callable[[str], object] = len
    exit_code: int | None = 0
    runs_on: bool = False
    mishaps: dict[str, list[Mishap]] = field(default_factory=lambda: defaultdict(list))
    asked: list[str] = field(default_factory=list)
    started: list[str] = field(default_factory=list)
    shells: dict[str, dict[str, ScriptedCommand]] = field(default_factory=dict)
    keeps_ids: bool = True
    ahead: float = 0.0  # seconds by which its clock is
    used: str = ""  # the mark of use on its disk
    port: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def tells_facts(self, line: str) -> None:
        """Prepare for joined questions about facts: answer the first with a build, marks with what was left before."""
        mark, last = line.split("call echo ")[1].split(" ")[0], line.count("%^errorlevel%")
        self.errors = f"{mark} \r\n".encode() * last
        told = [b""] * last
        told[0] = b"HKEY_LOCAL_MACHINE\\A\r\n    CurrentBuild    REG_SZ    19045\r\n"
        if left := re.search(r">%SystemRoot%\\Temp\\\S+ echo (\w+ since [^&]+)\)& ", line):
            told[-2] = self.used.encode() + b"\r\n" if self.used else b""
            self.used = self.used or left[1].strip()
        self.output = [b"".join(each + f"{mark} 0\r\n".encode() for each in told)]

    @property
    def endpoint(self) -> Endpoint:
        """Where a transport finds it."""
        winrm = WinRM(scheme="http", port=self.port, auth="basic")
        return Endpoint("127.0.0.1", winrm, "tester", SecretStr("right"))

    def count(self, action: str) -> int:
        """How many messages of one kind came."""
        return self.asked.count(action)

    def act(self, action: str, message: str) -> bytes | int:
        """Do what the message asks; an int is a fault code."""
        shell = _found(r'Name="ShellId">([^<]*)<', message)
        command = _found(r'CommandId="([^"]*)"', message)
        with self.lock:
            if action == "Create":
                self.shells[shell := new_id()] = {}
                return f'<x><w:Selector xmlns:w="w" Name="ShellId">{shell}</w:Selector></x>'.encode()
            if shell not in self.shells:
                return MISSING
            commands = self.shells[shell]
            if action == "Delete":
                del self.shells[shell]
                return b"<x/>"
            if action == "Command":
                given = command if self.keeps_ids else new_id()
                self.started.append(unescape(_found(r"<rsp:Command>(.*)</rsp:Command>", message)))
                self.prepare(self.started[-1])
                commands[given] = ScriptedCommand(list(self.output), self.errors, self.exit_code, self.runs_on)
                return f'<r:CommandId xmlns:r="{SHELL}">{given}</r:CommandId>'.encode()
            if action == "Signal":
                commands.pop(command, None)
                return b"<x/>"
            if command not in commands:
                return MISSING
            return self._receive(commands[command], command, _found("uuid:([^<]*)<", message))

    def _receive(self, running: ScriptedCommand, command: str, message_id: str) -> bytes | int:
        if message_id in running.replay:
            return running.replay[message_id]
        if not running.output and running.runs_on:
            return 2150858793
        piece = running.output.pop(0) if running.output else b""
        done = not running.output and not running.runs_on
        code = "" if running.exit_code is None else f"<r:ExitCode>{running.exit_code}</r:ExitCode>"
        state = f'<r:CommandState CommandId="{command}" State="{SHELL}/CommandState/Done">{code}</r:CommandState>'
        stream = f'<r:Stream Name="stdout" CommandId="{command}">{base64.b64encode(piece).decode()}</r:Stream>'
        if done:
            oops = base64.b64encode(running.errors).decode()
            stream += f'<r:Stream Name="stderr" CommandId="{command}">{oops}</r:Stream>{state}'
        answer = f'<r:ReceiveResponse xmlns:r="{SHELL}">{stream}</r:ReceiveResponse>'.encode()
        running.replay[message_id] = answer
        return answer


@contextmanager
def serving(script: ScriptedWSMan) -> Iterator[ScriptedWSMan]:
    """Serve the script on a free port of the loopback address."""

    class Service(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_POST(self) -> None:
            message = self.rfile.read(int(self.headers["Content-Length"])).decode()
            action = _found(r"<a:Action[^>]*>[^<]*/(\w+)</a:Action>", message)
            script.asked.append(action)
            mishap = script.mishaps[action].pop(0) if script.mishaps[action] else None
            if mishap is None:
                self._answer(script.act(action, message))
                return
            answer = script.act(action, message) if mishap.acted else b""
            time.sleep(mishap.silence)
            if mishap.fault is not None:
                self._answer(mishap.fault)
            elif mishap.status is not None:
                self._send(mishap.status, b"")
            elif mishap.silence:
                self._answer(answer)
            self.close_connection = True

        def _answer(self, answer: bytes | int) -> None:
            if isinstance(answer, bytes):
                self._send(200, answer)
            elif answer == 2150858793:
                time.sleep(0.1)
                self._send(500, _fault(answer))
            else:
                self._send(500, _fault(answer))

        def _send(self, status: int, body: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", "application/soap+xml;charset=UTF-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def date_time_string(self, timestamp: float | None = None) -> str:
            return super().date_time_string((timestamp or time.time()) + script.ahead)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """Say nothing: a client that went away is what these tests are about."""

    server = Server(("127.0.0.1", script.port), Service)
    server.daemon_threads = True
    script.port = server.server_address[1]
    with aside(server):
        yield script


def _fault(code: int) -> bytes:
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><s:Fault><s:Code><s:Value>s:Receiver'
        '</s:Value></s:Code><s:Reason><s:Text xml:lang="en-US">scripted</s:Text></s:Reason><s:Detail>'
        f'<f:WSManFault xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="{code}"/>'
        "</s:Detail></s:Fault></s:Body></s:Envelope>"
    ).encode()


def _found(pattern: str, text: str) -> str:
    found = re.search(pattern, text, re.DOTALL)
    return found.group(1) if found else ""
