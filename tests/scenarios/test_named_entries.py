"""Keys that a package names below those of others: asked for before and after, where no other look sees them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import cast

import pytest

from harness.guest.guest import Guest
from harness.guest.outcome import Outcome
from harness.guest.state import State, Thing, changes
from harness.packages.named_keys import NamedKey
from harness.scenarios.named_entries import AREA, NamedEntries, covered

HKLM = "HKEY_LOCAL_MACHINE"
CLEAN = State(
    account="a",
    files={},
    uninstall={},
    things={
        "vendor key": {rf"{HKLM}\software\microsoft".lower(): Thing("Microsoft")},
        "file association": {rf"{HKLM}\software\classes\{kind}".lower(): Thing(kind) for kind in (".txt", "TypeLib")},
        "service": {"spooler": Thing("Spooler")},
    },
)
EXTENSIONS = r"HKLM\SOFTWARE\Microsoft\Browser\Extensions"


class Registry:
    """A guest with these keys: full paths, each with its values."""

    def __init__(self, **values: str) -> None:
        self.keys: dict[str, dict[str, str]] = {EXTENSIONS: values}
        self.asked: list[str] = []

    def run_each(self, commands: Sequence[str]) -> list[Outcome]:
        """Answer as reg does: one whose key is not there ends with 1."""
        self.asked += commands
        return [self._answer(command) for command in commands]

    def _answer(self, command: str) -> Outcome:
        path = command.split('"')[1]
        held = self.keys.get(path)
        lines = [path.replace("HKLM", HKLM, 1)] + [
            f"    {name}    REG_SZ    {text}" for name, text in (held or {}).items()
        ]
        printed = "\r\n".join(lines) if held is not None else ""
        return Outcome(command=command, exit_code=int(held is None), stdout=printed, stderr="", seconds=0.0)


def left(registry: Registry, keys: Sequence[NamedKey], **brought: dict[str, str]) -> list[str]:
    """Watch keys, let a product write, and give what differs."""
    watched = NamedEntries(cast(Guest, registry), CLEAN)
    watched.watch(keys)
    registry.keys |= {path.replace("/", "\\"): values for path, values in brought.items()}
    return [str(change) for change in changes(watched.unseen(CLEAN), watched.seen(CLEAN))]


def test_a_key_and_a_value_that_are_left_below_anothers_are_told() -> None:
    """A new key by itself, without its values; in a key that was there a value that the package names, and no other."""
    keys = [NamedKey(EXTENSIONS, frozenset({"demo"})), NamedKey(rf"{EXTENSIONS}\Demo", frozenset({"path"}))]
    found = left(
        Registry(other="1"),
        keys,
        **{EXTENSIONS: {"other": "2", "Demo": "x", "third": "y"}, rf"{EXTENSIONS}\Demo": {"Path": "z"}},
    )
    assert sorted(found) == [
        rf"registry entry added: {EXTENSIONS}\Demo",
        rf"registry entry added: {EXTENSIONS}\Demo (x)",
    ]


def test_what_was_there_before_and_is_another_is_told() -> None:
    """A value of another's that the package writes over, and does not put back."""
    (found,) = left(Registry(demo="1"), [NamedKey(EXTENSIONS, frozenset({"demo"}))], **{EXTENSIONS: {"demo": "2"}})
    assert found.startswith(rf"registry entry changed: {EXTENSIONS}\demo")


def test_a_key_that_is_asked_for_later_was_there_before_its_package_ran() -> None:
    """What a second package names is no doing of the first look's: it is compared with how it was right before."""
    registry = Registry(demo="1")
    watched = NamedEntries(cast(Guest, registry), CLEAN)
    watched.watch([NamedKey(rf"{EXTENSIONS}\First", frozenset())])
    before = watched.seen(CLEAN)
    watched.watch([NamedKey(EXTENSIONS, frozenset({"demo"}))])
    assert changes(watched.completed(before), watched.seen(CLEAN)) == ()
    assert AREA in before.things


@pytest.mark.parametrize(
    ("path", "is_covered"),
    [
        (r"HKLM\SOFTWARE\Microsoft\Demo", False),
        (r"HKLM\SOFTWARE\Demo\Settings", True),
        (r"HKLM\Software\Microsoft\Windows\CurrentVersion\Uninstall\Demo", True),
        (r"HKLM\SOFTWARE\Wow6432Node\Microsoft\Windows\CurrentVersion\Run", True),
        (r"HKLM\SOFTWARE\Classes\TypeLib\{4D9E0F7B-11AA-4B6C-9E1C-0A4B5C6D7E8F}", False),
        (r"HKLM\SOFTWARE\Classes\.demo\OpenWithProgids", True),
        (r"HKLM\SOFTWARE\Classes\.txt\OpenWithProgids", False),
        (r"HKLM\SOFTWARE\Classes\CLSID\{4D9E0F7B-11AA-4B6C-9E1C-0A4B5C6D7E8F}\InprocServer32", True),
        (r"HKLM\SYSTEM\CurrentControlSet\Services\Demo", True),
        (r"HKLM\SYSTEM\CurrentControlSet\Services\Spooler", True),
        (r"HKLM\SYSTEM\CurrentControlSet\Services\Spooler\Demo", False),
        (r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application\Demo", False),
        (r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager\Environment", True),
        (r"HKU\.DEFAULT\Software\Demo", True),
    ],
)
def test_only_what_no_other_look_sees_is_asked_for(path: str, is_covered: bool) -> None:
    """Each question is a program's start: a new vendor's key, a new kind of file or service is told anyhow."""
    assert covered(path, CLEAN) is is_covered


def test_what_is_looked_at_of_the_machine_is_asked_for_of_an_account() -> None:
    """A state that lists the machine's own does not tell of an account's key of the same name."""
    own = "HKEY_CURRENT_USER\\SOFTWARE\\Microsoft".casefold()
    clean = replace(
        CLEAN, things={**CLEAN.things, "vendor key": {**CLEAN.things["vendor key"], own: Thing("Microsoft")}}
    )
    for key in (r"Windows NT\CurrentVersion\Winlogon", r"Windows NT\CurrentVersion\Image File Execution Options\x.exe"):
        place = rf"SOFTWARE\Microsoft\{key}"
        assert covered(f"HKLM\\{place}", clean)
        assert not covered(f"HKCU\\{place}", clean)
    for key in (r"App Paths\x.exe", "Run", r"Policies\Explorer"):
        assert covered(rf"HKCU\SOFTWARE\Microsoft\Windows\CurrentVersion\{key}", clean)
