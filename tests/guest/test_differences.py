"""What changed on a guest is said in plain words, and Windows' own doings are not."""

from __future__ import annotations

from typing import Any

import pytest

from harness.guest.differences import NOISE
from harness.guest.listing import Entry
from harness.guest.state import SearchPath, State, UninstallEntry

FOLDER = Entry(None, "1")
KEY = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{1}"
CLEAN: dict[str, Any] = {
    "account": "vm\\admin",
    "files": {r"C:\Program Files": FOLDER, r"C:\Program Files\old.txt": Entry(3, "1")},
    "uninstall": {},
    "services": frozenset({"Dhcp"}),
    "system_path": SearchPath("REG_EXPAND_SZ", (r"%SystemRoot%", r"C:\Tools")),
    "user_path": SearchPath("", ()),
}


def _since(**now: Any) -> list[str]:
    return [str(change) for change in State(**{**CLEAN, **now}).changes_since(State(**CLEAN))]


def test_nothing_changed_says_nothing() -> None:
    """Equal states have no changes, whatever the case of their paths."""
    assert _since() == []
    assert _since(files={path.upper(): entry for path, entry in CLEAN["files"].items()}) == []


def test_files_left_gone_and_changed() -> None:
    """A new folder goes without saying when something new is in it; an empty one is named."""
    files = {
        r"C:\Program Files": FOLDER,
        r"C:\Program Files\Ninja": FOLDER,
        r"C:\Program Files\Ninja\ninja.exe": Entry(9, "2"),
        r"C:\Program Files\Ninja\empty": FOLDER,
    }
    assert _since(files=files) == [
        r"file left: C:\Program Files\Ninja\ninja.exe",
        r"empty folder left: C:\Program Files\Ninja\empty",
        r"file gone: C:\Program Files\old.txt",
    ]
    changed = {**CLEAN["files"], r"C:\Program Files\old.txt": Entry(4, "1")}
    assert _since(files=changed) == [r"file changed: C:\Program Files\old.txt (3 -> 4 bytes)"]


def test_software_services_and_path() -> None:
    """Each is named as people see it."""
    entry = UninstallEntry(KEY, {"displayname": "Ninja", "displayversion": "1.13.0"})
    assert _since(
        uninstall={KEY: entry},
        services=frozenset({"Dhcp", "NinjaSvc"}),
        system_path=SearchPath("REG_SZ", (r"C:\Tools", r"%SystemRoot%")),
        user_path=SearchPath("REG_SZ", (r"C:\Ninja",)),
    ) == [
        f"uninstall entry left: Ninja 1.13.0 ({KEY})",
        "service left: NinjaSvc",
        r"system PATH reordered: C:\Tools;%SystemRoot%",
        "system PATH type changed: REG_EXPAND_SZ -> REG_SZ",
        r"user PATH entry added: C:\Ninja",
    ]


def test_a_path_entry_written_twice_counts_twice() -> None:
    """An installer that adds itself again and again is seen."""
    twice = SearchPath("REG_EXPAND_SZ", (r"%SystemRoot%", r"C:\Tools", r"C:\Tools"))
    assert _since(system_path=twice) == [r"system PATH entry added: C:\Tools"]


@pytest.mark.parametrize(
    "path",
    [
        r"C:\wincompat\cache\0123\setup.exe",
        r"C:\pagefile.sys",
        r"C:\ProgramData\Microsoft\Windows\WER\Report.wer",
        r"C:\Program Files (x86)\Microsoft\EdgeUpdate\new.exe",
    ],
)
def test_noise_is_left_out(path: str) -> None:
    """What Windows and the harness write by themselves is nobody's leftover."""
    assert _since(files={**CLEAN["files"], path: Entry(1, "2")}) == []


@pytest.mark.parametrize(
    "path",
    [
        r"C:\ProgramData\Microsoft\Windows\Start Menu\Programs\Ninja.lnk",
        r"C:\Program Files\Microsoft Edgeworth\a.txt",
        r"C:\wincompatible\a.txt",
    ],
)
def test_noise_hides_no_product(path: str) -> None:
    """A pattern matches its own subjects and nothing that merely begins alike."""
    assert _since(files={**CLEAN["files"], path: Entry(1, "2")}) == [f"file left: {path}"]


def test_each_noise_says_why() -> None:
    """Nothing is hidden without a reason."""
    assert all(noise.why for noise in NOISE)


def test_states_of_different_accounts_are_not_compared() -> None:
    """The user's part of a state belongs to one account."""
    other = State(**{**CLEAN, "account": "vm\\tester"})
    with pytest.raises(ValueError, match="tester"):
        other.changes_since(State(**CLEAN))
