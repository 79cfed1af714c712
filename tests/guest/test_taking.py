"""A state is what a guest answered; an answer that is none is not taken for an empty one."""

from __future__ import annotations

import pytest

from harness.errors import HarnessError
from harness.guest.outcome import Outcome
from harness.guest.state import SOFTWARE, Scope, State, questions, read_state

PATH = r"""
HKEY_CURRENT_USER\Environment
    Path    REG_EXPAND_SZ    C:\Tools;C:\Ninja
"""
USERS_SOFTWARE = Scope(roots=(), areas=SOFTWARE.areas, hives=("user",), programs=False)


def _state(scope: Scope, *, code: int = 0, of: str = "nothing") -> State:
    answers = [
        Outcome(
            command=question,
            exit_code=code if of in question else 0,
            stdout="" if of in question else PATH * ("Environment" in question),
            stderr="not recognized" if of in question else "",
            seconds=0,
        )
        for question in questions(scope)
    ]
    return read_state(scope, answers, account="vm\\admin")


def test_programs_and_path_are_read_where_they_are_told() -> None:
    """An empty list of programs is an answer, and so is a key that is not there, for which reg ends with 1."""
    told = _state(USERS_SOFTWARE, code=1, of="Uninstall")
    assert told.uninstall == {}
    assert told.user_path.entries == (r"C:\Tools", r"C:\Ninja")
    assert _state(USERS_SOFTWARE, code=1, of="Environment").user_path.entries == ()


@pytest.mark.parametrize("of", ["Uninstall", "Environment"])
def test_a_guest_that_cannot_be_asked_lost_nothing(of: str) -> None:
    """Without an answer no product is said to have removed its entry, or others' entries of PATH."""
    with pytest.raises(HarnessError, match=f"{of}.* ended with 9009: not recognized"):
        _state(USERS_SOFTWARE, code=9009, of=of)
