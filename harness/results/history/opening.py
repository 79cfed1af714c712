"""A history is opened by its URL; what it needs is an extra, and is only asked for then."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.errors import AuthoringError

if TYPE_CHECKING:
    from harness.results.history.store import History

NEEDS = frozenset({"pyarrow", "fsspec"})


def opened(url: str) -> History:
    """Open a history; raises AuthoringError where what it needs is not installed."""
    try:
        from harness.results.history.store import History
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] in NEEDS:
            raise AuthoringError(
                f"a history needs {error.name}, which is not installed: pip install 'pytest-wincompat[history]'"
            ) from error
        raise
    return History(url)
