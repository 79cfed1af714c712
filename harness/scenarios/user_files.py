"""What a person made: files and settings, while a version is there, looked for when another has taken its place."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import ProductFailed
from harness.guest.registry import query, read_keys
from harness.scenarios.bringing import carry_out, put

if TYPE_CHECKING:
    from harness.guest.guest import Guest
    from harness.products import UserFile, UserValue


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


def set_values(guest: Guest, values: Iterable[UserValue]) -> None:
    """Set registry values as a person would by the product's own means; raises MachineFailed."""
    for one in values:
        carry_out(guest, f'reg add "{one.key}" /v "{one.value}" /t REG_SZ /d "{one.text}" /f')


def look_for_values(guest: Guest, values: Iterable[UserValue], *, after: str) -> None:
    """Raise ProductFailed for a setting that is gone or is not as it was."""
    for one in values:
        held = read_keys(guest.ask(query(one.key)).stdout)
        # the first key that is printed is the one that was asked for, under its long name
        found = next(iter(held.values()), {}).get(one.value.casefold())
        if found is None or found.text != one.text:
            how = "is gone" if found is None else f"was changed to {found.text[:200]}"
            words = f"after {after}: the user's own setting {one.value} in {one.key} {how}"
            raise ProductFailed(words, code="user-setting-lost", subject=rf"{one.key}\{one.value}")
