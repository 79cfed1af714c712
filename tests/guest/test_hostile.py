"""Whatever a guest prints for a question: a state comes back, or a plain error says why not."""

from __future__ import annotations

import os
import time
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.errors import HarnessError
from harness.expectations import Phase, findings
from harness.guest.access import read_lists
from harness.guest.environment import QUESTIONS, read_environment
from harness.guest.outcome import Outcome
from harness.guest.registry import read_keys
from harness.guest.state import EVERYTHING, State, Thing, changes, questions, read_state
from harness.guest.state.journal import read_folders, read_place
from harness.guest.state.members import NAMED, with_members

LINES = [
    r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall\{1}",
    r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Svc",
    r"HKEY_CURRENT_USER\Environment",
    "    DisplayName    REG_SZ    Ninja",
    "    DisplayVersion    REG_SZ    1.13.0",
    r"    ImagePath    REG_EXPAND_SZ    C:\Program Files\a b\c.exe -k",
    "    Start    REG_DWORD    0x2",
    r"    Path    REG_EXPAND_SZ    %SystemRoot%;;C:\a",
    "    (Default)    REG_BINARY    ",
    "    x    REG_MULTI_SZ    a\\0b",
    "        REG_SZ    ",
    "End of search: 22 match(es) found.",
    " Directory of C:\\Program Files",
    "11/22/2026  02:59 AM    <DIR>          .",
    "11/22/2026  02:59 AM    <JUNCTION>     Linked [C:\\Real]",
    " 2/18/2023  10:16 PM        109965  padded.dll",
    '"a.exe","7","Console","1","5 K"',
    "*Administrators",
    "-" * 70,
    "Next Usn : 0x10",
    f'1,"x",2,0x1,"a","b",0x1,"c",{5:032x},{6:032x},0',
    ".txt=txtfile",
    "(A;OICI;0x1301bf;;;BU)",
    r'"BUILTIN\Administrators","Alias","S-1-5-32-544","Enabled group"',
    # numbers and quotes that are none
    "Next Usn : 007",
    "Next Usn : <digits>",
    "11/22/2026  02:59 AM    <digits> huge.dll",
    "    UBR    REG_SZ    0xq",
    "D:(A;;0xq;;;WD)",
    '"<long>',
]
LARGE = {"<digits>": "9" * 5000, "<long>": "x" * 140_000}
"""More than Python takes for a number, or its csv module for a field; by name, for Hypothesis prints what fails."""
PIECES = st.one_of(
    st.sampled_from(LINES), st.sampled_from(["", "\t", "\0", '"', "\\", "    ", "\x85", "\u2028"]), st.text(max_size=30)
)
PRINTED = st.lists(PIECES, max_size=12).map("\n".join)
ASKED = questions(EVERYTHING)


def _state(data: st.DataObject) -> State | None:
    """Read answers that may belong to other questions; None where that was refused in words."""
    few = data.draw(st.lists(PRINTED, min_size=1, max_size=4))
    answers = [
        Outcome(
            command=command,
            exit_code=data.draw(st.sampled_from([0, 1, 5, -1])) if number < 3 else 0,
            stdout=_whole(few[(number * 7) % len(few)]),
            stderr="",
            seconds=0,
        )
        for number, command in enumerate(ASKED)
    ]
    try:
        return read_state(EVERYTHING, answers, account="vm\\admin")
    except HarnessError:
        return None


def _sound(data: st.DataObject) -> None:
    before, now = _state(data), _state(data)
    if before is None or now is None:
        return
    assert changes(now, now) == ()
    for change in changes(before, now):
        assert str(change)
        assert change.as_leftover
    for what in ("install", "upgrade", "uninstall", "failed upgrade", "refused installation"):
        for finding in findings(Phase(what=what, version="1.0", clean=before, before=before, after=now)):
            assert finding.sentence
            assert finding.code


@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_bent_answers_give_a_state_or_a_refusal_in_words(data: st.DataObject) -> None:
    """Answers to other questions, in other forms, cut or empty."""
    _sound(data)


@settings(max_examples=200, deadline=None)
@given(PRINTED)
def test_any_text_gives_keys_folders_and_places(printed: str) -> None:
    """The readers of the registry and of the journal refuse nothing by raising."""
    printed = _whole(printed)
    for key, values in read_keys(printed).items():
        assert key.startswith("HKEY_")
        for value in values.values():
            assert isinstance(value.text, str)
            assert value.number is None or value.number >= 0
    read_folders(printed)
    read_place(_said(printed))
    for path, who in read_lists(printed, below="C:").items():
        assert path.startswith("C:\\")
        assert who
    for text in read_environment([_said(printed)] * len(QUESTIONS)).as_text().values():
        assert isinstance(text, str)


@settings(max_examples=100, deadline=None)
@given(PRINTED, PRINTED)
def test_any_text_gives_members_of_groups(named: str, printed: str) -> None:
    """Who is an administrator is read, or not told."""
    groups = {"local group": {"new": Thing("New")}, "administrators": NAMED.read([_said(named)])}
    clean = State(account="vm", files={}, uninstall={}, things=groups)
    found = with_members(clean, None, lambda asked: [_said(printed) for _ in asked]).things
    assert all(one.name for one in found.get("group member", {}).values())


def _whole(printed: str) -> str:
    for name, text in LARGE.items():
        printed = printed.replace(name, text)
    return printed


def _said(printed: str) -> Outcome:
    return Outcome(command="", exit_code=0, stdout=_whole(printed), stderr="", seconds=0)


@pytest.mark.slow
def test_ten_minutes_of_bent_answers() -> None:
    """The same for as long as WINCOMPAT_FUZZ_SECONDS says (600)."""
    until = time.monotonic() + float(os.environ.get("WINCOMPAT_FUZZ_SECONDS", "600"))
    tried = 0

    @settings(max_examples=300, deadline=timedelta(seconds=10), database=None, suppress_health_check=list(HealthCheck))
    @given(st.data())
    def bend(data: st.DataObject) -> None:
        nonlocal tried
        _sound(data)
        tried += 1

    while time.monotonic() < until:
        bend()
    assert tried
