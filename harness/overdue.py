"""Answers that take too long in all: a socket notices silence only, and what comes byte by byte is never silent."""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

GRACE = 1.0
"""Seconds more than were allowed: plain silence is noticed by the socket itself, which is first then."""


class Overdue(TimeoutError):
    """An answer was not complete in time, though it may have been coming all along."""


@contextmanager
def broken_off(after: float, connection: Callable[[], socket.socket | None]) -> Iterator[None]:
    """Break a connection off that is still at its answer after so many seconds, however much of it has come.

    ``connection`` is asked for the socket then, and as long again later while there is none. Raises Overdue in place of
    what the broken connection raises, or of what it was read as.
    """
    alone = threading.Lock()
    is_over = threading.Event()
    is_late = threading.Event()

    def watch() -> None:
        while not is_over.wait(after + GRACE):
            with alone:  # a connection whose answer is here belongs to somebody else by now
                if is_over.is_set() or (busy := connection()) is None:
                    continue
                is_late.set()
                with contextlib.suppress(OSError):
                    # not the method of a TLS socket, which would go on in plain text
                    socket.socket.shutdown(busy, socket.SHUT_RDWR)
                return

    threading.Thread(target=watch, name="overdue", daemon=True).start()
    try:
        yield
    except Exception as error:
        if is_late.is_set():
            raise Overdue(_told(after)) from error
        raise
    else:
        with alone:
            is_over.set()
        if is_late.is_set():  # a reader may take the end of the connection for the end of the answer
            raise Overdue(_told(after))
    finally:
        with alone:
            is_over.set()


def _told(after: float) -> str:
    return f"the answer was not complete after {after:.3g} s"
