"""Lines out of bytes: encodings, torn ends, zeros, lines without end, and what is no log at all."""

from __future__ import annotations

import codecs
import io
import tracemalloc
from pathlib import Path
from typing import BinaryIO, cast

import pytest

from harness.installer_logs import read_log
from harness.installer_logs.lines import LONGEST, Lines

from .written import failed

TEXT = str(failed().plain("Property(S): ProductName = Grüße, Schwäche, Ωμέγα"))


@pytest.mark.parametrize(
    ("encoding", "mark", "told"),
    [
        ("utf-16-le", codecs.BOM_UTF16_LE, "utf-16-le"),
        ("utf-16-le", b"", "utf-16-le"),
        ("utf-16-be", codecs.BOM_UTF16_BE, "utf-16-be"),
        ("utf-16-be", b"", "utf-16-be"),
        ("utf-8", codecs.BOM_UTF8, "utf-8-sig"),
        ("utf-8", b"", "utf-8"),
    ],
)
def test_every_encoding_reads_the_same(encoding: str, mark: bytes, told: str) -> None:
    """Windows Installer writes UTF-16 with a mark; what a tool wrote again may be anything."""
    reading = read_log(mark + TEXT.encode(encoding))
    assert reading.encoding == told
    assert reading.product == "Grüße, Schwäche, Ωμέγα"
    assert reading.failed is not None
    assert reading.damage == ()


def test_what_is_not_utf_8_is_in_the_code_page_of_the_guest() -> None:
    """The ANSI code page, which the caller may know better."""
    german = str(failed().plain("Property(S): ProductName = Grüße")).encode("cp1252")
    assert read_log(german).product == "Grüße"
    greek = str(failed().plain("Property(S): ProductName = Ωμέγα")).encode("cp1253")
    assert read_log(greek, ansi="cp1253").product == "Ωμέγα"


def test_one_wrong_byte_late_in_a_utf_8_log_is_damage_and_not_another_encoding() -> None:
    """Otherwise all names after it would be garbled."""
    text = "x = ä\n" * 300_000
    raw = bytearray(text.encode())
    raw[-3] = 0xFF
    lines = list(found := Lines(io.BytesIO(bytes(raw))))
    assert found.encoding == "utf-8"
    assert lines[-2] == "x = ä"


def test_a_log_whose_first_byte_is_lost_is_still_read() -> None:
    """UTF-16 shifted by a byte looks like the other one."""
    reading = read_log(TEXT.encode("utf-16-le")[1:])
    assert reading.failed is not None


def test_a_torn_log_keeps_what_it_has() -> None:
    """In the middle of a line, and of a character."""
    raw = codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le")
    reading = read_log(raw[: len(raw) // 2 + 1])
    assert reading.truncated
    assert "the last line has no end" in reading.damage
    assert reading.kind == "windows-installer"


def test_zeros_of_a_power_cut_are_counted_and_left_out() -> None:
    """A file system that had not written its blocks gives zeros, at the end or in front."""
    raw = codecs.BOM_UTF16_LE + TEXT.encode("utf-16-le")
    for torn in (raw + bytes(8192), raw[:600] + bytes(4096) + raw[600:]):
        reading = read_log(torn)
        assert reading.failed is not None
        assert any("NUL" in one for one in reading.damage)
    assert read_log(bytes(2_000_000) + TEXT.encode()).failed is not None


def test_a_line_without_end_costs_only_itself() -> None:
    """Some actions write megabytes into one line."""
    text = TEXT.replace("Rollback: Copying", "Rollback: " + "x" * 10_000_000)
    reading = read_log(text)
    assert reading.rollback == "done"
    assert any(f"longer than {LONGEST:,}" in one for one in reading.damage)
    assert max(map(len, Lines(io.BytesIO(text.encode())))) == LONGEST


class _Endless(io.RawIOBase):
    """A hundred megabytes of one line after a log, of which only the piece that is read exists."""

    def __init__(self) -> None:
        self.left = 100_000_000
        self.head = TEXT.encode()

    def read(self, size: int = -1, /) -> bytes:
        """Give the next piece."""
        if self.head:
            piece, self.head = self.head, b""
            return piece
        count = min(size, self.left)
        self.left -= count
        return b"x" * count


def test_memory_does_not_grow_with_the_log() -> None:
    """Not even with one line that has no end."""
    tracemalloc.start()
    try:
        reading = read_log(cast(BinaryIO, _Endless()))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert reading.failed is not None
    assert reading.size > 100_000_000
    assert peak < 20_000_000


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"", "it is empty"),
        (bytes(100_000), "nothing but 100,000 NUL characters"),
        (b"\xff\xfe", "it is empty"),
        (bytes(range(1, 32)) * 4_000, "it is not text"),
        (b"MZ\x90\x00\x03\x00\x00\x00\x04\x00\x00\x00\xff\xff" * 500, "it is not text"),
    ],
)
def test_what_is_no_log_says_why(content: bytes, why: str) -> None:
    """A reading like any other, never an exception."""
    reading = read_log(content)
    assert reading.unreadable.startswith("unreadable, because ")
    assert why in reading.unreadable


def test_files_that_cannot_be_opened_say_why(tmp_path: Path) -> None:
    """Missing, or a folder."""
    assert read_log(tmp_path / "no.log").unreadable == "unreadable, because there is no such file"
    assert read_log(tmp_path).unreadable == "unreadable, because it is a folder"
    assert "unreadable" in read_log(tmp_path / ("x" * 5_000)).unreadable
    assert "unreadable" in read_log(Path("with\0zero")).unreadable


class _Breaks(io.BytesIO):
    def read(self, _size: int | None = -1, /) -> bytes:
        """Fail after the first piece, as a share that goes away does."""
        if self.tell():
            raise OSError(5, "Input/output error")
        return super().read(4_000)


def test_a_stream_that_breaks_keeps_what_came_before() -> None:
    """And says that it broke."""
    reading = read_log(_Breaks(TEXT.encode() * 10))
    assert reading.failed is not None
    assert reading.truncated
    assert any("Input/output error" in one for one in reading.damage)
