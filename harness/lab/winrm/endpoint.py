"""What each WS-Management action answers, whatever carried it here."""

from __future__ import annotations

import asyncio
import base64
import binascii
import re
import xml.etree.ElementTree as ET  # nosec - elements only, nothing is parsed here
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from harness.lab.guest import GuestBusy, GuestFileError, GuestGone, LabAccount, LabGuest
from harness.lab.winrm import faults, names
from harness.lab.winrm.command import PowerCut, Received
from harness.lab.winrm.envelope import Request, read_duration
from harness.lab.winrm.quotas import Policy, Quotas
from harness.lab.winrm.shells import Beginning, Shell, Shells, new_identity

_RSP: Final = f"{{{names.SHELL}}}"
_SMALLEST_ENVELOPE: Final = 8192  # bytes; Windows refuses to promise less
_FRAME: Final = 3072  # bytes of an answer's envelope beside its streams
_CREATE_OPTIONS: Final = {"WINRS_NOPROFILE", "WINRS_CODEPAGE"}
_COMMAND_OPTIONS: Final = {"WINRS_CONSOLEMODE_STDIN", "WINRS_SKIP_CMD_SHELL"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks, from where, and at which address."""

    account: LabAccount
    client: str
    endpoint: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The body of an answer; ``unsent`` is called when it could not be delivered."""

    action: str
    body: str
    unsent: Callable[[], None] | None = None


class Endpoint:
    """WS-Man and WinRS for one guest."""

    def __init__(self, guest: LabGuest, shells: Shells, quotas: Quotas, policy: Policy) -> None:
        self._guest = guest
        self._shells = shells
        self._quotas = quotas
        self._policy = policy
        self._verbs: dict[str, Callable[[Request, Caller], Awaitable[Answer]]] = {
            names.GET: self._get,
            names.CREATE: self._create,
            names.DELETE: self._delete,
            names.COMMAND: self._command,
            names.RECEIVE: self._receive,
            names.SEND: self._send,
            names.SIGNAL: self._signal,
        }

    async def answer(self, request: Request, caller: Caller) -> Answer:
        """Answer one request; raises Fault to say no and PowerCut when the guest went away meanwhile."""
        if not request.action:
            raise faults.header_missing("Action")
        if request.max_envelope is not None and request.max_envelope < _SMALLEST_ENVELOPE:
            raise faults.envelope_too_small(_SMALLEST_ENVELOPE)
        verb = self._verbs.get(request.action)
        if verb is None:
            raise faults.unknown_action(request.action)
        try:
            return await verb(request, caller)
        except GuestGone:
            raise PowerCut from None

    def identify(self, *, authenticated: bool) -> str:
        """Answer Identify; a stranger is not told the build."""
        system = f"10.0.{self._guest.build.number}" if authenticated else "0.0.0"
        return (
            f'<wsmid:IdentifyResponse xmlns:wsmid="{names.IDENTITY}">'
            f"<wsmid:ProtocolVersion>{names.WSMAN}</wsmid:ProtocolVersion>"
            "<wsmid:ProductVendor>Microsoft Corporation (pytest-wincompat lab)</wsmid:ProductVendor>"
            f"<wsmid:ProductVersion>OS: {system} SP: 0.0 Stack: 3.0</wsmid:ProductVersion></wsmid:IdentifyResponse>"
        )

    async def _get(self, request: Request, caller: Caller) -> Answer:
        if request.resource.rstrip("/") == names.CONFIG:
            return Answer(action=names.GET + "Response", body=self._config())
        if request.resource in (names.SHELL, names.CMD_SHELL):
            shell = self._shell(request, caller)
            return Answer(action=names.GET + "Response", body=self._shell_state(shell))
        raise faults.unknown_resource(request.resource)

    async def _create(self, request: Request, caller: Caller) -> Answer:
        _insist(request.resource == names.CMD_SHELL, faults.unknown_resource(request.resource))
        body = _expect(request, "Shell")
        _refuse_unknown(request, _CREATE_OPTIONS)
        codepage = request.options.get("WINRS_CODEPAGE", "437").strip()
        _insist(codepage.isdecimal() and len(codepage) <= 5, faults.invalid_value(f"{codepage} is not a code page. "))
        idle = _text(body, "IdleTimeOut") or _text(body, "IdleTimeout")
        shell = self._shells.open(
            owner=caller.account,
            client=caller.client,
            proposed=body.get("ShellId"),
            beginning=Beginning(
                environment={
                    variable.get("Name", ""): variable.text or ""
                    for variable in body.iterfind(f"{_RSP}Environment/{_RSP}Variable")
                },
                directory=_text(body, "WorkingDirectory") or None,
                codepage=int(codepage),
                idle_timeout=read_duration(idle) if idle else self._quotas.idle_timeout,
                input_streams=_text(body, "InputStreams") or "stdin",
                output_streams=_text(body, "OutputStreams") or "stdout stderr",
            ),
        )
        created = (
            f"<x:ResourceCreated><a:Address>{escape(caller.endpoint)}</a:Address><a:ReferenceParameters>"
            f"<w:ResourceURI>{names.CMD_SHELL}</w:ResourceURI><w:SelectorSet>"
            f'<w:Selector Name="ShellId">{shell.identity}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
            f"</x:ResourceCreated>{self._shell_state(shell)}"
        )
        return Answer(action=names.CREATE + "Response", body=created)

    async def _delete(self, request: Request, caller: Caller) -> Answer:
        await self._shells.close(self._shell(request, caller))
        return Answer(action=names.DELETE + "Response", body="")

    async def _command(self, request: Request, caller: Caller) -> Answer:
        shell = self._shell(request, caller)
        body = _expect(request, "CommandLine")
        _refuse_unknown(request, _COMMAND_OPTIONS)
        identity = new_identity(body.get("CommandId"))
        _insist(identity not in shell.commands, faults.shell_exists(identity))
        line = body.findtext(f"{_RSP}Command", default="")
        _insist(bool(line.strip()), faults.malformed("The command is empty."))
        self._shells.count_operation(shell)
        try:
            # a guest serves one account at a time, so a start may wait for another's command to end
            async with asyncio.timeout(self._timeout(request)):
                await shell.start(
                    line,
                    [argument.text or "" for argument in body.iterfind(f"{_RSP}Arguments")],
                    identity=identity,
                    without_cmd=request.flag("WINRS_SKIP_CMD_SHELL"),
                    asked_as=request.message_id,
                )
        except (TimeoutError, GuestBusy):
            raise faults.timed_out() from None
        except GuestFileError as error:
            raise (faults.access_denied() if error.kind == "access denied" else faults.no_such_directory()) from None
        return Answer(
            action=names.COMMAND + "Response",
            body=f"<rsp:CommandResponse><rsp:CommandId>{identity}</rsp:CommandId></rsp:CommandResponse>",
        )

    async def _receive(self, request: Request, caller: Caller) -> Answer:
        shell = self._shell(request, caller)
        desired = _expect(request, "Receive").find(f"{_RSP}DesiredStream")
        wanted = desired.get("CommandId") if desired is not None else None
        if not wanted:
            raise faults.invalid_value("The parameter is incorrect. ")
        for name in (desired.text or "").split() if desired is not None else ():
            _insist(name in shell.beginning.output_streams.split(), faults.no_such_stream(name, of_input=False))
        command = shell.command(wanted)
        with self._shells.in_use(shell):
            received = await command.receive(
                request.message_id,
                limit=self._room(request),
                within=self._timeout(request),
            )
        return Answer(
            action=names.RECEIVE + "Response",
            body=_received(command.identity, received),
            unsent=lambda: command.put_back(received),
        )

    async def _send(self, request: Request, caller: Caller) -> Answer:
        shell = self._shell(request, caller)
        for stream in _expect(request, "Send").iterfind(f"{_RSP}Stream"):
            command = shell.command(stream.get("CommandId", ""))
            name = stream.get("Name", "stdin")
            _insist(name in shell.beginning.input_streams.split(), faults.no_such_stream(name, of_input=True))
            try:
                content = base64.b64decode(re.sub(r"\s", "", stream.text or ""), validate=True)
            except (binascii.Error, ValueError):
                raise faults.invalid_value("The stream is not base64. ") from None
            end = stream.get("End", "").strip().lower() in ("true", "1")
            await command.write(content, end=end, within=self._timeout(request))
        return Answer(action=names.SEND + "Response", body="<rsp:SendResponse/>")

    async def _signal(self, request: Request, caller: Caller) -> Answer:
        shell = self._shell(request, caller)
        body = _expect(request, "Signal")
        # clients write Terminate and terminate, and real traffic answers 200 for commands that are no more
        name = _text(body, "Code").rpartition("/")[2].lower()
        identity = body.get("CommandId", "").strip("{}").upper()
        command = shell.commands.get(identity)
        if name == "terminate":
            if command is not None:
                del shell.commands[identity]
                await command.end()
        elif name in ("ctrl_c", "ctrl_break"):
            if command is not None:
                await command.interrupt("ctrl_c" if name == "ctrl_c" else "ctrl_break")
        else:
            raise faults.invalid_value(f"The signal {name} is not known. ")
        return Answer(action=names.SIGNAL + "Response", body="<rsp:SignalResponse/>")

    def _shell(self, request: Request, caller: Caller) -> Shell:
        known = (names.CMD_SHELL, names.SHELL)
        _insist(request.resource in known, faults.unknown_resource(request.resource))
        return self._shells.find(request.selectors.get("ShellId", ""), caller.account)

    def _timeout(self, request: Request) -> float:
        return request.timeout if request.timeout is not None else self._quotas.max_timeout

    def _room(self, request: Request) -> int:
        """How many bytes of output fit into the answer that the client is ready to take."""
        asked = request.max_envelope or self._quotas.max_envelope
        return (min(asked, self._quotas.max_envelope) - _FRAME) * 3 // 4

    def _shell_state(self, shell: Shell) -> str:
        directory = shell.beginning.directory
        place = f"<rsp:WorkingDirectory>{escape(directory)}</rsp:WorkingDirectory>" if directory else ""
        return (
            f"<rsp:Shell><rsp:ShellId>{shell.identity}</rsp:ShellId><rsp:ResourceUri>{names.CMD_SHELL}</rsp:ResourceUri>"
            f"<rsp:Owner>{escape(shell.owner.name)}</rsp:Owner><rsp:ClientIP>{escape(shell.client)}</rsp:ClientIP>{place}"
            f"<rsp:IdleTimeOut>PT{shell.beginning.idle_timeout:.3f}S</rsp:IdleTimeOut>"
            f"<rsp:InputStreams>{escape(shell.beginning.input_streams)}</rsp:InputStreams>"
            f"<rsp:OutputStreams>{escape(shell.beginning.output_streams)}</rsp:OutputStreams>"
            "<rsp:State>Connected</rsp:State>"
            f"<rsp:ShellRunTime>{_duration(self._shells.age(shell))}</rsp:ShellRunTime>"
            f"<rsp:ShellInactivity>{_duration(self._shells.idle(shell))}</rsp:ShellInactivity>"
            f"<rsp:ChildProcesses>{shell.running}</rsp:ChildProcesses></rsp:Shell>"
        )

    def _config(self) -> str:
        quotas, policy = self._quotas, self._policy
        basic, unencrypted = str(policy.basic).lower(), str(policy.allow_unencrypted).lower()
        ports = "<cfg:DefaultPorts><cfg:HTTP>5985</cfg:HTTP><cfg:HTTPS>5986</cfg:HTTPS></cfg:DefaultPorts>"
        return (
            f'<cfg:Config xmlns:cfg="{names.CONFIG}"><cfg:MaxEnvelopeSizekb>{quotas.max_envelope_kb}'
            f"</cfg:MaxEnvelopeSizekb><cfg:MaxTimeoutms>{quotas.max_timeout * 1000:.0f}</cfg:MaxTimeoutms>"
            "<cfg:MaxBatchItems>32000</cfg:MaxBatchItems><cfg:Service><cfg:MaxConcurrentOperationsPerUser>"
            f"{quotas.max_concurrent_operations_per_user}</cfg:MaxConcurrentOperationsPerUser>"
            f"<cfg:AllowUnencrypted>{unencrypted}</cfg:AllowUnencrypted><cfg:Auth><cfg:Basic>{basic}</cfg:Basic>"
            "<cfg:Kerberos>false</cfg:Kerberos><cfg:Negotiate>true</cfg:Negotiate><cfg:Certificate>false</cfg:Certificate>"
            "<cfg:CredSSP>false</cfg:CredSSP><cfg:CbtHardeningLevel>Relaxed</cfg:CbtHardeningLevel></cfg:Auth>"
            f"{ports}</cfg:Service><cfg:Winrs><cfg:AllowRemoteShellAccess>true</cfg:AllowRemoteShellAccess>"
            f"<cfg:IdleTimeout>{quotas.idle_timeout * 1000:.0f}</cfg:IdleTimeout>"
            "<cfg:MaxShellRunTime>2147483647</cfg:MaxShellRunTime>"
            f"<cfg:MaxProcessesPerShell>{quotas.max_processes_per_shell}</cfg:MaxProcessesPerShell>"
            f"<cfg:MaxMemoryPerShellMB>{quotas.max_memory_per_shell_mb}</cfg:MaxMemoryPerShellMB>"
            f"<cfg:MaxShellsPerUser>{quotas.max_shells_per_user}</cfg:MaxShellsPerUser></cfg:Winrs></cfg:Config>"
        )


def _insist(condition: bool, fault: faults.Fault) -> None:
    if not condition:
        raise fault


def _refuse_unknown(request: Request, known: set[str]) -> None:
    for name in request.insisted - known:
        raise faults.unknown_option(name)


def _expect(request: Request, name: str) -> ET.Element:
    if request.body is None or request.body.tag != _RSP + name:
        raise faults.malformed(f"The body should hold rsp:{name}.")
    return request.body


def _text(element: ET.Element, name: str) -> str:
    return element.findtext(_RSP + name, default="").strip()


def _duration(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    return f"P{days}DT{hour}H{minute}M{second}S"


def _received(identity: str, received: Received) -> str:
    """Lay out a Receive's answer: the streams in order, and at the end one Done with its exit code."""
    whose = f"CommandId={quoteattr(identity)}"
    streams = "".join(
        f'<rsp:Stream Name="{chunk.stream}" {whose}>{base64.b64encode(chunk.content).decode()}</rsp:Stream>'
        for chunk in received.chunks
    )
    if received.exit_code is None:
        state = f'<rsp:CommandState {whose} State="{names.STATE_RUNNING}"/>'
    else:
        state = (
            f'<rsp:Stream Name="stdout" {whose} End="true"></rsp:Stream>'
            f'<rsp:Stream Name="stderr" {whose} End="true"></rsp:Stream>'
            f'<rsp:CommandState {whose} State="{names.STATE_DONE}"><rsp:ExitCode>{received.exit_code}</rsp:ExitCode>'
            "</rsp:CommandState>"
        )
    return f"<rsp:ReceiveResponse>{streams}{state}</rsp:ReceiveResponse>"
