"""One name for the same failure wherever and whenever it is seen, made of what does not vary from place to place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from harness.causes.rules import failed_command
from harness.results.alike import plain
from harness.results.result import Fault, Result

LENGTH = 10
"""Hexadecimal digits: among ten thousand failures two different ones share a name once in twenty thousand times."""


def fingerprint(result: Result) -> str:
    """Name a failure by product, scenario, cause, codes and things at fault; "" for a cell without a failure.

    Two that differ in a finding, an exit code or the words of the reason have different names, so that nothing new
    hides behind a name that somebody knows already. What is not the product's fault is named without product and
    scenario: a vCenter that is down is one failure, however many cells it hits.
    """
    if result.cause is None:
        return ""
    ended, blamed = failed_command(result), result.fault is Fault.PRODUCT
    parts = [
        *((result.product, result.scenario) if blamed else ()),
        result.cause,
        result.code or result.error,
        *((ended.exit_code, ended.action, ended.error, plain(ended.thing, result)) if ended and blamed else ()),
        _told(result) if blamed else [],
        # with findings the reason only repeats some of them
        "" if result.code == "broke-rules" else plain(result.reason, result),
    ]
    return hashlib.sha256(json.dumps(parts, ensure_ascii=True).encode()).hexdigest()[:LENGTH]


def _told(result: Result) -> list[tuple[str, str]]:
    """Give each finding's code and thing once; what lies in a folder that is itself found goes without saying."""
    found = {(one.code, plain(one.subject, result)) for one in result.findings}
    return sorted(
        (code, subject) for code, subject in found if not any((code, above) in found for above in _above(subject))
    )


def _above(path: str) -> Iterator[str]:
    while "\\" in path:
        path = path.rpartition("\\")[0]
        yield path
