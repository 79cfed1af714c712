"""The one error of every reader here, and the border at which the errors of foreign readers become it."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class Unreadable(ValueError):
    """The file is not what its reader reads, or a damaged one; the message completes "unreadable, because ..."."""


@contextmanager
def reading(file: Path, what: str) -> Iterator[None]:
    """Turn whatever a foreign reader makes of a hostile file into Unreadable.

    Readers of binary formats meet every kind of bad number: no list of what they raise has ever been complete, and
    fuzzing finds the next one. Only what is no error of the file passes: Ctrl-C and our own Unreadable.
    """
    try:
        yield
    except Unreadable:
        raise
    except OSError as error:
        # a library's own "this is no such file" is an OSError without a number
        words = (error.strerror or str(error) or type(error).__name__).rstrip(".")
        raise Unreadable(f"{file.name} is not {what}: {words[:1].lower()}{words[1:]}") from error
    except (struct.error, IndexError, KeyError, EOFError) as error:
        raise Unreadable(f"{file.name} is not {what}, or it is cut off") from error
    except (RecursionError, MemoryError) as error:
        raise Unreadable(f"{file.name} is not {what}: its parts refer to each other without end") from error
    except Exception as error:
        words = str(error).splitlines()[0].rstrip(".") if str(error) else type(error).__name__
        raise Unreadable(f"{file.name} is not {what}: {words[:200]}") from error
