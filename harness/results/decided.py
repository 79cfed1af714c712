"""What a gate decided of a run, in a few words: what a history keeps of it, and what the page of a later run says.

The gate comes after the results and reads them; what it wrote beside them is read here as any other file of the run.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, Self

from pydantic import BaseModel, ValidationError

from harness.results.plan import Plan
from harness.results.run import RunFolder
from harness.results.words import count, listed

FILE = "gate.json"
_COLUMNS = ("decision", "decided", "reasons", "policy", "waivers")


class _Waiver(BaseModel):
    id: str
    person: str
    flaw: str = ""
    covers: tuple[Any, ...] = ()


class _Written(BaseModel):
    """The gate's file, as far as it matters later."""

    word: Literal["ship", "hold"]
    run: str = ""
    policy: str = ""
    decided: datetime
    reasons: tuple[Any, ...] = ()
    waivers: tuple[_Waiver, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    """Ship or hold, by which policy and when, how many reasons held it, and the waivers that were used.

    ``waivers`` are ids, each with the person who signed it.
    """

    word: str
    at: datetime
    policy: str = ""
    reasons: int = 0
    waivers: tuple[tuple[str, str], ...] = ()

    @classmethod
    def of_run(cls, folder: RunFolder, plan: Plan | None) -> Self | None:
        """Read what a gate wrote of a run; None where none did, and where the file there is about another run."""
        try:
            found = _Written.model_validate_json((folder.path / FILE).read_bytes())
        except (OSError, ValidationError):
            return None
        if found.run not in ("", folder.run, plan.run if plan else ""):
            return None
        # a waiver that covered nothing, or did not count, was not used
        used = [(one.id, one.person) for one in found.waivers if one.covers and not one.flaw]
        at = found.decided if found.decided.tzinfo is not None else found.decided.replace(tzinfo=UTC)
        return cls(word=found.word, at=at, policy=found.policy, reasons=len(found.reasons), waivers=tuple(used))

    @classmethod
    def told(cls, row: dict[str, Any]) -> Self | None:
        """Read it from a history's row (the columns of ``columns``); None where that says nothing that can be read."""
        word, at, reasons, policy, waivers = (row.get(name) for name in _COLUMNS)
        # what is missing is no None in a frame, and is asked for by its kind
        if not isinstance(word, str) or word not in ("ship", "hold") or not isinstance(at, datetime) or at != at:
            return None
        try:
            used = [(str(one["id"]), str(one["person"])) for one in json.loads(str(waivers))]
        except (TypeError, ValueError, KeyError):
            used = []
        return cls(
            word=word,
            at=at,
            policy=policy if isinstance(policy, str) else "",
            reasons=int(reasons) if isinstance(reasons, int) else 0,
            waivers=tuple(used),
        )

    @property
    def columns(self) -> dict[str, Any]:
        """The same as a history keeps it."""
        waivers = [{"id": name, "person": person} for name, person in self.waivers]
        return {
            "decision": self.word,
            "decided": self.at,
            "policy": self.policy,
            "reasons": self.reasons,
            "waivers": json.dumps(waivers, ensure_ascii=False),
        }

    @property
    def ships(self) -> bool:
        """Whether it was let ship."""
        return self.word == "ship"

    @property
    def short(self) -> str:
        """Say it in a table: ``hold, 3 reasons`` or ``ship, 1 waiver``."""
        held = [] if self.ships else [count(self.reasons, "reason")]
        waived = [count(len(self.waivers), "waiver")] if self.waivers else []
        return ", ".join([self.word, *held, *waived])

    @property
    def sentence(self) -> str:
        """Say it in a sentence, with who signed what."""
        ended = "let it ship" if self.ships else f"held it for {count(self.reasons, 'reason')}"
        signed = listed([f"{name} by {person}" for name, person in self.waivers], 4)
        waived = f", with {count(len(self.waivers), 'waiver')} ({signed})" if self.waivers else ""
        return f"The gate {ended}{waived}."
