"""Windows Installer's conditions."""

from __future__ import annotations

import pytest

from harness.scenarios.msi_condition import Unreadable, holds


@pytest.mark.parametrize(
    ("condition", "true"),
    [
        ("Installed", False),
        ("Installed OR VersionNT >= 603", True),
        ("VersionNT < 603", False),
        ("NOT WIX_DOWNGRADE_DETECTED", True),
        ('not Missing and Name = "Demo"', True),
        ('Name = "demo"', False),
        ('Name ~= "demo"', True),
        ('Name >< "em" AND Name << "De" AND Name >> "mo"', True),
        ("(VersionNT = 601) OR (VersionNT > 602 AND Name)", True),
        ("Name <> 5", True),
        ("Name = 5", False),
        ("Empty", False),
        ("1", True),
        ("0", False),
        ("VersionNT IMP Missing", False),
        ("VersionNT XOR Name", False),
        ("Missing EQV Installed", True),
    ],
)
def test_conditions_mean_what_windows_installer_means(condition: str, true: bool) -> None:
    """Properties, numbers, texts, brackets and joints as in a LaunchCondition table."""
    assert holds(condition, {"VersionNT": "603", "Name": "Demo", "Empty": ""}) is true


@pytest.mark.parametrize("condition", ["", "&Feature = 3", "?Component", "(A", "A B", "A = ", "= 3", "A @ B", "NOT"])
def test_what_cannot_be_known_is_not_guessed(condition: str) -> None:
    """States of features and broken conditions are refused."""
    with pytest.raises(Unreadable):
        holds(condition, {})
