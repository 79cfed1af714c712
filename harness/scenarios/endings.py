"""How a command of the product ended, as plain values out of its exit code, its log and Windows' records."""

from __future__ import annotations

from typing import TYPE_CHECKING

from harness.exit_codes import ExitMeaning, shown
from harness.installer_logs.messages import message
from harness.results.result import Ending

if TYPE_CHECKING:
    from harness.installer_logs import LogReading
    from harness.installer_logs.events import Events

_CRASHES = ("Application Error", ".NET Runtime")


def ending(
    what: str,
    meaning: ExitMeaning | None,
    *,
    reading: LogReading | None = None,
    events: Events | None = None,
) -> Ending:
    """Put together how a command ended; without a ``meaning`` it did not end and was ended at its deadline."""
    known: dict[str, object] = {"what": what}
    if meaning is not None:
        known |= {
            "exit_code": shown(meaning.code),
            "words": meaning.words,
            "success": meaning.success,
            "reboot": meaning.reboot,
            "refused": meaning.refused,
            "cause": meaning.cause,
        }
    if reading is not None and (meaning is None or not meaning.success):
        number = reading.cause.number if reading.cause is not None else 0
        named = message(number) if number else None
        known |= {
            "action": reading.failed.name if reading.failed is not None else "",
            "error": number,
            "error_cause": named.cause if named is not None else "",
            "thing": str(reading.at_fault or ""),
            "rollback": "" if reading.rollback == "none" else reading.rollback,
            "running": reading.running[0] if reading.running else "",
            "in_use": reading.in_use,
            "refused": reading.refused or known.get("refused", False),
        }
    trouble = events.trouble if events is not None else ()
    known["crashed"] = next((one.sentence for one in trouble if one.source in _CRASHES), "")
    return Ending.model_validate(known)
