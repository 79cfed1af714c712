"""Rows of words in columns, as the subcommands print them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.results.text import inert


def table(rows: Sequence[Sequence[str]]) -> Iterator[str]:
    """Lay rows of words out in columns, each as wide as its longest word; every row has a word for every column.

    What a guest has said may stand in them: it is shown, and does nothing in a terminal.
    """
    rows = [[inert(word) for word in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        yield "  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip()
