"""A remote cmd shell that is kept open: starts a command once and only once, and keeps its deadline."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterator
from typing import TypeVar

from harness.errors import GuestLost, HarnessError, Hung
from harness.guest import advice, envelope
from harness.guest.advice import site_error
from harness.guest.clock import Sightings
from harness.guest.ending import end_command
from harness.guest.envelope import Received
from harness.guest.outcome import Outcome
from harness.guest.output import Output
from harness.guest.transport import Endpoint, Fault, Lost, NothingYet, NotSent, Silent, Transport, TransportError
from harness.guest.waits import Clock, Sleep, until_the_guest_answers_again

T = TypeVar("T")

log = logging.getLogger(__name__)

CAP = 1_000_000
"""Characters of each stream that an outcome keeps."""

LINE = 8_000
"""Characters of a command line: cmd takes 8,191, of which WinRM uses some."""

REQUEST = 30.0
"""Seconds for a message that is answered at once by a guest in good health."""

RENEW = 100
"""Finished commands after which a shell is replaced; Windows allows a user 1,500 operations in all his shells."""

_STALE = {advice.SHELL_OR_COMMAND_MISSING, advice.TOO_MANY_OPERATIONS, advice.PROFILE_UNLOADED}
_RECEIVE = 20.0  # seconds that one Receive waits for output
_ENDING = 8.0  # seconds for the end of an overdue command
_IDLE = 900.0  # seconds after which the guest forgets a shell that a dead controller left behind


class Shell:
    """One account's shell in one guest; opened when it is first needed, and again when the guest has dropped it.

    ``patience`` is how many seconds of silence are ridden out in the middle of a step before the guest is lost.
    ``at_deadline`` is called first when a command outlives its deadline, while it can still be seen. ``fence`` is
    called before a command is started or ended, and raises when the guest is not ours any more.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        machine: str,
        at_deadline: Callable[[], None] | None = None,
        fence: Callable[[], None] = lambda: None,
        patience: float = 10.0,
        clock: Clock = time.monotonic,
        sleep: Sleep = time.sleep,
    ) -> None:
        self.endpoint = endpoint
        self.machine = machine
        self._at_deadline = at_deadline
        self._fence = fence
        self.patience = patience
        self._patience = patience
        self._request = REQUEST
        self._clock = clock
        self._sleep = sleep
        self._transport = Transport(endpoint)
        self._shell_id: str | None = None
        self._finished = 0
        self.remembers = True  # false once the guest has forgotten a shell that nobody deleted, as when it restarts
        self._profile = True
        self._keeps_our_ids = False
        self._alone = threading.Lock()  # NTLM's security context belongs to one thread at a time

    @property
    def messages(self) -> int:
        """How many messages went out on the critical path."""
        return self._transport.messages

    @property
    def sightings(self) -> Sightings:
        """What the last answers said of the guest's time."""
        return self._transport.sightings

    def run(
        self,
        line: str,
        *,
        deadline: float,
        cap: int = CAP,
        patience: float | None = None,
        heard: Callable[[Received], None] | None = None,
    ) -> Outcome:
        """Run a command line and wait for its end.

        ``heard`` is given output as it comes; a person listens then, and Ctrl-C ends the command before it goes on.
        ``deadline`` is in seconds from the moment the guest has started it; ``cap`` is in characters of each stream.
        Raises Hung when it outlived its deadline and was ended, GuestLost when the guest goes silent or forgets the
        command, GuestRefused when it refuses the account or another shell.
        """
        if len(line) > LINE:
            raise HarnessError(f"a command line of {len(line)} characters; cmd takes {LINE}: {line[:80]}...")
        with self._alone:
            self._fence()
            self._request = min(REQUEST, max(deadline, 1.0))
            self._patience = self.patience if patience is None else patience
            with self._speaking("opening a shell"):
                self._renew()
                self._shell_id = self._shell_id or self._open()
            started = self._clock()
            with self._speaking("starting a command"):
                shell_id, command_id, received = self._start(line)
            until = self._clock() + deadline
            stdout, stderr = Output(cap), Output(cap)
            is_silent = has_looked = False
            while True:
                if received is not None:
                    if heard is not None:
                        heard(received)
                    stdout.feed(received.stdout)
                    stderr.feed(received.stderr)
                    if received.done:
                        break
                if self._clock() >= until:
                    # a controller that stood still has not heard of it for long: what ended meanwhile is not hung
                    if is_silent or has_looked:
                        raise self._end(shell_id, command_id, line, deadline)
                    has_looked = True
                asks_to_the_end = until - self._clock() <= _RECEIVE
                try:
                    with self._speaking("waiting for a command"):
                        received = self._receive(shell_id, command_id, until)
                except KeyboardInterrupt:
                    if heard is not None:
                        self._end(shell_id, command_id, line, deadline)
                    raise
                is_silent = received is None and asks_to_the_end
            self._finished += 1
            if received.exit_code is None:
                raise GuestLost(
                    f"the guest ended a command without an exit code: {line}",
                    machine=self.machine,
                    advice="something restarted WinRM or ended the command from outside; see the system event log",
                )
            return Outcome(
                command=line,
                exit_code=received.exit_code,
                stdout=stdout.text(),
                stderr=stderr.text(),
                seconds=self._clock() - started,
                truncated=bool(stdout.left_out or stderr.left_out),
            )

    def disconnect(self) -> None:
        """Drop the connections only: what comes next finds out whether the guest still knows the shell."""
        self._transport.disconnect()

    def prepare(self) -> None:
        """Do ahead, while the guest boots, what the first message needs."""
        self._transport.prepare()

    def forget(self) -> None:
        """Drop connections and shell without a word to the guest: it was reverted or restarted."""
        self._shell_id, self._finished, self.remembers = None, 0, False
        self._transport.disconnect()
        self.sightings.forget()

    def close(self) -> None:
        """Delete the shell and drop the connections; raises nothing, a guest that is gone has no shell either."""
        self._delete()
        self._transport.disconnect()

    def _renew(self) -> None:
        """Give the finished commands back: Windows keeps each one, against a quota, until its shell is deleted.

        A Signal for each command would do the same at the price of a third message for every two.
        """
        if self._finished >= RENEW:
            self._delete()

    def _delete(self) -> None:
        shell_id, self._shell_id, self._finished = self._shell_id, None, 0
        if shell_id is not None:
            with contextlib.suppress(TransportError):
                self._transport.delete(shell_id, within=5.0)

    def _start(self, line: str) -> tuple[str, str, Received | None]:
        """Start the command exactly once; gives shell, command and what it printed while we asked after it, if so."""
        command_id = envelope.new_id()
        stale = False
        while True:
            shell_id = self._shell_id or self._open()
            try:
                given = self._command(shell_id, command_id, line)
            except Fault as fault:
                # each of these says that the command never started: the shell is gone, or may start nothing more
                if fault.code not in _STALE or stale:
                    raise
                self.remembers = self.remembers and fault.code != advice.SHELL_OR_COMMAND_MISSING
                self._shell_id, stale = None, True
                log.warning("%s: the guest had dropped the shell; another one was opened", self.machine)
            except Lost:
                if not self._keeps_our_ids:
                    raise
                received, never_arrived = self._ask_after(shell_id, command_id)
                if not never_arrived:
                    return shell_id, command_id, received
            else:
                self._keeps_our_ids = given.upper() == command_id
                return shell_id, given, None

    def _command(self, shell_id: str, command_id: str, line: str) -> str:
        return self._patiently(
            lambda: self._transport.command(shell_id, command_id, line, within=self._request), on=(NotSent,)
        )

    def _ask_after(self, shell_id: str, command_id: str) -> tuple[Received | None, bool]:
        """Find out whether a Command whose answer was lost has arrived; the second value is true when it has not."""
        self._anew()
        message = envelope.receive(self._transport.url, shell_id, command_id, seconds=0.5)
        try:
            return self._patiently(lambda: self._transport.receive(message, wait=0.5, within=self._request)), False
        except NothingYet:
            return None, False
        except Fault as fault:
            if fault.code != advice.SHELL_OR_COMMAND_MISSING:
                raise
        # the code is the same for a missing shell; a signal is accepted for any command as long as the shell is there
        self._patiently(lambda: self._transport.signal(shell_id, envelope.new_id(), "terminate", within=self._request))
        return None, True

    def _receive(self, shell_id: str, command_id: str, until: float) -> Received | None:
        """Wait for output until the deadline at most; None when there is none yet."""
        wait = max(0.5, min(_RECEIVE, until - self._clock()))
        message = envelope.receive(self._transport.url, shell_id, command_id, seconds=wait)
        try:
            return self._patiently(
                # half a second after the deadline we stop listening even to a guest that forgets its time-outs
                lambda: self._transport.receive(message, wait=wait, within=max(0.5, until - self._clock()) + 0.5),
                until=until,
            )
        except NothingYet:
            return None
        except Silent:
            if self._clock() < until:
                raise
            return None  # overdue: whoever ends the command finds out whether the guest is still there

    def _open(self) -> str:
        try:
            shell_id = self._create()
        except Fault as fault:
            if fault.code != advice.ACCESS_DENIED or not self._profile:
                raise
            # Windows may refuse to load the profile of an account that is no administrator: do without it then
            self._profile = False
            shell_id = self._create()
        self._shell_id = shell_id
        return shell_id

    def _create(self) -> str:
        # a Create whose answer was lost may leave a shell behind; it idles out, so asking again is harmless
        return self._patiently(lambda: self._transport.create(within=self._request, profile=self._profile, idle=_IDLE))

    def _patiently(
        self,
        call: Callable[[], T],
        *,
        on: tuple[type[TransportError], ...] = (NotSent, Lost),
        until: float | None = None,
    ) -> T:
        """Call again, on a new connection, while the guest is silent and patience lasts."""
        patience = self._patience if until is None else min(self._patience, until - self._clock())
        return until_the_guest_answers_again(patience, on=on, before=self._anew, clock=self._clock, sleep=self._sleep)(
            call
        )

    def _anew(self) -> None:
        log.warning("%s: the connection to %s broke and was made anew", self.machine, self.endpoint.url)
        self._transport.disconnect()

    def _end(self, shell_id: str, command_id: str, line: str, deadline: float) -> Hung | GuestLost:
        """End an overdue command and give what it was: Hung, or GuestLost when the guest is not there any more."""
        self.forget()
        self._fence()  # programs are ended by name: that must not meet another's
        return end_command(
            self.endpoint,
            machine=self.machine,
            shell_id=shell_id,
            command_id=command_id,
            line=line,
            deadline=deadline,
            by=self._clock() + _ENDING,
            at_deadline=self._at_deadline,
            clock=self._clock,
        )

    @contextlib.contextmanager
    def _speaking(self, doing: str) -> Iterator[None]:
        """Translate what the transport raises, and leave no half-read connection behind."""
        try:
            yield
        except TransportError as error:
            self._transport.disconnect()
            raise site_error(error, self.machine, self.endpoint, doing) from error
