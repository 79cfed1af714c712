"""Keeping a session alive while nobody speaks: a vCenter ends one that is idle for half an hour."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from http.client import HTTPException
from types import TracebackType
from typing import Self

from pyVmomi import vmodl

from harness.errors import AuthoringError
from harness.machines.session import Session
from harness.machines.stub import NotUnderstood

log = logging.getLogger(__name__)

EVERY = 300.0
"""Seconds without a call after which one is made: some sites end sessions after ten minutes instead of thirty."""


class KeepAlive:
    """A thread that calls when nobody else has for ``every`` seconds; busy sessions are left alone."""

    def __init__(self, session: Session, *, every: float = EVERY, clock: Callable[[], float] = time.monotonic) -> None:
        self._session = session
        self._every = every
        self._clock = clock
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="vcenter-keep-alive", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._over.set()
        # a call that a dead vCenter does not answer ends by its own time-out, and nobody has to wait for that
        self._thread.join(1.0)

    def _left(self) -> float:
        return max(0.0, self._session.stub.used + self._every - self._clock())

    def _run(self) -> None:
        while not self._over.wait(self._left()):
            if self._left() > 0.0:
                continue
            try:
                self._session.touch()
            except (vmodl.MethodFault, OSError, HTTPException, NotUnderstood, AuthoringError) as error:
                # whoever calls next is told, and by a call that matters
                log.debug("keeping the session with the vCenter alive: %s", error)
