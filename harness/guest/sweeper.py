"""Gives finished commands back to the guest, off the critical path."""

from __future__ import annotations

import contextlib
import threading
from queue import SimpleQueue

from harness.guest.transport import Transport, TransportError

_WITHIN = 5.0


class Sweeper:
    """Signals ``terminate`` for commands that are done, on a connection and in a thread of its own.

    Windows keeps a finished command, and counts it against a quota of 1,500 operations, until it is signalled so or its
    shell is deleted. Nobody needs to wait for that, and nothing is lost when it fails.
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport
        self._done: SimpleQueue[tuple[str, str] | None] = SimpleQueue()
        self._thread: threading.Thread | None = None
        self._closed = threading.Event()

    def sweep(self, shell_id: str, command_id: str) -> None:
        """Note a finished command; returns at once."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._work, name="sweeper", daemon=True)
            self._thread.start()
        self._done.put((shell_id, command_id))

    def close(self, *, wait: float = 0.0) -> None:
        """Stop after the signal under way, waiting for it for ``wait`` seconds at most.

        Commands still noted are given back when their shell is deleted.
        """
        self._closed.set()
        if self._thread is not None:
            self._done.put(None)
            self._thread.join(wait)

    def _work(self) -> None:
        try:
            while (noted := self._done.get()) is not None and not self._closed.is_set():
                try:
                    self._transport.signal(*noted, "terminate", within=_WITHIN)
                except TransportError:
                    with contextlib.suppress(TransportError):
                        self._transport.disconnect()
        finally:
            self._transport.disconnect()
