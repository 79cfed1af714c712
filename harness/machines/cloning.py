"""The life of one clone: asked for once, marked, kept from being reaped while it is used, destroyed at the end."""

from __future__ import annotations

import contextlib
import logging
import re
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from http.client import HTTPException
from typing import Any

from pyVmomi import vim, vmodl

from harness.errors import HarnessError, MachineFailed, NoMachine, SiteError
from harness.machines.border import Outlived, crossing
from harness.machines.destroying import destroy
from harness.machines.drawing import CLONE, Slot
from harness.machines.inventory import paths_of
from harness.machines.marks import Mark, mark_in
from harness.machines.session import Session
from harness.machines.stub import NeverSent, NotUnderstood
from harness.machines.survey import time_of
from harness.machines.tasks import Tasks
from harness.machines.waits import NameTaken, NoCloneYet, until_the_clone_shows, until_the_name_is_free

log = logging.getLogger(__name__)

WANTED = timedelta(minutes=6)
"""How long a clone is wanted after the last word of its run: longer than a vCenter may be away for a restart of one."""

_RENEWALS = 3
_CLONE_TASK = "clone"  # part of the description id of CloneVM_Task and InstantClone_Task

Ask = Callable[[str, Any, Mark], Any]
"""Asks the source for a clone of this name, in this folder, with this mark, and gives the task."""


class Birth:
    """One clone on its way, from the question to the machine, so that it can be found whatever breaks meanwhile."""

    def __init__(self, session: Session, tasks: Tasks, source: Any, folder: Any, name: str, mark: Mark) -> None:
        self._session = session
        self._tasks = tasks
        self._source = source
        self._folder = folder
        self.name = name
        self.mark = mark
        self.vm: Any = None
        self._asked = False
        self._known: set[str] = set()

    def ask(self, ask: Ask) -> Any:
        """Ask once and give the clone; when the connection breaks, look for it instead of asking again."""
        recent = self._session.read(self._source, "recentTask").get("recentTask", ())
        self._known = {task._moId for task in recent}
        self._asked = True
        try:
            task = ask(self.name, self._folder, self.mark)
        except (NeverSent, vmodl.MethodFault, HarnessError):
            self._asked = False  # refused, or not even sent
            raise
        except (OSError, HTTPException, NotUnderstood) as lost:
            self._asked = False  # looked for once, and long enough: what shows later is the reaper's
            self.vm = self._found(lost)
            return self.vm
        try:
            self.vm = self._tasks.wait(task, within=self._session.site.budgets.task)
        except vmodl.MethodFault:
            self._asked = False  # it has ended, and without a clone
            raise
        return self.vm

    def left_behind(self) -> Any:
        """Give whatever came into being, for an end that came in between; None when there is nothing."""
        if self.vm is None and self._asked:
            with contextlib.suppress(Outlived, vmodl.MethodFault, NotUnderstood, OSError, HTTPException):
                self.vm = self._found(Outlived("it was not waited for"))
        return self.vm

    def _found(self, lost: Exception) -> Any:
        """Find the clone by its name and mark, for as long as a task may be at work on it."""
        budgets = self._session.site.budgets
        failed: list[Exception] = []
        try:
            for attempt in until_the_clone_shows(budgets.request):
                with attempt:
                    self._followed(failed)
                    return self._by_name()
        except NoCloneYet:
            if len(failed) == 1:
                raise failed[0] from lost
            raise Outlived(
                "the connection broke while asking; neither the clone nor a task of it shows; it was not asked again"
            ) from lost
        raise AssertionError("the wait above ends by one of the two")

    def _followed(self, failed: list[Exception]) -> None:
        """Wait for every clone task of the source that began after we asked: one of them may be ours."""
        for task in self._session.read(self._source, "recentTask").get("recentTask", ()):
            if task._moId in self._known:
                continue
            kind = str(self._session.read(task, "info.descriptionId").get("info.descriptionId", ""))
            if _CLONE_TASK not in kind.lower():
                continue
            self._known.add(task._moId)
            try:
                self._tasks.wait(task, within=self._session.site.budgets.task)
            except vmodl.MethodFault as fault:
                failed.append(fault)

    def _by_name(self) -> Any:
        for vm, mark in _called(self._session, self._folder, self.name):
            if mark is not None and mark.once == self.mark.once:
                return vm
        raise NoCloneYet


@contextmanager
def cloned(
    session: Session,
    tasks: Tasks,
    entry: Slot,
    source: Any,
    folder: Any,
    ask: Ask,
    *,
    run: str,
    holder: str,
    tell: Callable[[str], None],
) -> Iterator[Life]:
    """Have a clone of ``source`` until the block ends, and destroy it then whatever happens.

    ``entry`` says which of the clones it is, and its lease is held. ``tell`` hears what went wrong at the end: the
    clone is reaped later. Raises MachineFailed, NoMachine when a living run has this clone; foreign errors are the
    caller's.
    """
    name = name_of(entry)
    mark = Mark(run=run, holder=holder, source=source._moId, once=uuid.uuid4().hex, until=time_of(session) + WANTED)
    birth = Birth(session, tasks, source, folder, name, mark)
    life: Life | None = None
    try:
        _ask_when_free(birth, ask, session, tasks, folder, entry)
        life = Life(session, tasks, birth, name)
        with life:
            yield life
    finally:
        if life is None or not life.kept:
            _end(session, tasks, birth, tell)


def _ask_when_free(birth: Birth, ask: Ask, session: Session, tasks: Tasks, folder: Any, entry: Slot) -> None:
    site = session.site

    def once() -> None:
        try:
            birth.ask(ask)
        except vim.fault.DuplicateName as taken:
            _make_way(session, tasks, folder, birth.name, taken, entry)
            raise NameTaken from taken

    try:
        until_the_name_is_free(site.budgets.lease)(once)
    except NameTaken as error:
        raise NoMachine(
            f"clone {entry.number} of it is in the hands of another run after {site.budgets.lease:g} s",
            machine=entry.path,
            advice="give both controllers one store of leases ([leases] url), or see: wincompat clones SITE",
        ) from error


def _make_way(session: Session, tasks: Tasks, folder: Any, name: str, taken: Exception, entry: Slot) -> None:
    """Destroy what has our clone's name, if it is the clone of a dead run; nobody waits for one that is kept longer."""
    now = time_of(session)
    patience = now + timedelta(seconds=session.site.budgets.lease)
    for vm, mark in _called(session, folder, name):
        if mark is None:
            raise MachineFailed(
                f"a machine that is no clone of ours is called {name!r}",
                machine=name,
                advice="rename it in vSphere, or have clones go elsewhere with clones.folder",
            ) from taken
        if mark.over(now):
            destroy(session, tasks, vm)
        elif mark.kept and mark.until > patience:
            raise NoMachine(
                f"clone {entry.number} of it is kept until {mark.until.astimezone():%Y-%m-%d %H:%M}: {mark.kept}",
                machine=entry.path,
                advice=f"look at it, then give it back: wincompat release SITE {name}",
            ) from taken


def _called(session: Session, folder: Any, name: str) -> Iterator[tuple[Any, Mark | None]]:
    """Find the machines of this name in a folder, each with its mark; FindChild would tell only one of them."""
    with session.everything_of([vim.VirtualMachine], below=folder) as objects:
        rows = session.retrieve(objects, {vim.VirtualMachine: ("name",)})
    for row in rows:
        if any(prop.val == name for prop in row.propSet or ()):
            with contextlib.suppress(vmodl.fault.ManagedObjectNotFound):
                yield row.obj, mark_in(session.read(row.obj, "config.extraConfig").get("config.extraConfig"))


def _end(session: Session, tasks: Tasks, birth: Birth, tell: Callable[[str], None]) -> None:
    """Destroy what came into being; what goes wrong is told, for it must not hide what happened before."""
    try:
        with crossing(session.site, birth.name, "destroying the clone"):
            vm = birth.left_behind()
            if vm is not None:
                destroy(session, tasks, vm)
    except SiteError as error:
        tell(f"{error}; it is reaped after {birth.mark.until:%H:%M:%S}, or by: wincompat clones --reap SITE")


def name_of(entry: Slot) -> str:
    """Name a clone: vSphere takes 80 characters, and one name in a folder once."""
    source = re.sub(r"[^A-Za-z0-9._-]+", "-", entry.path.rpartition("/")[2])
    return f"{CLONE}{source[:60]}-{entry.number}"


class Life:
    """A clone in use: a thread moves the time until which it is wanted ahead."""

    def __init__(self, session: Session, tasks: Tasks, birth: Birth, name: str) -> None:
        self._session = session
        self._tasks = tasks
        self._birth = birth
        self.vm = birth.vm
        self.name = name
        self.kept = False
        self.path = paths_of(session, {self.vm._moId: session.read(self.vm, "name", "parent")})[0].path
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._renew, name=f"keeping {name}", daemon=True)

    def __enter__(self) -> Life:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join(self._session.site.budgets.request)

    def keep(self, seconds: float, reason: str) -> None:
        """Leave the clone where it is at the end, for some seconds from now; raises MachineFailed."""
        with crossing(self._session.site, self.name, "keeping the clone"):
            self._want(time_of(self._session) + timedelta(seconds=seconds), reason)
        self.kept = True

    def _renew(self) -> None:
        while not self._over.wait(WANTED.total_seconds() / _RENEWALS):
            try:
                self._want(time_of(self._session) + WANTED, "")
            except (vmodl.MethodFault, OSError, HTTPException, NotUnderstood, Outlived, HarnessError) as error:
                log.debug("%s: its mark could not be renewed: %s", self.name, error)

    def _want(self, until: datetime, kept: str) -> None:
        mark = self._birth.mark
        fresh = Mark(
            run=mark.run, holder=mark.holder, source=mark.source, once=mark.once, until=until, kept=kept or mark.kept
        )
        task = self.vm.ReconfigVM_Task(vim.vm.ConfigSpec(extraConfig=fresh.options()))
        self._tasks.wait(task, within=self._session.site.budgets.task)
        self._birth.mark = fresh
