"""Which programs run on a guest, by the names of their files."""

from __future__ import annotations

import csv
from collections.abc import Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from harness.guest.guest import Guest

_NOT_FOUND = 128  # taskkill, where no process has this name (Microsoft's reference of taskkill; Wine's says the same)


def running(guest: Guest, images: Collection[str], *, may_disturb: bool) -> tuple[str, ...] | None:
    """Tell which of these programs (``setup.exe``) run; None where the guest cannot tell without disturbing them.

    A guest whose ``tasklist`` tells nothing, as a lab's, is asked to close their windows: who is not there is told.
    """
    wanted = sorted({image.lower() for image in images})
    if not wanted:
        return ()
    told = guest.run("tasklist /fo csv /nh").stdout
    names = {row[0].lower() for row in csv.reader(told.splitlines()) if len(row) > 1}
    if names:
        return tuple(image for image in wanted if image in names)
    if not may_disturb:
        return None
    answers = guest.run_each([f'taskkill /im "{image}"' for image in wanted])
    return tuple(image for image, answer in zip(wanted, answers, strict=True) if answer.exit_code != _NOT_FOUND)
