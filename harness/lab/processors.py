"""Which of the host's processors a guest runs on.

Wine's programs and its server take turns at every step, so they are twice as fast on one processor as on two: there is
nobody to wake. A guest is a machine with one processor, therefore, and several guests share all of the host's.
"""

from __future__ import annotations

import os


class Processors:
    """The processors this process may use, and how many guests run on each."""

    def __init__(self) -> None:
        self._guests = dict.fromkeys(sorted(os.sched_getaffinity(0)), 0)

    def take(self) -> int:
        """Choose the processor with the fewest guests for one more."""
        chosen = min(self._guests, key=self._guests.__getitem__)
        self._guests[chosen] += 1
        return chosen

    def give_back(self, processor: int) -> None:
        """Note that a guest on this processor is off."""
        self._guests[processor] -= 1
