"""A command's output, kept within bounds whatever the command prints."""

from __future__ import annotations

import codecs
import io
from collections import deque


class Output:
    r"""One stream of a command, fed in pieces: UTF-8 decoded, line ends made ``\n``, head and tail kept.

    ``cap`` is in characters. Memory stays near the cap however much arrives: half of it is kept from the beginning and
    half from the end, with one line in between that says how much was left out.
    """

    def __init__(self, cap: int) -> None:
        decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._decoder = io.IncrementalNewlineDecoder(decoder, translate=True)
        self._room = cap - cap // 2
        self._head: list[str] = []
        self._tail: deque[str] = deque()
        self._tail_cap = cap // 2
        self._tail_length = 0
        self.left_out = 0

    def feed(self, piece: bytes, *, final: bool = False) -> None:
        """Take the next bytes as they came; a character or a line end may be split between two pieces."""
        text = self._decoder.decode(piece, final=final)
        if self._room:
            self._head.append(text[: self._room])
            text, self._room = text[self._room :], max(0, self._room - len(text))
        if text:
            self._tail.append(text)
            self._tail_length += len(text)
            # whole pieces go as soon as what follows them fills the tail; text() trims the one that is left half
            while self._tail_length - len(self._tail[0]) >= self._tail_cap:
                self._drop(len(self._tail[0]))
                self._tail.popleft()

    def text(self) -> str:
        """Give what was kept, as text."""
        self.feed(b"", final=True)
        tail = "".join(self._tail)
        if excess := len(tail) - self._tail_cap if len(tail) > self._tail_cap else 0:
            tail = tail[excess:]
            self._tail = deque([tail])
            self._drop(excess)
        gap = f"\n[... {self.left_out} characters left out ...]\n" if self.left_out else ""
        return "".join(self._head).removeprefix("\ufeff") + gap + tail

    def _drop(self, length: int) -> None:
        self._tail_length -= length
        self.left_out += length
