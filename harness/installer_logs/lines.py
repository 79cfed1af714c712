"""The lines of an installer's log, one after the other, whatever wrote it and however it was torn."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from typing import BinaryIO

LONGEST = 16_384
"""Characters of a line that are kept; of a longer one the rest is dropped and counted."""

_CHUNK = 1 << 20
_SAMPLE = 1 << 16
_SHARE_OF_CONTROLS = 0.02
_CONTROLS = re.compile("[\x01-\x08\x0e-\x1a\x1c-\x1f\x7f\ufffd]")
_MARKS: tuple[tuple[bytes, str], ...] = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)


class NotALog(Exception):
    """What was given cannot be read as text; the words say why, to be put behind "unreadable, because"."""


class Lines:
    """Reads a binary stream as lines of text, a piece at a time.

    The encoding is taken from the byte order mark, else from where zero bytes stand, else UTF-8 is assumed until a
    byte contradicts it, and then ``ansi``, the code page of the Windows that wrote it. What was wrong with the stream
    is told by the counts once it is read: ``cut`` lines longer than LONGEST, ``zeros`` (NUL characters, as a power cut
    leaves them), ``torn`` when the last line has no end, ``broken`` when reading ended with an error.
    """

    def __init__(self, stream: BinaryIO, *, ansi: str = "cp1252") -> None:
        self.encoding = ""
        self.size = 0
        self.count = 0
        self.cut = 0
        self.zeros = 0
        self.torn = False
        self.broken = ""
        self._stream = stream
        self._ansi = ansi

    def __iter__(self) -> Iterator[str]:
        """Give each line without its end; raises NotALog when this is no text at all."""
        rest = ""
        for text in self._texts():
            pieces = text.split("\n")
            pieces[0] = rest + pieces[0]
            rest = pieces.pop()
            self.count += len(pieces)
            for piece in pieces:
                if len(piece) > LONGEST:
                    self.cut += 1
                    yield piece[:LONGEST]
                else:
                    yield piece[:-1] if piece[-1:] == "\r" else piece
            rest = rest[: LONGEST + 1]  # one more than is kept, so that it still counts as cut when its end comes
        if rest:
            self.count += 1
            self.torn = True
            self.cut += len(rest) > LONGEST
            yield rest[:LONGEST].rstrip("\r")

    def damage(self) -> Iterator[str]:
        """Say in words what was wrong with the stream, once it is read."""
        if self.broken:
            yield f"reading ended after {self.size:,} bytes: {self.broken}"
        if self.zeros:
            yield f"holds {self.zeros:,} NUL characters"
        if self.cut:
            yield f"{self.cut:,} {'line is' if self.cut == 1 else 'lines are'} longer than {LONGEST:,} characters"
        if self.torn:
            yield "the last line has no end"

    def _texts(self) -> Iterator[str]:
        first = True
        for text in self._decoded():
            if not text:
                continue
            zeros = text.count("\0")
            if zeros:
                self.zeros += zeros
                text = text.replace("\0", "")
            if first and text:
                first = False
                _refuse_binary(text[:_SAMPLE])
            yield text
        if first:
            raise NotALog(self._empty())

    def _empty(self) -> str:
        if self.broken:
            return f"it cannot be read: {self.broken}"
        return f"it holds nothing but {self.zeros:,} NUL characters" if self.zeros else "it is empty"

    def _decoded(self) -> Iterator[str]:
        start = self._read()
        while start and not start.strip(b"\0"):  # a log whose first blocks never reached the disk
            self.zeros += len(start)
            start = self._read()
        mark, self.encoding = _encoding(start)
        if self.encoding == "utf-8":
            yield from self._as_utf_8_or_ansi(start)
            return
        decoder = codecs.getincrementaldecoder(self.encoding.removesuffix("-sig"))("replace")
        piece = start[mark:]
        while piece:
            yield decoder.decode(piece)
            piece = self._read()
        yield decoder.decode(b"", True)

    def _as_utf_8_or_ansi(self, piece: bytes) -> Iterator[str]:
        decoder: codecs.IncrementalDecoder = codecs.getincrementaldecoder("utf-8")("strict")
        proven = False  # a sequence of several bytes was seen, so a later wrong byte is damage and not another encoding
        while True:
            before = decoder.getstate()[0]
            try:
                text = decoder.decode(piece, not piece)
            except UnicodeDecodeError:
                self.encoding = "utf-8" if proven else self._ansi
                decoder = codecs.getincrementaldecoder(self.encoding)("replace")
                text = decoder.decode(before + piece, not piece)
            yield text
            proven = proven or not text.isascii()
            if not piece:
                return
            piece = self._read()

    def _read(self) -> bytes:
        try:
            piece = self._stream.read(_CHUNK)
        except (OSError, ValueError) as error:  # ValueError: the stream is closed
            self.broken = str(error) or type(error).__name__
            return b""
        self.size += len(piece)
        return piece


def _encoding(start: bytes) -> tuple[int, str]:
    """Tell the length of the byte order mark and the encoding."""
    for mark, name in _MARKS:
        if start.startswith(mark):
            return len(mark), name
    sample = start[:_SAMPLE].strip(b"\0") or start
    sample = start[len(start) - len(start.lstrip(b"\0")) & ~1 :][:_SAMPLE] if sample is not start else start
    even, odd = sample[::2].count(0), sample[1::2].count(0)
    enough = max(1, len(sample) // 100)
    if odd >= enough and odd > 8 * even:
        return 0, "utf-16-le"
    if even >= enough and even > 8 * odd:
        return 0, "utf-16-be"
    return 0, "utf-8"


def _refuse_binary(sample: str) -> None:
    controls = len(_CONTROLS.findall(sample))
    if controls > max(8, len(sample) * _SHARE_OF_CONTROLS):
        raise NotALog(f"it is not text: {controls:,} of its first {len(sample):,} characters are control characters")
