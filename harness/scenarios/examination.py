"""Looking at the guest around each phase, and holding what the installer did to it against the rules."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from harness.errors import ProductFailed
from harness.expectations import Cause, Finding, Phase, findings
from harness.expectations.wording import LISTED_WHOLE
from harness.guest.access import open_to_all
from harness.guest.state import Scope
from harness.guest.state.executables import worth_hashing
from harness.packages.named_keys import named_keys
from harness.products.leftovers import as_glob, literally
from harness.scenarios.named_entries import NamedEntries
from harness.scenarios.own_keys import own_keys, with_own_keys
from harness.scenarios.removing import gone_by_itself
from harness.scenarios.shortcuts import leading_nowhere
from harness.scenarios.survivors import begun, survivors

if TYPE_CHECKING:
    from harness.expectations.phase import What
    from harness.guest.guest import Guest
    from harness.guest.state import State
    from harness.guest.state.baseline import Baseline
    from harness.guest.state.journal import Place
    from harness.products import Package, Product
    from harness.scenarios.telling import Keeper

SHOWN = 3
"""Findings that a reason names; the others are counted."""

_GRAVEST = tuple(map(Cause, ("rollback", "permission", "signature", "reboot", "hang", "crash", "compatibility")))
"""Causes in the order in which they are told; the rules of causes have them in the same one."""

_OF_RUNNING = {"refused installation": Cause.PERMISSION, "failed upgrade": Cause.ROLLBACK}

OWN_ROOTS = (
    r"%USERPROFILE%\*",
    r"%USERPROFILE%\Desktop",
    r"%USERPROFILE%\AppData\Local\*",
    r"%USERPROFILE%\AppData\Local\Programs",
    r"%USERPROFILE%\AppData\Local\Temp\*",
    r"%USERPROFILE%\AppData\Roaming\*",
    r"%USERPROFILE%\AppData\Roaming\Microsoft\Windows\Start Menu",
)
"""Where an installer that is run by somebody leaves things of that person's own."""

Begins = Callable[["Guest", Scope], "Baseline"]


class Examination:
    """One guest under examination; ``begins`` gives what it is like without the product, from one that is clean."""

    def __init__(self, guest: Guest, product: Product, keeper: Keeper, begins: Begins, *, scope: Scope) -> None:
        self._guest = guest
        self._product = product
        self._keeper = keeper
        self._begins = begins
        self._scope = scope
        self.judges_registry = True
        self.restart_asked = False
        self.uninstaller = ""
        self._clean: Baseline | None = None
        self._place: Place | None = None
        self._last: State | None = None
        self._with_old: State | None = None
        self._own_keys: tuple[str, ...] = ()
        self._named: NamedEntries | None = None
        self._went_on: frozenset[str] = frozenset()
        self._found: list[Finding] = []

    def begin(self) -> None:
        """Learn what the guest is like now, before anything was done to it."""
        self._clean = self._begins(self._guest, self._scope)
        self._last = self._clean.state
        self._named = NamedEntries(self._guest, self._clean.state)
        # the journal's numbers are this boot's own, wherever the rest was learned
        self._place = self._guest.place() if self._clean.state.place is not None else None

    def watch(self, package: Package) -> None:
        """Ask for what a package names and a look would not tell; to be called before it is run."""
        if self._named is not None and self.judges_registry:
            self._named.watch(named_keys(package.file, self._product.kind))

    @property
    def went_on(self) -> tuple[str, ...]:
        """Programs that the installer had begun and that still ran at the last look, whether they have ended since."""
        return tuple(sorted(self._went_on))

    @property
    def last(self) -> State | None:
        """The guest's state as it was seen last, None before the first look."""
        return self._last

    def after(
        self,
        what: What,
        version: str,
        *,
        old: str = "",
        spared: Sequence[str] = (),
        whole: bool = True,
        contents: bool = False,
    ) -> None:
        """Take the guest's state after a phase, keep what has changed as evidence, and what breaks a rule as findings.

        ``spared`` are files of a person's own, which stay with the folders they are in. In the middle of a scenario,
        what its end shows as well need not be asked for: then the look is not a ``whole`` one. With ``contents`` the
        product's own executables and registry keys are known by their content from then on.
        Nothing is raised: a scenario goes on to its end, and `conclude` says what was found.
        """
        assert self._clean is not None, "an examination begins with the clean guest"
        assert self._last is not None
        scope = self._scope if whole else self._scope.in_between
        if not self._clean.state.programs:
            scope = replace(scope, programs=False)  # this guest does not tell them
        clean, before = self._clean.state, self._last
        now = self._guest.state(scope, known=clean, since=self._place)
        if what == "uninstall" and gone_by_itself(self._guest, self.uninstaller, now):
            now = self._guest.state(scope, known=clean, since=self._place)
        if whole and self._named is not None:
            clean, before, now = self._named.unseen(clean), self._named.completed(before), self._named.seen(now)
        if what in ("upgrade", "downgrade"):
            self._with_old = before
        entry = self._product.proofs_of(version).uninstall_entry
        phase = Phase(
            what=what,
            version=version,
            old=old,
            clean=clean,
            before=before,
            after=now,
            learned=self._clean.learned,
            registers=entry.display_version if entry else None,
            allows=lambda subject: (
                self._product.allows_leftover(subject)
                or _holds(subject, spared)
                or (self._keeps_empty_folders and _was_emptied(subject, before) and self._is_empty(subject))
            ),
            judges_registry=self.judges_registry,
            restart_asked=self.restart_asked,
            # Windows Installer writes quotes around the path of a service, and Wine's does not
            judges_service_paths=not (self._product.kind == "msi" and self._guest.facts().is_lab),
            replaced=self._with_old,
        )
        name = f"{what.replace(' ', '-')}-{version}.txt"
        if contents:
            self._own_keys = own_keys(phase)
        if self._own_keys:
            now = with_own_keys(self._guest, now, self._own_keys)
            phase = replace(phase, after=now)
        if asked := worth_hashing(phase.since_clean, now, again=before.hashes, new=contents):
            now = replace(now, hashes=self._guest.hashes(asked))
            phase = replace(phase, after=now)
            sums = "".join(f"{sha256} *{path}\n" for path, sha256 in now.hashes.items())
            self._keeper.keep(f"executables-{name}", sums or "not told\n")
        self._last = now
        self._keeper.keep(f"changes-{name}", "".join(f"{change}\n" for change in phase.done) or "nothing\n")
        for finding in (
            *self._still_running(phase),
            *findings(phase),
            *self._open_to_all(phase),
            *self._lead_nowhere(phase),
        ):
            self.add(finding)
        if what == "uninstall" and (left := [f for f in self._found if f.code == "left-behind"]):
            self._keeper.keep("left-behind.txt", "".join(f"{finding.sentence}\n" for finding in left))

    @property
    def _keeps_empty_folders(self) -> bool:
        """Whether this guest's Windows Installer leaves folders that it has emptied: Wine's does, Windows' does not."""
        return self._product.kind == "msi" and self._guest.facts().is_lab

    def _is_empty(self, folder: str) -> bool:
        """Whether there is no file in a folder nor below it; not all of them are looked into."""
        return not self._guest.ask(f'dir /s /b /a-d "{folder}" 2>nul').stdout.strip()

    def _still_running(self, phase: Phase) -> Iterator[Finding]:
        """Look for programs of the product's that go on after the installer has ended, unless they are to."""
        if phase.what == "refused downgrade" or "machine" not in self._scope.hives:
            return
        # by wmic, where there is no other way, only what an EXE may have begun is looked for: it takes long
        listed = self._product.kind == "exe" and phase.what != "refused installation"
        expected = self._product.stays_running
        suspects = begun(self._guest, phase, expected=expected, listed=listed)
        self._went_on = suspects or frozenset()
        for image in survivors(self._guest, phase, suspects, expected=expected):
            words = f"after {phase} {image} still runs"
            cause = _OF_RUNNING.get(phase.what, Cause.PACKAGING)
            yield Finding(code="process-left", cause=cause, sentence=words, subject=image)

    def _open_to_all(self, phase: Phase) -> Iterator[Finding]:
        """Look for folders of the machine that everybody may write to since."""
        if phase.what not in ("install", "upgrade", "downgrade") or "icacls" not in self._guest.facts().has:
            return
        for path, who in (open_to_all(self._guest, _new_folders(phase)) or {}).items():
            words = f"after {phase} {who} may write to {path}"
            yield Finding(code="open-to-all", cause=Cause.PERMISSION, sentence=words, subject=path)

    def _lead_nowhere(self, phase: Phase) -> Iterator[Finding]:
        """Look for shortcuts of the product's to programs that are not there."""
        if phase.what not in ("install", "upgrade", "downgrade"):
            return
        for path, target in leading_nowhere(self._guest, phase):
            words = f"after {phase} the shortcut {path} leads to {target}, which is not there"
            yield Finding(code="shortcut-without-target", cause=Cause.PACKAGING, sentence=words, subject=path)

    def add(self, finding: Finding) -> None:
        """Take up what was found, by whomever."""
        # the same thing is seen again in every later phase; it is told once
        if not any(_tells(known, finding) for known in self._found):
            self._found.append(finding)
            self._keeper.finding(finding)

    def conclude(self) -> None:
        """Raise ProductFailed with what was found, if anything was."""
        if self._found:
            more = len(self._found) - SHOWN
            words = "; ".join(finding.sentence for finding in sorted(self._found, key=_gravity)[:SHOWN])
            raise ProductFailed(words + (f"; and {more} more" if more > 0 else ""), code="broke-rules")


def _tells(known: Finding, finding: Finding) -> bool:
    """Whether what is known says it already: Windows removes a program that still runs when it starts next."""
    image = finding.subject.rpartition("\\")[2]
    runs_on = (known.code, finding.code) == ("process-left", "restart-untold")
    return (known.code, known.subject) == (finding.code, finding.subject) or (
        runs_on and known.subject.casefold() == image.casefold()
    )


def _gravity(finding: Finding) -> int:
    """Put what the cause is decided by first: a reason that names other things misleads."""
    order = (*_GRAVEST, Cause.PACKAGING, Cause.LEFTOVER)
    return order.index(finding.cause) if finding.cause in order else len(order)


def _holds(subject: str, files: Sequence[str]) -> bool:
    """Whether this is one of the files, or a folder above one; variables in their paths mean any account's."""
    folded = subject.casefold()
    lines = ([one, *_above(one)] for one in (as_glob(literally(file)).casefold() for file in files))
    return any(fnmatchcase(folded, one) for line in lines for one in line)


def _above(path: str) -> Iterator[str]:
    while "\\" in (path := path.rpartition("\\")[0]):
        yield path


def _was_emptied(folder: str, before: State) -> bool:
    """Whether files lay in this folder, or below it, before the phase: what never held one nobody has emptied.

    Of a folder that no state looks into, as in a person's AppData, nobody can tell, and it may have.
    """
    inside = f"{folder}\\".casefold()
    if not inside.startswith(LISTED_WHOLE):
        return folder in before.files
    return any(path.casefold().startswith(inside) and not entry.is_folder for path, entry in before.files.items())


def _new_folders(phase: Phase) -> tuple[str, ...]:
    """Name the topmost folders of the machine that are there since, and none that belongs to a person."""
    new = sorted(path for path, entry in phase.after.files.items() if entry.is_folder and path not in phase.clean.files)
    top = [path for path in new if path.rpartition("\\")[0] not in new]
    return tuple(path for path in top if not path.lower().startswith(("c:\\users\\", "c:\\wincompat")))
