r"""What Windows itself tells of changed files: NTFS keeps a journal, and ``fsutil usn`` reads it since a known place.

The cost grows with what changed and not with the disk: each folder in which something changed is listed anew, all
others are as they were known. The forms are those of ``fsutil usn queryjournal`` and ``readjournal ... csv`` (Windows
8.1 and later), read by order and by digits, because their words are in the guest's language. A record names its folder
by a number, which ``fsutil file queryFileNameById`` turns into a path.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Self

from harness.guest.figures import figure, rows
from harness.guest.outcome import Outcome
from harness.guest.state.listing import Entry, read_listings

DRIVE = "%SystemDrive%"
QUERY = f"fsutil usn queryjournal {DRIVE}"

MOST_FOLDERS = 400
"""Folders with changes beyond which listing everything is cheaper."""

_NUMBER = re.compile(r":\s*(0x[0-9a-f]+|\d+)\s*$", re.IGNORECASE | re.MULTILINE)
_RECORD = re.compile(r"^(?:0x[0-9a-f]+|\d+),", re.IGNORECASE)
_IDENTITY = re.compile(r"(?:0x)?[0-9a-f]{16}(?:[0-9a-f]{16})?", re.IGNORECASE)
_PATH = re.compile(r"\\\\\?\\([A-Za-z]:\\.*?)\s*$", re.MULTILINE)

Ask = Callable[[Sequence[str]], list[Outcome]]


@dataclass(frozen=True, slots=True)
class Place:
    """A place in a journal: which journal it is, and the number of the next record.

    Good for one boot: after a revert the same numbers are given to other records.
    """

    journal: int
    next: int


def read_place(answer: Outcome) -> Place | None:
    """Read the answer to QUERY; None where there is no journal, or no ``fsutil`` that knows one."""
    # its number, the first record, the next record; then limits
    journal, _, following = (*map(figure, _NUMBER.findall(answer.stdout)), None, None, None)[:3]
    return Place(journal, following) if answer.ok and journal is not None and following is not None else None


def files_since(place: Place, known: Mapping[str, Entry], roots: Sequence[str], ask: Ask) -> dict[str, Entry] | None:
    """Give the files below the roots as they are now, from what was known at a place of the journal.

    None where the journal does not reach back so far, is another one, tells too much, or cannot be read: then
    everything has to be listed.
    """
    told, now, *named = ask([f"fsutil usn readjournal {DRIVE} csv startusn={place.next}", QUERY, *map(_echo, roots)])
    current = read_place(now)
    folders = read_folders(told.stdout) if told.ok and not told.truncated else None
    if folders is None or current is None or current.journal != place.journal or len(folders) > MOST_FOLDERS:
        return None
    answers = (
        ask([f"fsutil file queryFileNameById {DRIVE} 0x{folder}" for folder in sorted(folders)]) if folders else []
    )
    # a folder that has gone has no name any more; that it went is told of the folder above it
    paths = [found[1].rstrip("\\") for answer in answers if (found := _PATH.search(answer.stdout))]
    places = Roots.of(answer.stdout.strip() for answer in named)
    return _with_news(known, [path for path in paths if places.list(path)], places, ask)


@dataclass(frozen=True, slots=True)
class Roots:
    """Folders that are listed: themselves alone, or with all that is below them. In small letters, no variables."""

    flat: frozenset[str]
    deep: frozenset[str]

    @classmethod
    def of(cls, roots: Iterable[str]) -> Self:
        """Sort roots as a state names them, their variables replaced."""
        folded = [root.casefold() for root in roots]
        flat = frozenset(root.removesuffix("*").rstrip("\\") for root in folded if root.endswith("*"))
        return cls(flat, frozenset(root.rstrip("\\") for root in folded if not root.endswith("*")))

    def list(self, folder: str) -> bool:
        """Whether the content of a folder is part of a state."""
        return folder.casefold() in self.flat or self.list_below(folder)

    def list_below(self, folder: str) -> bool:
        """Whether a folder is part of a state with all that is below it."""
        return any(above in self.deep for above in _upwards(folder.casefold()))


def read_folders(printed: str) -> set[str] | None:
    """Read the folders in which something changed, as numbers in hexadecimal; None when a record cannot be read."""
    folders: set[str] = set()
    for line in printed.splitlines():
        if not _RECORD.match(line) or "," not in line:
            continue
        fields = next(rows(line), [])
        # the file's own number and its folder's stand side by side, at a place that differs between versions
        numbered = [_IDENTITY.fullmatch(field) is not None for field in fields]
        pairs = [fields[at + 1] for at, both in enumerate(pairwise(numbered)) if all(both)]
        if not pairs:
            return None
        folders.add(pairs[0].lower().removeprefix("0x").lstrip("0") or "0")
    return folders


def _with_news(known: Mapping[str, Entry], folders: Sequence[str], roots: Roots, ask: Ask) -> dict[str, Entry] | None:
    listed = _listed(folders, ask, "dir /a /-c")
    if listed is None:
        return None
    changed = {folder.casefold() for folder in folders}
    files = {path: entry for path, entry in known.items() if _above(path.casefold()) not in changed} | listed
    there = {path.casefold() for path in files}
    gone = {path.casefold() for path, entry in known.items() if entry.is_folder} - there
    files = {path: entry for path, entry in files.items() if gone.isdisjoint(_upwards(path.casefold()))}
    # a folder that was moved here brings its content along without a record for it
    was = {path.casefold() for path in known}
    moved = [
        path for path, it in listed.items() if it.is_folder and path.casefold() not in was and roots.list_below(path)
    ]
    below = _listed(moved, ask, "dir /s /a /-c")
    return None if below is None else files | below


def _listed(folders: Sequence[str], ask: Ask, command: str) -> dict[str, Entry] | None:
    answers = ask([f'{command} "{folder}\\"' for folder in folders]) if folders else []
    try:
        return dict(read_listings([(folder, answer.stdout) for folder, answer in zip(folders, answers, strict=True)]))
    except ValueError:
        return None


def _above(path: str) -> str:
    return path.rpartition("\\")[0]


def _upwards(path: str) -> Iterator[str]:
    while path:
        yield path
        path = _above(path)


def _echo(root: str) -> str:
    return f"echo {root}"
