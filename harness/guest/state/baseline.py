"""The state that a snapshot begins with, and what it changes by itself: learned once and kept, cell after cell.

Every revert brings the same guest back. Its state is therefore taken in the first cell that wants it, together with a
*null run*: the steps of a scenario with no installer, after which whatever has changed is noise. A second cell looks
once more, because what differs from boot to boot is noise as well. From then on a cell begins with what is known, for
free.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from filelock import FileLock
from pydantic import TypeAdapter, ValidationError

from harness.guest.state.differences import changes
from harness.guest.state.noise import Learned
from harness.guest.state.taking import EVERYTHING, Scope, questions
from harness.guest.state.things import State

if TYPE_CHECKING:
    from harness.guest.guest import Guest

ENOUGH = 2
"""Boots that a snapshot's state is taken in before it is believed without looking."""

_FORMAT = "3"  # of what is kept; another one is taken anew


@dataclass(frozen=True, slots=True)
class Baseline:
    """What a guest is like before anything is done to it, and what changes there by itself."""

    state: State
    learned: Learned
    boots: int


def baselines_folder() -> Path:
    """Name where this user's baselines are kept, one place for every checkout."""
    cache = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA")
    return (Path(cache) if cache else Path.home() / ".cache") / "pytest-wincompat" / "baselines"


class Baselines:
    """The baselines of snapshots, in a folder that every process of this user shares."""

    def __init__(self, folder: Path | None = None, *, tell: Callable[[str], None] = lambda _: None) -> None:
        self._folder = folder or baselines_folder()
        self._tell = tell

    def of(self, guest: Guest, snapshot: str | None, *, scope: Scope = EVERYTHING) -> Baseline:
        """Give the baseline of a guest that was just reverted to a snapshot, or take it.

        ``snapshot`` says which one beyond doubt, with its machine, vCenter and the time it was taken; None for a guest
        of which that is not known, whose baseline is taken and not kept. Where nothing can be kept, as for an account
        without a home, each cell takes its own. Raises what taking a state raises.
        """
        if snapshot is None:
            return _first(guest, scope)
        known_by = "\0".join((_FORMAT, snapshot, guest.account.casefold(), *questions(scope.first)))
        name = hashlib.sha256(known_by.encode()).hexdigest()[:32]
        place = self._folder / f"{name}.json"
        lock = FileLock(place.with_suffix(".lock"))
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            lock.acquire()  # one learns, the others wait: they would see the same
        except OSError as error:
            self._tell_not_kept(error)
            return _first(guest, scope)
        try:
            known = _kept(place)
            if known is None:
                known = _first(guest, scope)
                self._tell("the state of this snapshot was taken for the first time, with a null run")
            elif known.boots < ENOUGH:
                again = changes(known.state, guest.state(scope), learned=known.learned)
                known = Baseline(known.state, known.learned | Learned.of(again), known.boots + 1)
            else:
                return known
            try:
                _keep(place, known)
            except OSError as error:
                self._tell_not_kept(error)
        finally:
            lock.release()
        return known

    def _tell_not_kept(self, error: OSError) -> None:
        why = f"the state of this snapshot cannot be kept in {self._folder} ({error.strerror})"
        self._tell(f"{why}, which makes each cell take it anew: XDG_CACHE_HOME names another place for it")


def _first(guest: Guest, scope: Scope) -> Baseline:
    before = guest.state(scope.first)
    _null_run(guest)
    return Baseline(before, Learned.of(changes(before, guest.state(scope))), boots=1)


def _null_run(guest: Guest) -> None:
    """Do what scenarios do besides installing: bring a file, run commands as both kinds of program."""
    with tempfile.TemporaryDirectory(prefix="wincompat-") as folder:
        nothing = Path(folder) / "null-run.txt"
        nothing.write_text("brought by a run without a product\n", "utf-8")
        guest.deliver(nothing, sha256=hashlib.sha256(nothing.read_bytes()).hexdigest())
    guest.run("msiexec /x {00000000-0000-0000-0000-000000000000} /qn /norestart")
    guest.run("ver")


_FORM = TypeAdapter(Baseline)


def _kept(place: Path) -> Baseline | None:
    try:
        return _FORM.validate_json(place.read_bytes())
    except FileNotFoundError:
        return None
    except (ValidationError, OSError):
        return None  # half written by a version or a disk that is no more: it is only taken anew


def _keep(place: Path, baseline: Baseline) -> None:
    part = place.with_suffix(".part")
    part.write_bytes(_FORM.dump_json(baseline))
    part.replace(place)
