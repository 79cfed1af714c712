"""Templates compiled once, not for every report: for a small run that is most of what its page costs."""

from __future__ import annotations

import hashlib
from contextlib import suppress
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import jinja2

if TYPE_CHECKING:
    from jinja2.bccache import Bucket


class Compiled(jinja2.FileSystemBytecodeCache):
    """jinja2's own cache, in a folder that only this user may write to; what goes wrong with it costs time alone."""

    def load_bytecode(self, bucket: Bucket) -> None:
        """Read a template, where it is there and of this very source."""
        try:
            super().load_bytecode(bucket)
        except Exception:  # noqa: BLE001 - half a file may be wrong in any way, and the template is at hand
            bucket.reset()

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep a template; a full disk is no reason to have no report."""
        with suppress(OSError):
            super().dump_bytecode(bucket)


def compiled(*sources: str) -> Compiled | None:
    """Open the cache for environments that the files ``sources`` make; None where there is no place for one.

    jinja2 knows a compiled template by its source, and not by the options it was compiled with: those stand in the
    files that make the environment, so that their digest tells one from the other.
    """
    digest = hashlib.sha256(metadata.version("jinja2").encode())
    for source in sources:
        with suppress(OSError):
            digest.update(Path(source).read_bytes())
    try:
        return Compiled(pattern=f"wincompat-{digest.hexdigest()[:16]}-%s")
    except (OSError, RuntimeError):  # jinja2 finds no folder that is this user's alone
        return None
