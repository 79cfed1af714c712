"""The rules for PATH: everybody's programs are found by it, and every installer may write it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from harness.expectations.finding import Finding, packaging
from harness.expectations.phase import Phase
from harness.expectations.wording import plain
from harness.guest.state import Change, SearchPath

PATH_LIMIT = 2047
"""Characters of PATH that every program of Windows copes with: the limit of its own dialog and of older setx."""


def keeps_path(phase: Phase) -> Iterator[Finding]:
    """Find what PATH has lost: other entries, the way they are written, their order, its type."""
    for change in phase.since_clean:
        for scope in ("system", "user"):
            match change:
                case Change(area=area, did="removed", subject=entry) if area == f"{scope} PATH entry":
                    if now := _written_anew(phase, area, entry):
                        words = f"{phase} rewrote {entry} in the {scope} PATH as {now}"
                        yield packaging("path-entry-rewritten", words, entry)
                    else:
                        yield packaging("path-entry-lost", f"{phase} took {entry} out of the {scope} PATH", entry)
                case Change(area=area, subject=now) if area == f"{scope} PATH order":
                    yield packaging("path-order", f"{phase} changed the order of the {scope} PATH: {now[:200]}", scope)
                case Change(area=area, subject=how) if area == f"{scope} PATH type":
                    words = f"{phase} changed the type of the {scope} PATH ({how}): variables in it are not replaced"
                    yield packaging("path-type", words if "-> REG_SZ" in how else words.partition(":")[0], scope)


def _written_anew(phase: Phase, area: str, entry: str) -> str:
    """Give what an entry was replaced by that means the same folder, or nothing."""
    added = (change.subject for change in phase.since_clean if change.area == area and change.did == "added")
    return next((now for now in added if plain(now) == plain(entry)), "")


def path_is_sound(phase: Phase) -> Iterator[Finding]:
    """Find entries that are in PATH twice, in quotes or without their folder, and a PATH beyond its limit."""
    for scope, was, now in _paths(phase):
        known = Counter(map(plain, was.entries))
        for entry, times in Counter(map(plain, now.entries)).items():
            if times > 1 and times > known[entry]:
                yield packaging("path-entry-twice", f"{phase} left {entry} {times} times in the {scope} PATH", entry)
        for entry in dict.fromkeys(one for one in now.entries if known[plain(one)] == 0):
            if '"' in entry:
                words = (
                    f"{phase} put {entry} into the {scope} PATH with its quotes: programs that read PATH do not find it"
                )
                yield packaging("path-entry-quoted", words, entry)
            if unset := [name for name in re.findall(r"%([^%]+)%", entry) if not phase.has_variable(name)]:
                words = f"{phase} put {entry} into the {scope} PATH, and nothing sets %{unset[0]}%"
                yield packaging("path-variable-unset", words, entry)
            elif not phase.has_file(plain(entry)):
                words = f"{phase} put {entry} into the {scope} PATH, which is not there"
                yield packaging("path-entry-without-folder", words, entry)
        if now.length > PATH_LIMIT >= was.length:
            words = f"{phase} made the {scope} PATH {now.length} characters long; programs cut it at {PATH_LIMIT}"
            yield packaging("path-length", words, scope)


def _paths(phase: Phase) -> Iterator[tuple[str, SearchPath, SearchPath]]:
    yield "system", phase.clean.system_path, phase.after.system_path
    yield "user", phase.clean.user_path, phase.after.user_path
