r"""Where the shortcuts lead that a product has brought: one that starts a program which is not there helps nobody.

The layout is that of [MS-SHLLINK]. Read is only the path that a shortcut to a file of this machine holds; of advertised
ones, of those to places without a path, and of web pages nothing is said.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import DeliveryFailed
from harness.expectations.wording import plain

if TYPE_CHECKING:
    from harness.expectations import Phase
    from harness.guest.guest import Guest

MOST = 5
"""Shortcuts that are brought and read."""

_HEADER = 76  # bytes; as a number it is also how every shortcut begins
_HAS_LIST, _HAS_INFO = 0x1, 0x2
_HAS_LOCAL_PATH = 0x1
_SMALLEST = 28  # bytes of what is said about the path


def leading_nowhere(guest: Guest, phase: Phase) -> Iterator[tuple[str, str]]:
    """Give new shortcuts whose target, in a folder that is listed as a whole, is not there: both paths."""
    new = [change.subject for change in phase.since_clean if change.area == "shortcut" and change.did == "added"]
    for path in [one for one in new if one.lower().endswith(".lnk")][:MOST]:
        with tempfile.TemporaryDirectory(prefix="wincompat-") as folder:
            brought = Path(folder, "shortcut")
            try:
                guest.fetch(path, brought)
            except DeliveryFailed:
                continue
            target = target_of(brought.read_bytes())
        if target and not phase.has_file(plain(target)):
            yield path, target


def target_of(shortcut: bytes) -> str:
    """Read the path that a shortcut leads to; empty where it holds none, or is damaged."""

    def word(at: int, size: int = 4) -> int:
        return int.from_bytes(shortcut[at : at + size], "little")

    if word(0) != _HEADER or not word(20) & _HAS_INFO:
        return ""
    start = _HEADER + (2 + word(_HEADER, 2) if word(20) & _HAS_LIST else 0)
    if len(shortcut) < start + max(word(start), _SMALLEST) or not word(start + 8) & _HAS_LOCAL_PATH:
        return ""
    wide = word(start + 4) >= 0x24 and word(start + 28)
    if wide:
        begin = start + wide
        path, end, _ = shortcut[begin : begin + 1040].decode("utf-16-le", "replace").partition("\0")
    else:
        begin = start + word(start + 16)
        path, end, _ = shortcut[begin : begin + 520].decode("cp1252", "replace").partition("\0")
    # one that is cut, or in letters of another code page than ours, would be another path
    return path if end and (wide or path.isascii()) else ""
