"""Which executables of a guest are to be looked at by their content: SHA-256 where size and time may say too little.

To hash is to start a program for each file, so it is done for few: what was there without the product and has another
size or time since, which names what it was replaced by; and, where a later look is to be compared with this one, what
the product brought itself. From then on a file is known by its content: other content is seen behind the same size and
time, and a new time over the same content is no change. Not seen is a file of others' that was rewritten with its size,
and whose time was set back: what it held before nobody has read. ``dir`` tells times to the minute.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from harness.guest.state.change import Change
from harness.guest.state.things import State

ENDINGS = (".exe", ".dll", ".sys", ".ocx", ".scr", ".cpl", ".drv", ".com", ".msi", ".node", ".pyd")

MOST = 50
"""Files of one look; of more, those that others had come first."""


def worth_hashing(
    since_clean: Iterable[Change], now: State, *, again: Collection[str] = (), new: bool = False
) -> dict[str, int]:
    """Name the executables whose content is to be told, with their sizes in bytes.

    ``since_clean`` is what differs from the guest without the product. ``again`` are files that were hashed before;
    ``new`` asks for those that the product has brought, too.
    """
    of_files = [change for change in since_clean if change.area == "file" and change.subject.lower().endswith(ENDINGS)]
    others = [change.subject for change in of_files if change.did == "changed"]
    own = [change.subject for change in of_files if change.did == "added"] if new else []
    wanted = {path: now.files[path].size for path in (*others, *again, *own) if path in now.files}
    return dict([(path, size) for path, size in wanted.items() if size is not None][:MOST])
