"""Files of a person's own: made while a version is there, and looked for when another has taken its place."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ProductFailed
from harness.scenarios.bringing import put

if TYPE_CHECKING:
    from harness.guest.guest import Guest
    from harness.products import UserFile


def make(guest: Guest, files: Iterable[UserFile]) -> None:
    """Put files where a person would have them; raises DeliveryFailed, MachineFailed."""
    for file in files:
        with tempfile.TemporaryDirectory(prefix="wincompat-") as folder:
            here = Path(folder) / "made-by-a-person.txt"
            here.write_text(file.text, "utf-8")
            folder_there, _, name = file.path.rpartition("\\")
            put(guest, here, folder_there, name)


def look_for(guest: Guest, files: Iterable[UserFile], *, after: str) -> None:
    """Raise ProductFailed for a file that is gone or is not as it was."""
    for file in files:
        outcome = guest.run(f'type "{file.path}"')
        if not outcome.ok:
            words = f"after {after}: the user's own file {file.path} is gone"
            raise ProductFailed(words, code="user-file-lost", subject=file.path)
        if outcome.stdout.strip() != file.text.strip():
            words = f"after {after}: the user's own file {file.path} was changed"
            raise ProductFailed(words, code="user-file-lost", subject=file.path)
