"""The shells of a guest: who opened them, what they start with, and when they end."""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Final

from harness.lab.guest import LabAccount, LabGuest
from harness.lab.winrm import faults
from harness.lab.winrm.command import Command, PowerCut
from harness.lab.winrm.quotas import Quotas

_GUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")
_MAX_PROGRAM_LINE: Final = 32767  # characters; what CreateProcess takes when there is no cmd in between


def new_identity(proposed: str | None = None) -> str:
    """Name a shell or command as Windows does, or as the client proposed; raises Fault when that is no GUID."""
    if proposed is None:
        return str(uuid.uuid4()).upper()
    bare = proposed.strip("{}")
    if _GUID.fullmatch(bare) is None:
        raise faults.invalid_value(f"{proposed} is not an identifier. ")
    return bare.upper()


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What a shell's commands start with; ``idle_timeout`` in seconds."""

    environment: Mapping[str, str] = field(default_factory=dict)
    directory: str | None = None
    codepage: int = 437
    idle_timeout: float
    input_streams: str = "stdin"
    output_streams: str = "stdout stderr"


class Shell:
    """One shell of one user on one boot of the guest."""

    def __init__(
        self,
        guest: LabGuest,
        quotas: Quotas,
        *,
        identity: str,
        owner: LabAccount,
        client: str,
        beginning: Beginning,
        created: float,
    ) -> None:
        self.identity = identity
        self.owner = owner
        self.client = client
        self.beginning = beginning
        self.commands: dict[str, Command] = {}
        self.operations = 0  # Windows gives them back with the shell only, whatever is signalled
        self.created = self.used = created
        self.waiting = 0  # requests that wait for this shell, which is not idle meanwhile
        self._guest = guest
        self._quotas = quotas
        self._boot = guest.boot_id
        self._starting = 0

    def is_alive(self) -> bool:
        """Whether the guest is still on the boot that this shell was opened on."""
        return self._guest.is_up and self._guest.boot_id == self._boot

    async def start(
        self, command: str, arguments: list[str], *, identity: str, without_cmd: bool, asked_as: str = ""
    ) -> Command:
        """Start a command line, its words joined with blanks as on Windows; raises Fault when it cannot start.

        ``asked_as`` is the id of the message that asks for it.
        """
        line = " ".join([command, *arguments])
        if without_cmd:
            line = _for_program(command, arguments)
        limit = _MAX_PROGRAM_LINE if without_cmd else self._quotas.max_command_line
        if len(line) > limit:
            line = "echo The command line is too long.>&2& exit 1"
        if self.running >= self._quotas.max_processes_per_shell:
            raise faults.too_many_processes()
        self._starting += 1
        try:
            process = await self._guest.start(
                line,
                account=self.owner,
                environment=self.beginning.environment,
                directory=self.beginning.directory,
                codepage=self.beginning.codepage,
            )
        finally:
            self._starting -= 1
        started = Command(identity, process, alive=self.is_alive, asked_as=asked_as)
        self.commands[identity] = started
        return started

    @property
    def running(self) -> int:
        """How many commands run or are about to."""
        return self._starting + sum(command.is_running for command in self.commands.values())

    def command(self, identity: str) -> Command:
        """Find the command of that name; raises Fault when there is none (any more)."""
        found = self.commands.get(identity.strip("{}").upper())
        if found is None:
            raise faults.command_missing()
        return found

    async def close(self) -> None:
        """End every command of the shell."""
        commands = list(self.commands.values())
        self.commands.clear()
        await asyncio.gather(*(command.end() for command in commands))


class Shells:
    """All shells of one guest, which die with the boot they were opened on."""

    def __init__(self, guest: LabGuest, quotas: Quotas, *, clock: Callable[[], float] | None = None) -> None:
        self._guest = guest
        self._quotas = quotas
        self._clock = clock or asyncio.get_running_loop().time
        self._shells: dict[str, Shell] = {}
        self._expiries: dict[str, asyncio.TimerHandle] = {}
        self._closing: set[asyncio.Task[None]] = set()

    def open(self, *, owner: LabAccount, client: str, beginning: Beginning, proposed: str | None) -> Shell:
        """Open a shell; raises Fault when the user has too many or the proposed identity is taken."""
        identity = new_identity(proposed)
        if identity in self._shells:
            raise faults.shell_exists(identity)
        if len(self._of(owner)) >= self._quotas.max_shells_per_user:
            raise faults.too_many_shells(self._quotas.max_shells_per_user)
        shell = Shell(
            self._guest,
            self._quotas,
            identity=identity,
            owner=owner,
            client=client,
            beginning=beginning,
            created=self._clock(),
        )
        self._shells[identity] = shell
        self._expire_later(shell, beginning.idle_timeout)
        return shell

    def find(self, identity: str, user: LabAccount) -> Shell:
        """Find the user's shell and mark it as used; raises Fault when there is none or it is somebody else's."""
        shell = self._shells.get(identity.strip("{}").upper())
        if shell is None:
            raise faults.shell_missing(identity)
        if not shell.is_alive():
            raise PowerCut
        if shell.owner.name != user.name:
            raise faults.access_denied()
        shell.used = self._clock()
        return shell

    @contextmanager
    def in_use(self, shell: Shell) -> Iterator[None]:
        """Keep a shell from expiring while a request waits for its output."""
        shell.waiting += 1
        try:
            yield
        finally:
            shell.waiting -= 1
            shell.used = self._clock()

    def age(self, shell: Shell) -> float:
        """Seconds since the shell was opened."""
        return self._clock() - shell.created

    def idle(self, shell: Shell) -> float:
        """Seconds since the shell was last used."""
        return self._clock() - shell.used

    def count_operation(self, shell: Shell) -> None:
        """Count one more operation against the shell's owner; raises Fault when the quota is used up."""
        limit = self._quotas.max_concurrent_operations_per_user
        if sum(other.operations for other in self._of(shell.owner)) >= limit:
            raise faults.too_many_operations(limit)
        shell.operations += 1

    async def close(self, shell: Shell) -> None:
        """Close one shell and end its commands."""
        self._forget(shell)
        await shell.close()

    async def close_all(self) -> None:
        """Close every shell in an orderly way."""
        await asyncio.gather(*(self.close(shell) for shell in list(self._shells.values())))

    def lose_all(self) -> None:
        """Forget every shell: the guest is gone and they with it."""
        for shell in list(self._shells.values()):
            self._forget(shell)
            for command in shell.commands.values():
                command.lose()

    def _of(self, owner: LabAccount) -> list[Shell]:
        return [shell for shell in self._shells.values() if shell.owner.name == owner.name]

    def _forget(self, shell: Shell) -> None:
        self._shells.pop(shell.identity, None)
        if (expiry := self._expiries.pop(shell.identity, None)) is not None:
            expiry.cancel()

    def _expire_later(self, shell: Shell, seconds: float) -> None:
        self._expiries[shell.identity] = asyncio.get_running_loop().call_later(seconds, self._expire, shell)

    def _expire(self, shell: Shell) -> None:
        left = shell.beginning.idle_timeout - (0 if shell.waiting else self.idle(shell))
        if left > 0:
            self._expire_later(shell, left)
            return
        closing = asyncio.create_task(self.close(shell), name=f"winrm idle shell {shell.identity}")
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)


def _for_program(command: str, arguments: list[str]) -> str:
    """Make a command line that cmd hands on untouched, for a client that asked for no cmd.

    Raises Fault for a program without its full path, which Windows does not look for either.
    """
    bare = command.strip('"')
    if re.match(r"[A-Za-z]:\\", bare) is None:
        raise faults.no_such_file()
    # a caret in front of what means something to cmd; between double quotes nothing does
    pieces = " ".join(arguments).split('"')
    guarded = [
        re.sub(r"[&|<>^()]", r"^\g<0>", piece) if index % 2 == 0 else piece for index, piece in enumerate(pieces)
    ]
    return f'"{bare}" {chr(34).join(guarded)}'.rstrip()
