"""Output is kept within bounds, whatever is printed."""

from __future__ import annotations

import tracemalloc

from harness.guest.output import Output


def test_memory_stays_near_the_cap() -> None:
    """Fifty million characters cost about as much memory as the cap."""
    piece = b"x" * 99_998 + b"\r\n"
    output = Output(1_000_000)
    tracemalloc.start()
    try:
        for _ in range(500):
            output.feed(piece)
        text = output.text()
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 6_000_000
    assert output.left_out == 500 * 99_999 - 1_000_000
    assert len(text) < 1_000_100


def test_output_within_the_cap_is_whole() -> None:
    """Nothing is left out of what fits, also when it is fed in many pieces."""
    output = Output(1000)
    for number in range(100):
        output.feed(b"%09d\n" % number)
    assert output.text() == "".join(f"{number:09d}\n" for number in range(100))
    assert output.left_out == 0
