"""Room for guests that are booted ahead."""

from __future__ import annotations

from harness.lab.shelf import Shelf


def test_the_oldest_makes_room() -> None:
    """No more stand ready than there is room for: the one that has waited longest is cleared away, once."""

    async def clear() -> None:
        raise AssertionError("only handed out here")

    shelf = Shelf(room=2)
    assert shelf.put("a", clear) is None
    assert shelf.put("b", clear) is None
    assert shelf.put("c", clear) is clear  # a's
    shelf.take("b")
    assert shelf.put("d", clear) is None
    assert shelf.put("e", clear) is clear  # c's
