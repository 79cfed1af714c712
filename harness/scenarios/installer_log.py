"""What Windows Installer's log says went wrong, in the package's own words."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from harness.scenarios.msi_condition import Unreadable, holds
from harness.scenarios.msi_package import MsiPackage, NotAPackage

# "MSI (s) (0C:B8) [12:00:00:000]: Product: Ninja -- This needs Windows 11." and, in the plain part, "Error 1925. ..."
_PREFIX = re.compile(r"^(?:MSI \([scN]\) \([^)]*\) \[[^\]]*\]:\s*)?")
_ERROR = re.compile(r"\bError (\d{4})\. ?(.+)")
_PRODUCT = re.compile(r"\bProduct: .+? -- (?!(?:Installation|Removal|Configuration) )(.+)")
_ENDED = re.compile(r"^Action ended [\d:.]+: (\w+)\. Return value (\d)\.")
_PROPERTY = re.compile(r"^Property\([SC]\): (\S+) = (.*)$")
_ROUTINE = frozenset({"INSTALL", "ExecuteAction"})  # they only pass on what failed inside them
_MESSAGE = 19  # the type of a custom action that shows a text and ends the installation


def reason_in(log: str, package: Path | None = None) -> str:
    """Pick what tells why the installation failed, or nothing.

    Best first: the package's own words in the log (a launch condition, an error with its number), then the action that
    failed. Some engines do not log a launch condition's text: it is then read from the package.
    """
    lines = [_PREFIX.sub("", line).strip() for line in log.splitlines()]
    if told := next(_own_words(lines), "") or next(_errors(lines), ""):
        return told
    action = _failed_action(lines)
    if not action:
        return ""
    said = _said_by(package, action, dict(_properties(lines))) if package is not None else ""
    return said or f"its action {action} failed"


def _own_words(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if (found := _PRODUCT.search(line)) and not _ERROR.search(line):
            yield found[1].strip()


def _errors(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if found := _ERROR.search(line):
            yield f"error {found[1]}: {found[2].strip()}"


def _failed_action(lines: list[str]) -> str:
    """Find the action that ended with 3, or, where an engine writes 0 for failures too, the last before the end."""
    last = ("", "1")
    for line in lines:
        if found := _ENDED.match(line):
            name, value = found.groups()
            if value == "3" and name not in _ROUTINE:
                return name
            if name in _ROUTINE and value == "0" and last[1] == "0" and last[0] not in _ROUTINE:
                return last[0]
            last = (name, value)
    return ""


def _properties(lines: list[str]) -> Iterator[tuple[str, str]]:
    for line in lines:
        if found := _PROPERTY.match(line):
            yield found[1], found[2]


def _said_by(package: Path, action: str, properties: Mapping[str, str]) -> str:
    try:
        tables = MsiPackage(package)
    except NotAPackage:
        return ""
    if action == "LaunchConditions":
        for row in tables.rows("LaunchCondition"):
            try:
                if not holds(str(row["Condition"]), properties):
                    return _filled(str(row["Description"]), properties)
            except Unreadable:
                continue
    for row in tables.rows("CustomAction"):
        if row["Action"] == action and isinstance(row["Type"], int) and row["Type"] & 0x3F == _MESSAGE:
            return _filled(str(row["Target"]), properties)
    return ""


def _filled(text: str, properties: Mapping[str, str]) -> str:
    return re.sub(r"\[(\w+)\]", lambda name: properties.get(name[1], ""), text).strip()
