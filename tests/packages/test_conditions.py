"""Windows Installer's conditions."""

from __future__ import annotations

import pytest

from harness.packages.msi.condition import Truth, Unreadable, holds, truth


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


@pytest.mark.parametrize(
    ("condition", "answer"),
    [
        ("Open", None),
        ("NOT Open", None),
        ("Open OR Known", True),
        ("Open AND Missing", False),
        ("Open AND Known", None),
        ("Open > 5 OR Known", True),
        ("Missing IMP Open", True),
        ("Open XOR Known", None),
        ("?Component OR Known", True),
    ],
)
def test_what_is_open_stays_open_unless_the_rest_decides(condition: str, answer: Truth) -> None:
    """A property that only the machine knows leaves the whole open, but for what holds either way."""
    assert truth(condition, {"Known": "1"}, {"Open"}) is answer


def test_brackets_without_end_are_refused() -> None:
    """A hostile condition costs no more than its length."""
    with pytest.raises(Unreadable):
        truth("(" * 5000 + "A" + ")" * 5000, {})
    assert truth("NOT " * 90 + "A", {"A": "1"}) is True
