"""A run puts itself into a history at its end, and is none the worse for one that cannot be reached."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from harness.results.run import RunFolder

_Answer = TypeVar("_Answer")

PATIENCE = 120.0  # seconds: the clients of buckets try again for many minutes, and nobody waits for them at a run's end


class NotReachedError(Exception):
    """A history could not be asked, in one line."""


def added(folder: RunFolder, url: str, *, within: float = PATIENCE) -> str:
    """Put a run into a history; says in one line that it is there, or why it is not and what to do then."""

    def put() -> bool:
        from harness.results.history.opening import opened
        from harness.results.history.rows import Source, rows

        return opened(url).put(rows(Source.of(folder)))

    try:
        new = asked(put, within=within)
    except NotReachedError as error:
        return f"not added to the history: {error}; add it later with: wincompat history add {folder.path} --at {url}"
    return f"added to the history {url}" if new else f"the history {url} has it already"


def asked(question: Callable[[], _Answer], *, within: float = PATIENCE) -> _Answer:
    """Ask a history something in so many seconds; raises NotReachedError for whatever goes wrong."""
    answers: list[_Answer] = []
    troubles: list[BaseException] = []

    def ask() -> None:
        try:
            answers.append(question())
        except BaseException as error:  # noqa: BLE001 - it is told to who asked
            troubles.append(error)

    asking = threading.Thread(target=ask, name="history", daemon=True)
    asking.start()
    asking.join(within)
    if troubles:
        lines = str(troubles[0]).strip().splitlines() or [type(troubles[0]).__name__]
        raise NotReachedError(lines[0]) from troubles[0]
    if not answers:
        raise NotReachedError(f"it did not answer within {within:g} s")
    return answers[0]
