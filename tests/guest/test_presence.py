"""Keys that are not there are not asked for, and what is there is told all the same."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hypothesis import given
from hypothesis import strategies as st

from harness.guest.outcome import Outcome
from harness.guest.registry import query, read_keys
from harness.guest.state import EVERYTHING, questions
from harness.guest.state.presence import ask_what_is_there

ASKED = questions(EVERYTHING)
KEYS = sorted({command.split('"')[1] for command in ASKED if command.startswith("reg query")})
ENTRIES = st.sampled_from(["", "\\Vendor", "\\Vendor\\Deep"])
"""What may be below a key that is asked for."""


def _registry(there: Sequence[str], asked: list[str], *, refuse: str = "") -> Callable[[Sequence[str]], list[Outcome]]:
    """Make a guest's registry of these keys, and all above them; ``refuse`` is a key that cannot be read."""
    whole = {part for key in there for part in _with_all_above(_long(key))}

    def answer(command: str) -> Outcome:
        asked.append(command)
        parts = command.split('"')
        if not command.startswith("reg query"):
            return Outcome(command=command, exit_code=0, stdout=command, stderr="", seconds=0)
        key, deep = _long(parts[1]), "/s" in parts[2]
        if key not in whole or parts[1] == refuse:
            return Outcome(command=command, exit_code=1, stdout="", stderr="no", seconds=0)
        below = sorted(
            one for one in whole if one.startswith(f"{key}\\") and (deep or one.count("\\") - 1 == key.count("\\"))
        )
        return Outcome(command=command, exit_code=0, stdout="\n".join([key, *below]), stderr="", seconds=0)

    return lambda commands: [answer(command) for command in commands]


def _long(key: str) -> str:
    return key.replace("HKLM", "HKEY_LOCAL_MACHINE").replace("HKCU", "HKEY_CURRENT_USER")


def _with_all_above(key: str) -> list[str]:
    parts = key.split("\\")
    return ["\\".join(parts[:end]) for end in range(1, len(parts) + 1)]


@given(
    there=st.lists(st.tuples(st.sampled_from(KEYS), ENTRIES).map("".join), max_size=20),
    refuse=st.sampled_from(["", *KEYS, r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion"]),
)
def test_the_answers_are_those_of_asking_for_everything(there: list[str], refuse: str) -> None:
    """Whatever exists, and whatever cannot be listed, each question has the answer that it would have had."""
    guest = _registry(there, [], refuse=refuse)
    frugal, plain = ask_what_is_there(ASKED, guest), guest(ASKED)
    assert [one.command for one in frugal] == ASKED
    assert [(one.exit_code, read_keys(one.stdout)) for one in frugal] == [
        (one.exit_code, read_keys(one.stdout)) for one in plain
    ]


def test_what_the_key_above_does_not_name_is_not_asked_for() -> None:
    """On a guest with no places for hooks the questions for them are saved, with those for keys two levels down."""
    asked: list[str] = []
    ask_what_is_there(
        ASKED, _registry([r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run", r"HKCU\SOFTWARE"], asked)
    )
    assert query(r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Run") in asked
    assert not any("RunOnce" in command or "CLSID" in command or "Components" in command for command in asked)
    assert len(asked) == len(set(asked)), "a key is asked for once"
