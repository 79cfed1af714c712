"""The Windows inside a machine, as one account sees it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Literal, Self

from harness.errors import GuestLost, GuestRefused, GuestUnreachable, HarnessError, Hung, SiteError
from harness.guest import clock as watch
from harness.guest import facts as asking
from harness.guest import questions as several
from harness.guest import waits
from harness.guest.boot import CHECK, USED, Marks
from harness.guest.clock import Skew
from harness.guest.decoding import decoded
from harness.guest.delivery import Courier, Delivery
from harness.guest.ending import take_picture
from harness.guest.envelope import Received
from harness.guest.facts import Facts
from harness.guest.knocking import Knocks
from harness.guest.outcome import Outcome
from harness.guest.shell import CAP, REQUEST, Shell
from harness.guest.state import EVERYTHING, Scope, State, questions, read_state
from harness.guest.state.journal import QUERY, Place, files_since, read_place
from harness.guest.state.members import with_members
from harness.guest.state.presence import ask_what_is_there
from harness.guest.transport import Endpoint, Unfit
from harness.site import Site, SiteMachine

AccountLevel = Literal["administrator", "standard"]

_LISTING_CAP = 64_000_000  # characters; a full Program Files of 100,000 files prints about 8 million
_LISTING_DEADLINE = 300.0


class Guest:
    """One guest, driven with what every Windows has in the box, as one of the site's accounts.

    Not for several threads at once; ``as_account`` gives the other account a shell of its own. Close it, or use it in a
    ``with``: Windows keeps a shell that nobody deletes for a while.
    """

    def __init__(
        self,
        endpoint: Endpoint,
        *,
        machine: str,
        courier: Courier | None = None,
        at_deadline: Callable[[], None] | None = None,
        others: Callable[[AccountLevel], Endpoint] | None = None,
        fence: Callable[[], None] = lambda: None,
        delivery: Delivery | None = None,
        clock: waits.Clock = time.monotonic,
        sleep: waits.Sleep = time.sleep,
    ) -> None:
        self.machine = machine
        self.address = endpoint.address
        self.account = endpoint.user
        self._endpoint = endpoint
        self._at_deadline = at_deadline
        self._others = others
        self._fence = fence
        self._clock = clock
        self._sleep = sleep
        self._shell = Shell(endpoint, machine=machine, at_deadline=at_deadline, fence=fence, clock=clock, sleep=sleep)
        # files are brought by the administrator, whoever asks: only that account may write where all may read
        self._delivery = delivery or Delivery(machine=machine, courier=courier, ask=self.run_each)
        self._facts: Facts | None = None
        self._marks: Marks | None = None
        self._siblings: dict[AccountLevel, Guest] = {}

    @classmethod
    def of(
        cls,
        site: Site,
        entry: SiteMachine,
        *,
        account: AccountLevel = "administrator",
        courier: Courier | None = None,
        at_deadline: Callable[[], None] | None = None,
        fence: Callable[[], None] = lambda: None,
    ) -> Self:
        """Make the guest of a site's machine; nothing is sent yet.

        ``courier`` carries files as the administrator. ``at_deadline`` is called, for two seconds at most, when a
        command outlives its deadline and before it is ended. ``fence`` is called before every command, and raises when
        the machine is not ours any more, as a lease's ``check``. Raises AuthoringError when the account or its password
        is missing.
        """

        def endpoint(level: AccountLevel) -> Endpoint:
            if level not in site.accounts:
                raise HarnessError(f"the site {site.name!r} has no {level} account; add [accounts.{level}] to its file")
            named = site.accounts[level]
            return Endpoint(entry.address, site.winrm, named.user, named.password.read())

        return cls(
            endpoint(account),
            machine=entry.path.rpartition("/")[2],
            courier=courier,
            at_deadline=at_deadline,
            others=endpoint,
            fence=fence,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def wait_until_ready(
        self, within: float | None = None, *, reverted: bool = False, refusal_grace: float = waits.REFUSAL_GRACE
    ) -> None:
        """Wait until the guest takes commands, ``within`` seconds (600 unless told otherwise), and learn its facts.

        To be called again after a revert or restart. With ``reverted`` a guest that was in use before is not ready: it
        is from before the revert. Raises GuestUnreachable when the budget is used up or such a guest does not go away,
        and GuestRefused when a right-looking log-in is still refused ``refusal_grace`` seconds after its first refusal.
        """
        self._shell.forget()
        self._delivery.forget()
        self._facts = self._marks = None
        marks = Marks()

        def ask(left: float) -> None:
            answers = self._ask((*asking.QUESTIONS, *marks.questions), deadline=left, patience=0.0)
            facts = asking.read_facts(answers[: len(asking.QUESTIONS)], machine=self.machine)
            marks.read(answers[len(asking.QUESTIONS) :])
            if reverted and marks.found:
                self._shell.close()  # a guest that answers counts its shells
                raise waits.GuestStale(
                    f"the Windows that answers is not as its snapshot: it is in use since {marks.used_since}",
                    machine=self.machine,
                    advice="look whether the revert happened, whether the address is another machine's, and whether "
                    f"the snapshot was taken of a machine in use (with {USED} in it)",
                )
            self._facts, self._marks = facts, marks
            self._shell.remembers = True

        self._until_it_answers(ask, 600.0 if within is None else within, refusal_grace)

    def has_restarted(self, within: float) -> bool:
        """Tell whether Windows has started anew since it was ready; one that is starting is waited for.

        Costs nothing while it still knows our shell. Raises GuestUnreachable, GuestRefused after ``within`` seconds.
        """
        if self._marks is None or not self._marks.planted:
            return False
        answers: list[Outcome] = []
        self._until_it_answers(
            lambda left: answers.extend(self._ask([CHECK], deadline=left, patience=0.0)), within, waits.REFUSAL_GRACE
        )
        return not self._shell.remembers and not self._marks.is_there(answers[-1])

    @property
    def forgot(self) -> bool:
        """Whether the guest has forgotten a shell since it was ready, as it does when it restarts."""
        return not self._shell.remembers

    def _until_it_answers(self, ask: Callable[[float], None], budget: float, refusal_grace: float) -> None:
        """Wait for the port, then call ``ask`` with the seconds it may take, until that succeeds."""
        self._shell.disconnect()
        self._shell.prepare()
        until = self._clock() + budget
        ended: list[SiteError] = []
        knocks = waits.until_the_guest_is_ready(
            budget,
            grace=refusal_grace,
            retry=lambda error: error not in ended and _may_pass(error),
            clock=self._clock,
            sleep=self._sleep,
        )

        def knock() -> None:
            # a last knock is listened to as well: cut off, it would hide what was wrong until then
            last = max(until, self._clock() + waits.BRISK)
            while True:
                try:
                    self._fence()
                except SiteError as error:
                    ended.append(error)
                    raise
                part = min(last, self._clock() + waits.LOOK_UP)
                try:
                    self._await_port(part)
                    break
                except GuestUnreachable:
                    if part >= last:
                        raise
            ask(min(REQUEST, max(1.0, until - self._clock())))

        try:
            knocks(knock)
        except SiteError as error:
            self._shell.forget()
            if error in ended or not _may_pass(error) or isinstance(error, waits.GuestStale):
                raise
            raise GuestUnreachable(
                f"not ready within {budget:g} s; at last: {error.problem}",
                machine=self.machine,
                advice=f"{error.advice}; is {self.address} its address, is WinRM on {self._endpoint.port}?",
            ) from error

    def facts(self) -> Facts:
        """Tell what the guest says that it is; read once, when it became ready."""
        if self._facts is None:
            self._facts = asking.read_facts(self.run_each(asking.QUESTIONS), machine=self.machine)
        return self._facts

    def skew(self) -> Skew | None:
        """Tell how far its clock is from ours, from what it has answered lately; None when its answers carry no date.

        Nothing is sent for it.
        """
        return self._shell.sightings.skew

    def set_clock(self) -> Skew | None:
        """Set its clock by ours, as an administrator, and tell how far it is now; a clock that stays wrong is no error.

        cmd's own commands come first, for they start nothing; PowerShell, where there is one, is for what they refuse.
        """
        for attempt in range(watch.ATTEMPTS):
            line = watch.setting(self.run_each(watch.QUESTIONS), time.time())
            if attempt == watch.ATTEMPTS - 1 and "powershell" in self.facts().has:
                line = watch.setting_by_powershell(time.time())
            self.run(line, deadline=30.0)
            self.run("ver")  # whose answer is dated
            skew = self.skew()
            if skew is None or skew.least <= watch.TOLERANCE:
                break
        return skew

    def run(self, command: str, *, deadline: float = 60.0, directory: str | None = None, cap: int = CAP) -> Outcome:
        """Run a command line of cmd.exe, in ``directory`` if given, and wait for its end.

        ``cap`` is in characters of each stream; of more the head and the tail are kept. Raises Hung when it outlives
        ``deadline`` (seconds; it is ended then, with its process tree), GuestLost, GuestRefused.
        """
        line = f'cd /d "{directory}" && {command}' if directory else command
        return self._shell.run(line, deadline=deadline, cap=cap)

    def listen(
        self, command: str, heard: Callable[[Received], None], *, deadline: float, directory: str | None = None
    ) -> Outcome:
        """Run a command as ``run`` does for a person who hears its output as it comes, and whose Ctrl-C ends it."""
        line = f'cd /d "{directory}" && {command}' if directory else command
        return self._shell.run(line, deadline=deadline, heard=heard)

    def photograph(self) -> None:
        """Have the console's picture taken as at a deadline: of a program that does not end, and nobody waits for."""
        take_picture(self._at_deadline)

    def run_each(self, commands: Sequence[str], *, deadline: float = 60.0) -> list[Outcome]:
        """Run several queries in one round trip, each with its own exit code and output.

        A command that cannot be joined with others (with ``!``, ``exit``, or special characters in quotes) costs a
        round trip of its own; ``deadline`` is for each of them. For questions, not installers: they share one cmd,
        which finds Windows' own programs whatever became of PATH. One that does not end is no product's fault: the
        guest is lost then.
        """
        return self._ask(commands, deadline=deadline)

    def ask(self, question: str, *, deadline: float = 60.0, directory: str | None = None, cap: int = CAP) -> Outcome:
        """Run one query of the harness's own as ``run_each`` does, with the same limits and errors as ``run``.

        Raises Hung, too: who asks may do without the answer.
        """
        line = f'cd /d "{directory}" && {question}' if directory else question
        return self._alone(line, deadline=deadline, cap=cap)

    def as_account(self, account: AccountLevel) -> Guest:
        """Give the same guest as another account; its shell is closed with this one."""
        if self._others is None:
            raise HarnessError(f"{self.machine}: this guest knows no other account; make it with Guest.of")
        if self._others(account) == self._endpoint:
            return self
        if account not in self._siblings:
            self._siblings[account] = Guest(
                self._others(account),
                machine=self.machine,
                at_deadline=self._at_deadline,
                others=self._others,
                fence=self._fence,
                delivery=self._delivery,
                clock=self._clock,
                sleep=self._sleep,
            )
        return self._siblings[account]

    def deliver(self, file: Path, *, sha256: str) -> str:
        """Bring a file into the guest's cache, verified, and return its path there; see ``Delivery.deliver``."""
        return self._delivery.deliver(file, sha256=sha256)

    def fetch(self, guest_path: str, target: Path) -> None:
        """Bring a file out of the guest; the target appears whole or not at all; see ``Delivery.fetch``."""
        self._delivery.fetch(guest_path, target)

    def read_text(self, guest_path: str) -> str:
        """Read a text file of the guest, whatever its encoding; raises DeliveryFailed when it cannot be brought."""
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "text"
            self._delivery.fetch(guest_path, target)
            return decoded(target.read_bytes())

    def hashes(self, files: Mapping[str, int]) -> dict[str, str]:
        """Tell the SHA-256 of files by path, given their sizes; see ``Delivery.hashes``."""
        return self._delivery.hashes(files)

    def place(self) -> Place | None:
        """Tell where the file system's journal of changes is now; None where it keeps none."""
        return read_place(self.ask(QUERY))

    def state(self, scope: Scope = EVERYTHING, *, known: State | None = None, since: Place | None = None) -> State:
        """Take the state of the guest, as far as the scope goes, in as few round trips as the questions fit in.

        ``known`` is an earlier state of the same scope, and ``since`` where the journal of changes was then, in this
        boot: with both, only folders with changes are listed anew.
        """

        def ask(commands: Sequence[str]) -> list[Outcome]:
            return self._ask(commands, deadline=_LISTING_DEADLINE, cap=_LISTING_CAP)

        files = files_since(since, known.files, scope.roots, ask) if known and since else None
        answers = ask_what_is_there(questions(scope, files=files is None), ask)
        state = read_state(scope, answers, account=self.account, files=files)
        return with_members(state, known, ask)

    @property
    def round_trips(self) -> int:
        """How many WinRM messages this account's shell has sent on the critical path."""
        return self._shell.messages

    def close(self) -> None:
        """Delete the shells of every account; raises nothing."""
        for sibling in self._siblings.values():
            sibling.close()
        self._shell.close()

    def _ask(
        self, commands: Sequence[str], *, deadline: float, cap: int = 16 * CAP, patience: float | None = None
    ) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for joined in several.joined(commands):
            try:
                if len(joined.commands) == 1:
                    outcomes.append(self._alone(joined.commands[0], deadline=deadline, cap=cap, patience=patience))
                else:
                    whole = self._shell.run(joined.line, deadline=deadline, cap=cap, patience=patience)
                    outcomes += joined.outcomes(whole)
            except Hung as hung:
                asked = "; ".join(joined.commands)
                raise GuestLost(
                    f"it did not answer our own questions within {deadline:g} s: {asked[:200]}",
                    machine=self.machine,
                    advice="look at its console, and at what keeps it busy",
                ) from hung
        return outcomes

    def _alone(self, command: str, *, deadline: float, cap: int, patience: float | None = None) -> Outcome:
        outcome = self._shell.run(several.alone(command), deadline=deadline, cap=cap, patience=patience)
        return replace(outcome, command=command)

    def _await_port(self, until: float) -> None:
        """Knock on the port only: a booting guest refuses or drops that at next to no cost."""
        try:
            with Knocks(self.address, self._endpoint.port, clock=self._clock, sleep=self._sleep) as knocks:
                knocks.until_it_opens(until)
        except OSError as error:
            raise GuestUnreachable(
                f"nothing answers on {self.address}:{self._endpoint.port} ({error.strerror or error})",
                machine=self.machine,
                advice="look at its console in vSphere",
            ) from error


def _may_pass(error: BaseException) -> bool:
    """Whether a booting guest may get over it; a wrong site file never passes, and a refusal has its own grace."""
    return (
        isinstance(error, SiteError) and not isinstance(error, GuestRefused) and not isinstance(error.__cause__, Unfit)
    )
