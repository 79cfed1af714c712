"""What a package would have said where the engine did not log it: the text of its launch condition or custom action."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from harness.packages.msi.condition import Unreadable, holds
from harness.packages.msi.tables import MsiPackage, NotAPackage

_MESSAGE = 19  # the type of a custom action that shows a text and ends the installation


def said_by_package(package: Path, action: str, properties: Mapping[str, str]) -> str:
    """Give the text that the failed action shows, its properties filled in, or nothing."""
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
