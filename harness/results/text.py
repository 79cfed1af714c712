"""Text out of a guest, made fit to be read: nothing in it acts, hides, or grows without end."""

from __future__ import annotations

import codecs
import re
from itertools import chain


def _shown() -> dict[int, str]:
    pictures = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\t\n"} | {0x7F: "\u2421"}
    codes = chain(
        range(0x80, 0xA0),  # the second set of control characters
        (0xAD, 0x61C, 0x180E, 0xFEFF, 0xFFFE, 0xFFFF),
        range(0x200B, 0x2010),  # no width, left-to-right, right-to-left
        range(0x2028, 0x202F),  # line separators, embeddings and overrides
        range(0x2060, 0x2070),  # isolates and the invisible operators
        range(0xFFF9, 0xFFFC),
        range(0xE0000, 0xE0080),  # tags
    )
    return pictures | {code: f"[U+{code:04X}]" for code in codes} | dict.fromkeys(range(0xD800, 0xE000), "\ufffd")


_SHOWN = _shown()
_UNSEEN = re.compile("[" + "".join(map(re.escape, map(chr, _SHOWN))) + "]")
_LONGEST = 2_000  # what a guest says may be megabytes
_ORDERS = re.compile(r"##(?=vso\[|\[)", re.IGNORECASE)
_BEGINS = re.compile(r"^(\s*)(?:::\s*)+")


def visible(text: str) -> str:
    """Show what would act or hide: control characters become pictures, direction marks their code point."""
    if text.isascii() and text.isprintable():
        return text
    text = text.replace("\r\n", "\n")
    return text.translate(_SHOWN) if _UNSEEN.search(text) else text


def inert(text: str) -> str:
    """Make one line for a log out of a text: shown as ``visible`` has it, an order to nobody.

    GitHub obeys a line that begins with ``::``, Azure DevOps ``##vso[`` and ``##[`` wherever they stand.
    """
    line = visible(text).replace("\n", " ").replace("\t", " ")
    return _BEGINS.sub(r"\1", _ORDERS.sub("## ", line))


def shown(text: str) -> str:
    """Make one line of a text for a terminal, as ``inert`` has it, of no more characters than a person reads there."""
    return inert(clipped(text, _LONGEST))


def clipped(text: str, most: int) -> str:
    """Cut a text that is too long for where it stands, and say how long it was."""
    return text if len(text) <= most else f"{text[:most]}… ({len(text):,} characters in all)"


def decoded(content: bytes) -> str:
    """Read text as Windows writes it: UTF-16 with or without its mark, UTF-8, else the Western code page."""
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return content.decode("utf-16", "replace")
    if content[1:400:2].count(0) > len(content[:400]) // 4:
        return content.decode("utf-16-le", "replace")
    try:
        return content.removeprefix(codecs.BOM_UTF8).decode("utf-8")
    except UnicodeDecodeError as error:
        # a cut at the read limit may fall inside of a character: that alone does not make it another encoding
        if error.start >= len(content) - 4:
            return content[: error.start].decode("utf-8", "replace")
        return content.decode("cp1252", "replace")
