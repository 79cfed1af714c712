"""``--keep``: a machine stays as a cell left it, with a snapshot, and leased for a time, for somebody to look at it."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from harness.errors import SiteError
from harness.results.result import Kept, Verdict

if TYPE_CHECKING:
    from harness.machines.machine import Machine
    from harness.plugin.exchange import Posted
    from harness.plugin.record import Record
    from harness.plugin.settings import Keep

KEPT_FOR: dict[Keep, frozenset[Verdict]] = {
    "none": frozenset(),
    "failed": frozenset({Verdict.FAILED, Verdict.HUNG}),
    "all": frozenset({Verdict.FAILED, Verdict.HUNG, Verdict.BLOCKED}),
}
"""Which verdicts keep a machine. One that was kept serves no other cell, hence never after a cell that passed."""

_LONGEST_NAME = 80  # characters of a snapshot's name


def is_wanted(keep: Keep, record: Record) -> bool:
    """Whether a cell's machine is to be kept; not for a finding that is known, nor when the cell wants one again."""
    if record.judgement is None or record.known_issue is not None or record.again:
        return False
    return record.judgement.verdict in KEPT_FOR[keep]


def keep_machine(
    record: Record, machine: Machine, posted: Posted, seconds: float, holds: Callable[[float, str], None]
) -> None:
    """Keep the machine of a cell that is over; ``holds`` keeps others from it for some seconds, for a reason.

    What cannot be done is noted, for the cell has its verdict.
    """
    from harness.machines.machine import KEPT

    assert record.judgement is not None  # noqa: S101 - a cell without a verdict keeps no machine
    run = posted.run.name
    reason = f"{record.name} of run {run}: {record.judgement.verdict}"
    try:
        holds(seconds, reason)
    except SiteError as error:
        record.notes.append(f"the machine could not be kept: {error}")
        return
    name = KEPT + re.sub(r"[^\w.]+", "-", f"{run}-{record.name}").strip("-")
    snapshot = name[:_LONGEST_NAME]
    try:
        machine.snapshot(snapshot, why=f"{reason}. {record.judgement.reason}"[:500])
    except SiteError as error:
        snapshot = ""
        record.notes.append(f"the machine is kept without a snapshot: {error}")
    words = [str(posted.site), machine.path]
    record.kept = Kept(
        machine=machine.name,
        until=datetime.now(UTC) + timedelta(seconds=seconds),
        snapshot=snapshot,
        attach=shlex.join(["wincompat", "attach", *words]),
        release=shlex.join(["wincompat", "release", *words]),
    )
