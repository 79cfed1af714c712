"""Text files from Windows, in whichever encoding they were written."""

from __future__ import annotations

import codecs


def decoded(content: bytes) -> str:
    r"""Decode by byte order mark, else as UTF-8, else as Windows-1252; line ends become ``\n``.

    MSI logs are UTF-16, most others UTF-8 or the ANSI code page; UTF-16 without a mark is known by its zero bytes.
    """
    return _text(content).replace("\r\n", "\n")


def _text(content: bytes) -> str:
    if content.startswith(codecs.BOM_UTF16_LE):
        return content[2:].decode("utf-16-le", "replace")
    if content.startswith(codecs.BOM_UTF16_BE):
        return content[2:].decode("utf-16-be", "replace")
    if content.startswith(codecs.BOM_UTF8):
        return content[3:].decode("utf-8", "replace")
    start = content[:1000]
    if len(start) > 1 and start[1::2].count(0) > len(start) // 4 and start[::2].count(0) == 0:
        return content.decode("utf-16-le", "replace")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode("cp1252", "replace")
