"""What our clones carry in their settings: whose they are, and until when they are surely wanted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pyVmomi import vim

PREFIX = "wincompat."


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """The mark of a clone.

    ``run`` names the run, ``holder`` the cell and who runs it, ``source`` the machine that it is of, ``once`` is of
    this one clone alone. A living run moves ``until`` ahead all the time, by the vCenter's clock: where it is past, the
    run is dead. ``kept`` says why a clone outlives its run.
    """

    run: str
    holder: str
    source: str
    once: str
    until: datetime
    kept: str = ""

    def over(self, now: datetime) -> bool:
        """Tell whether nobody wants the clone any more; ``now`` is the vCenter's time."""
        return self.until <= now

    def options(self) -> list[Any]:
        """Write the mark as settings of a machine."""
        words = {name: getattr(self, name) for name in ("run", "holder", "source", "once", "kept")}
        words["until"] = self.until.isoformat(timespec="seconds")
        return options({PREFIX + name: value for name, value in words.items()})


def mark_in(settings: Iterable[Any] | None) -> Mark | None:
    """Read the mark in a machine's settings (``config.extraConfig``); None for a machine that is no clone of ours."""
    found = {one.key: str(one.value) for one in settings or () if str(one.key).startswith(PREFIX)}
    try:
        until = datetime.fromisoformat(found[PREFIX + "until"])
        words = {name: found[PREFIX + name] for name in ("run", "holder", "source", "once")}
    except (KeyError, ValueError):
        return None
    return Mark(**words, until=until, kept=found.get(PREFIX + "kept", "")) if until.tzinfo is not None else None


def options(words: Mapping[str, str]) -> list[Any]:
    """Write settings as vSphere wants them."""
    return [vim.option.OptionValue(key=key, value=value) for key, value in words.items()]
