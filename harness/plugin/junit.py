"""Tries in JUnit's file, in the way that CI servers know them: ``flakyFailure`` and ``rerunFailure`` of a test case.

These elements are Surefire's, and Jenkins and others read them. Pytest's own writer has no place for them, so they are
put into the file once it is written; a test case is found by the result that it carries.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from harness.errors import AuthoringError

if TYPE_CHECKING:
    from harness.results.result import Attempt, Result

_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # what XML cannot hold


def place_of(option: object) -> Path | None:
    """Find the file that ``--junitxml`` names; None where there is none."""
    return Path(os.path.expandvars(option)).expanduser().absolute() if isinstance(option, str) and option else None


def tell_attempts(file: Path, results: Mapping[str, Result], *, carried_by: str) -> None:
    """Put the tries of each cell that was tried more than once into its test case.

    ``carried_by`` is the property that holds a cell's result. Raises AuthoringError where the file cannot be changed.
    """
    tried = {name: result for name, result in results.items() if result.attempts}
    if not tried:
        return
    try:
        tree = ElementTree.parse(file)  # noqa: S314 - pytest wrote it a moment ago
        for case in tree.iter("testcase"):
            told = case.find(f"./properties/property[@name='{carried_by}']")
            if told is not None and (result := tried.get(_cell(told.get("value", "")))) is not None:
                case.extend(map(_element, _earlier(result)))
        part = file.with_name(f".{file.name}.part")
        tree.write(part, encoding="utf-8", xml_declaration=True)
        part.replace(file)
    except (OSError, ElementTree.ParseError) as error:
        raise AuthoringError(f"{file}: the tries of flaky cells are not in it: {error}") from error


def _cell(carried: str) -> str:
    found = re.match(r'\{"cell":"((?:[^"\\]|\\.)*)"', carried)
    return found[1].replace('\\"', '"').replace("\\\\", "\\") if found else ""


def _earlier(result: Result) -> list[tuple[str, Attempt]]:
    """Name each try but the last: flaky ones of a case that passed in the end, re-runs of one that did not."""
    well = result.verdict in ("passed", "flaky")
    names = {"failed": "Failure", "hung": "Failure", "blocked": "Error"}
    return [(("flaky" if well else "rerun") + names.get(one.verdict, "Error"), one) for one in result.attempts[:-1]]


def _element(named: tuple[str, Attempt]) -> ElementTree.Element:
    name, tried = named
    kind = f"{tried.verdict}, {tried.cause}" if tried.cause else str(tried.verdict)
    words = _UNWRITABLE.sub("\ufffd", tried.reason)
    told = ElementTree.Element(name, {"message": words.split("\n", 1)[0], "type": kind, "time": f"{tried.seconds:.3f}"})
    told.text = words
    return told
