"""What changed on a guest is said in plain words, and Windows' own doings are not."""

from __future__ import annotations

from typing import Any

import pytest

from harness.guest.state import Entry, SearchPath, State, Thing, UninstallEntry, changes
from harness.guest.state.noise import NOISE, Learned

FOLDER = Entry(None, "1")
KEY = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{1}"
CLEAN: dict[str, Any] = {
    "account": "vm\\admin",
    "files": {r"C:\Program Files": FOLDER, r"C:\Program Files\old.txt": Entry(3, "1")},
    "uninstall": {},
    "things": {"service": {"dhcp": Thing("Dhcp", {"start": "automatic"})}},
    "system_path": SearchPath("REG_EXPAND_SZ", (r"%SystemRoot%", r"C:\Tools")),
    "user_path": SearchPath("", ()),
}


def _since(**now: Any) -> list[str]:
    return [str(change) for change in changes(State(**CLEAN), State(**{**CLEAN, **now}))]


def _services(**facts: dict[str, str]) -> dict[str, Any]:
    own = {name.lower(): Thing(name, told) for name, told in facts.items()}
    return {"things": {"service": {**CLEAN["things"]["service"], **own}}}


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
        r"file added: C:\Program Files\Ninja\ninja.exe",
        r"folder added: C:\Program Files\Ninja\empty",
        r"file removed: C:\Program Files\old.txt",
    ]
    changed = {**CLEAN["files"], r"C:\Program Files\old.txt": Entry(4, "1")}
    assert _since(files=changed) == [r"file changed: C:\Program Files\old.txt (3 -> 4 bytes)"]


def test_software_and_path() -> None:
    """Each is named as people see it."""
    entry = UninstallEntry(KEY, {"displayname": "Ninja", "displayversion": "1.13.0"})
    assert _since(
        uninstall={KEY: entry},
        system_path=SearchPath("REG_SZ", (r"C:\Tools", r"%SystemRoot%")),
        user_path=SearchPath("REG_SZ", (r"C:\Ninja",)),
    ) == [
        f"uninstall entry added: Ninja 1.13.0 ({KEY})",
        r"system PATH order changed: C:\Tools;%SystemRoot%",
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
        r"C:\Users\me\AppData\Local\Temp\setup-helper.exe",
        r"C:\Users\me\AppData\Local\Temp\~nsu1.tmp",
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
        r"C:\Users\me\AppData\Local\Temp\Demo Payload",
        r"C:\Users\me\AppData\Local\Temp\Demo 1.2",
    ],
)
def test_noise_hides_no_product(path: str) -> None:
    """A pattern matches its own subjects and nothing that merely begins alike."""
    (found,) = _since(files={**CLEAN["files"], path: Entry(1, "2")})
    assert found.endswith(f" added: {path}")


def test_each_noise_says_why() -> None:
    """Nothing is hidden without a reason."""
    assert all(noise.why for noise in NOISE)


def test_states_of_different_accounts_are_not_compared() -> None:
    """The user's part of a state belongs to one account."""
    other = State(**{**CLEAN, "account": "vm\\tester"})
    with pytest.raises(ValueError, match="tester"):
        changes(State(**CLEAN), other)


def test_a_service_says_what_it_runs_and_whether_that_is_there() -> None:
    """A service that outlived its program is told apart from one that works, and a driver from a service."""
    works, orphan = r"C:\Windows\System32\x.exe -k", r'"C:\Program Files\Ninja\svc.exe" --run'
    found = changes(
        State(**CLEAN),
        State(
            **{
                **CLEAN,
                **_services(Works={"image path": works}, Orphan={"image path": orphan}, Disk={"image path": "d.sys"}),
            }
        ),
    )
    assert [change.as_leftover for change in found] == [
        f"service Works is still registered (image path {works})",
        f"service Orphan is still registered (image path {orphan} is gone)",
        "driver Disk is still registered (image path d.sys)",
    ]


def test_an_order_that_changed_is_told_beside_what_was_added() -> None:
    """Entries that others rely on keep their order, whatever is added between them."""
    turned = SearchPath("REG_EXPAND_SZ", (r"C:\Tools", r"C:\Ninja", r"%SystemRoot%"))
    between = SearchPath("REG_EXPAND_SZ", (r"%SystemRoot%", r"C:\Ninja", r"C:\Tools"))
    assert _since(system_path=between) == [r"system PATH entry added: C:\Ninja"]
    assert _since(system_path=turned)[1:] == [r"system PATH order changed: C:\Tools;C:\Ninja;%SystemRoot%"]


def test_a_thing_that_changed_says_how() -> None:
    """Each fact that differs is told with what it was and what it is."""
    assert _since(**_services(Dhcp={"start": "disabled"})) == ["service changed: Dhcp (start automatic -> disabled)"]
    assert _since(things={"service": {}}) == ["service removed: Dhcp"]


def test_what_a_guest_could_not_tell_has_not_changed() -> None:
    """An area that one of two states could not tell is not compared."""
    assert _since(things={"service": {}}, untold={"service": "Access is denied."}) == []
    assert _since(things={}) == []


def test_what_a_snapshot_does_by_itself_is_learned() -> None:
    """A change seen without a product is left out, also under another number; one of another name is not."""
    first = {**CLEAN["files"], r"C:\ProgramData\Acme\log-2026-11-22.txt": Entry(1, "2")}
    learned = Learned.of(changes(State(**CLEAN), State(**{**CLEAN, "files": first})))
    later = {
        **CLEAN["files"],
        r"C:\ProgramData\Acme\log-2026-11-23.txt": Entry(1, "2"),
        r"C:\ProgramData\Acme\other.txt": Entry(1, "2"),
    }
    found = changes(State(**CLEAN), State(**{**CLEAN, "files": later}), learned=learned)
    assert [change.subject for change in found] == [r"C:\ProgramData\Acme\other.txt"]
