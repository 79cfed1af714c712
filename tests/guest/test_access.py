"""Who may write where is read from access control lists, whatever the guest's language."""

from __future__ import annotations

import pytest

from harness.guest.access import read_lists

INHERITED = "D:AI(A;OICIID;FA;;;SY)(A;OICIID;FA;;;BA)(A;OICIID;0x1200a9;;;BU)"


def _saved(*lists: tuple[str, str]) -> str:
    return "".join(f"{path}\r\n{sddl}\r\n" for path, sddl in lists)


def test_what_windows_protects_is_not_open() -> None:
    """Below Program Files users may read and run, and so may packages."""
    text = _saved(("Ninja", INHERITED), (r"Ninja\ninja.exe", "D:AI(A;ID;FA;;;BA)(A;ID;0x1200a9;;;AC)"))
    assert read_lists(text, below=r"C:\Program Files") == {}


@pytest.mark.parametrize(
    ("ace", "who"),
    [
        ("(A;OICI;0x1301bf;;;BU)", "every user"),
        ("(A;;FA;;;WD)", "everyone"),
        ("(A;;GW;;;AU)", "every user who is known"),
        ("(A;CI;0x100006;;;BU)", "every user"),
        ("(A;ID;0x1301bf;;;AU)", "every user who is known"),
    ],
)
def test_a_right_to_write_for_everybody_is_found(ace: str, who: str) -> None:
    """Given by the installer, or handed down by a folder that is open itself, as the top of the drive."""
    assert read_lists(_saved(("Go", INHERITED), (r"Go\bin", INHERITED + ace)), below="C:") == {r"C:\Go\bin": who}


@pytest.mark.parametrize("ace", ["(D;;FA;;;WD)", "(A;OICIIO;FA;;;WD)", "(A;;FA;;;S-1-5-21-1-2-3-1001)", "(A;;FR;;;WD)"])
def test_a_refusal_or_what_is_only_handed_on_is_no_right(ace: str) -> None:
    """Denied, given to what may come below, to one person, or to read."""
    assert read_lists(_saved(("Go", INHERITED + ace)), below="C:") == {}


def test_where_windows_lets_all_add_files_only_the_installers_own_doing_counts() -> None:
    """Every folder below ProgramData inherits that users may add to it."""
    text = _saved(("Ninja", INHERITED + "(A;CIID;DCLCRPCR;;;BU)(A;CIID;0x100006;;;BU)"))
    assert read_lists(text, below=r"C:\ProgramData") == {}
    assert read_lists(_saved(("Ninja", "D:(A;;FA;;;WD)")), below=r"C:\ProgramData") != {}
