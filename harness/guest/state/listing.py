"""What ``dir /s /a /-c`` prints, read without knowing the guest's language.

Dates, day times, column widths and the words around a folder's name differ from locale to locale. Two things do not:
the folder that was asked for stands in the first heading, which shows what is before and after a folder's name; and
every folder lists itself as ``.``, which shows the column where names begin.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_ITSELF = re.compile(r"^\S.*<[^>]+>\s+(?=\.$)", re.MULTILINE)
_MARK = re.compile(r"<([^<>]+)>\s*$")
# some locales pad the month or day with a blank
_DATED = re.compile(r" ?\d")
_SIZE = re.compile(r"(?:^|\s)([0-9]{1,20})\s*$")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file or folder: ``stamp`` is its time as the guest prints it; ``size`` is in bytes, None for a folder."""

    size: int | None
    stamp: str

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder, a junction or a link to one."""
        return self.size is None


def read_listings(listings: Iterable[tuple[str, str]]) -> Mapping[str, Entry]:
    """Read pairs of the folder asked for and what ``dir`` printed; gives entries by full path.

    Raises ValueError when a listing has entries but none shows where names begin.
    """
    asked = [(root, printed) for root, printed in listings if printed.strip()]
    column = next((len(found.group()) for _, printed in asked if (found := _ITSELF.search(printed))), None)
    heading = _heading(asked)
    entries: dict[str, Entry] = {}
    for root, printed in asked:
        folder = root.rstrip("\\")
        for line in printed.splitlines():
            if heading and (named := heading.match(line)):
                folder = named["folder"].rstrip("\\")
            elif _DATED.match(line):
                if column is None:
                    raise ValueError(f"cannot tell where names begin in the listing of {root}: {line}")
                _read_entry(entries, folder, line[:column], line[column:])
    return entries


def _read_entry(entries: dict[str, Entry], folder: str, columns: str, name: str) -> None:
    if name in (".", ".."):
        return
    if marked := _MARK.search(columns):
        # a junction or link is printed with its target behind it
        plain = name if marked[1] == "DIR" else re.sub(r" \[[^\]]*\]$", "", name)
        entries[f"{folder}\\{plain}"] = Entry(None, columns[: marked.start()].strip())
    elif sized := _SIZE.search(columns):
        entries[f"{folder}\\{name}"] = Entry(int(sized[1]), columns[: sized.start()].strip())


def _heading(asked: Iterable[tuple[str, str]]) -> re.Pattern[str] | None:
    """Learn from a folder that we asked for what a heading looks like."""
    for root, printed in asked:
        folder = root.rstrip("\\")
        if len(folder) <= 2:  # "C:" occurs in other lines too
            continue
        # a variable is printed replaced, by what begins with a drive and ends before the rest of the path
        asked_for = re.compile(r"(?:[A-Za-z]:\\.*)?".join(map(re.escape, re.split(r"%[^%]+%", folder))), re.IGNORECASE)
        for line in printed.splitlines():
            found = None if _DATED.match(line) else asked_for.search(line)
            if found and re.match(r"[A-Za-z]:\\", found[0]):
                before, after = line[: found.start()], line[found.end() :]
                return re.compile(f"^{re.escape(before)}(?P<folder>[A-Za-z]:.*){re.escape(after)}$")
    return None
