r"""Registry paths that stand in a program as they are, whoever wrote it: ``Software\...``, in one byte a letter or two.

Compilers end texts in many ways, and some not at all: what is found may be longer than the key, which is then asked for
in vain. Scripts and lists that a program carries double their backslashes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

FROM_START, FROM_END = 8 << 20, 1 << 20
"""Bytes of a file that are looked through: its program comes first, what was hung on last."""

MOST = 8
"""Paths that are believed: a runtime names some of its own, and each is asked for."""

SHORTEST = 5
"""Letters of a value's name that is believed to stand in a file for its own sake."""

_TOPS = ("software\\", "system\\")
_ROOT = re.compile(rb"hk(?:lm|cu|cr|ey_local_machine|ey_current_user|ey_classes_root)\\{1,2}$")
_LONGEST_ROOT = 22  # bytes of HKEY_LOCAL_MACHINE and its backslashes
_NARROW = re.compile(rb"[\x20-\x21\x23-\x26\x28-\x3b\x3d\x3f-\x5c\x5e-\x7e]{10,230}")
_WIDE = re.compile(rb"(?:[\x20-\x21\x23-\x26\x28-\x3b\x3d\x3f-\x5c\x5e-\x7e]\0){10,230}")
_OF_RUNTIMES = re.compile(r"\\time zones|\\(?:currentversion|session manager|control\\nls)$|%[sdv]", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Mentioned:
    """The names, in small letters, that stand in a file: of a value in a key that others made, they say whose it is."""

    file: Path

    def __contains__(self, name: object) -> bool:
        if not isinstance(name, str) or len(name) < SHORTEST:
            return False
        small = _looked_through(self.file).lower()
        forms = (name, name.replace("\\", r"\\"))
        return any(form.encode(code, "replace") in small for form in forms for code in ("utf-8", "utf-16-le"))


def registry_paths(file: Path) -> frozenset[str]:
    """Give the paths that stand in a file, with their root where that is written before them; raises OSError."""
    return paths_in(_looked_through(file))


def _looked_through(file: Path) -> bytes:
    with file.open("rb") as stream:
        content = stream.read(FROM_START)
        if (size := file.stat().st_size) > FROM_START:
            stream.seek(max(FROM_START, size - FROM_END))
            content += stream.read(FROM_END)
    return content


def paths_in(content: bytes) -> frozenset[str]:
    """Give the paths that stand in some bytes, the last ones where there are many."""
    told = [found.decode("ascii").replace("\0", "") for found in _beginnings(content)]
    paths = (re.sub(r"\\+", r"\\", one).rstrip("\\ ") for one in told)
    return frozenset(list(dict.fromkeys(one for one in paths if not _OF_RUNTIMES.search(one)))[-MOST:])


def _beginnings(content: bytes) -> Iterator[bytes]:
    """Give what stands where a path begins; sought in small letters, for a pattern of any letters is slow."""
    small = content.lower()
    for top in _TOPS:
        for mark, letters in ((top.encode(), _NARROW), (top.encode("utf-16-le"), _WIDE)):
            at = -1
            while (at := small.find(mark, at + 1)) >= 0:
                root = _ROOT.search(small[max(0, at - _LONGEST_ROOT) : at])
                if found := letters.match(content, at - len(root[0]) if root else at):
                    yield found[0]
