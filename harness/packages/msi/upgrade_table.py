"""The Upgrade table, read as Windows Installer reads it: which versions it finds, and which it removes."""

from __future__ import annotations

from harness.packages.msi.product import Msi, three_fields
from harness.packages.msi.tables import Row, number, text

ONLY_DETECTS, FROM_INCLUDED, TO_INCLUDED, LANGUAGES_EXCLUDED = 2, 256, 512, 1024


def code_of(row: Row) -> str:
    """Give the UpgradeCode of a row in capital letters."""
    return text(row, "UpgradeCode").upper()


def finds(msi: Msi, old: Msi) -> bool:
    """Tell whether a package finds the product of another one."""
    return any(_matches(row, old) for row in msi.rows("Upgrade"))


def removes(msi: Msi, old: Msi) -> bool:
    """Tell whether a package finds the product of another one, and removes it."""
    return any(_matches(row, old) for row in msi.rows("Upgrade") if not number(row, "Attributes") & ONLY_DETECTS)


def _matches(row: Row, old: Msi) -> bool:
    if code_of(row) != old.upgrade_code:
        return False
    attributes, found = number(row, "Attributes"), three_fields(old.version)
    lower, upper = text(row, "VersionMin"), text(row, "VersionMax")
    if lower and (found < three_fields(lower) or (found == three_fields(lower) and not attributes & FROM_INCLUDED)):
        return False
    if upper and (found > three_fields(upper) or (found == three_fields(upper) and not attributes & TO_INCLUDED)):
        return False
    languages = [one for one in text(row, "Language").replace(";", ",").split(",") if one.strip()]
    spoken = old.properties.get("ProductLanguage", "")
    if languages:
        return (spoken in languages) != bool(attributes & LANGUAGES_EXCLUDED)
    return True
