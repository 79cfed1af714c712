"""Seeing some properties of one object as they change: by events, never by asking again and again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from http.client import HTTPException
from typing import Any

from pyVmomi import vmodl

from harness.machines.session import Session
from harness.machines.stub import NotUnderstood
from harness.machines.waits import less_than_a_second


def changing(session: Session, thing: Any, *paths: str, patience: Callable[[], float]) -> Iterator[dict[str, Any]]:
    """Give the properties as they are, then again at each change and after each ``patience()`` seconds without one.

    Ends when ``patience()`` is not more than nothing. An unset property is absent. The waiting is the vCenter's: below
    the socket's time-out, so that silence means a dead vCenter.
    """
    query = vmodl.query.PropertyCollector
    renewed = session.stub.session
    collector = session.content.propertyCollector.CreatePropertyCollector()
    try:
        collector.CreateFilter(
            query.FilterSpec(
                objectSet=[query.ObjectSpec(obj=thing, skip=False)],
                propSet=[query.PropertySpec(type=type(thing), all=False, pathSet=list(paths))],
            ),
            True,
        )
        version = ""
        longest = session.site.budgets.request * 2 / 3
        while (left := patience()) > 0:
            whole = int(min(longest, left))
            if whole == 0 and version:
                less_than_a_second(left)
            update = collector.WaitForUpdatesEx(version, query.WaitOptions(maxWaitSeconds=whole))
            version = update.version if update is not None else version
            yield session.read(thing, *paths)
    except vmodl.fault.ManagedObjectNotFound as gone:
        # a session that was renewed has lost its collectors: what is asked from now on is asked anew
        if session.stub.session == renewed or getattr(gone.obj, "_moId", None) != collector._moId:
            raise
        yield from changing(session, thing, *paths, patience=patience)
    except (vmodl.query.InvalidCollectorVersion, vmodl.fault.RequestCanceled):
        # what a wait is told whose session was ended in the middle of it; the next call finds that out and logs in
        yield from changing(session, thing, *paths, patience=patience)
    finally:
        with suppress(vmodl.MethodFault, OSError, HTTPException, NotUnderstood):
            collector.DestroyPropertyCollector()
