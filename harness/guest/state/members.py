r"""Who is in which local group: the Administrators, and groups that are new.

``net localgroup NAME`` lists a group's members below a rule of dashes, one on a line, and closes with a sentence; the
rule is the only thing in it that is in no language. What the Administrators are called here is learned once, from a
clean guest: ``whoami /groups`` tells names beside their SIDs ("Well-known SIDs"). Each group costs a program's start,
so those that were there before are not asked after, nor is anything in the middle of a scenario: that a known group
other than the Administrators has got a new member is not seen.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from harness.guest.figures import rows
from harness.guest.outcome import Outcome
from harness.guest.state.areas import Area, Things
from harness.guest.state.things import State, Thing

ADMINISTRATORS = "S-1-5-32-544"
AREA = "group member"

_GROUPS = "local group"
_NAMED = "administrators"
_PLAIN = re.compile(r'[^"%!^&|<>\r\n]+')
_RULE = re.compile(r"^-{5,}\s*$", re.MULTILINE)

Ask = Callable[[Sequence[str]], list[Outcome]]


def _named(answers: Sequence[Outcome]) -> Things:
    r"""Find the Administrators among the groups of our account, by their SID: ``VORDEFINIERT\Administratoren``."""
    groups = (row for answer in answers for row in rows(answer.stdout))
    named = [row[0].rpartition("\\")[2] for row in groups if ADMINISTRATORS in row[1:]]
    return {ADMINISTRATORS: Thing(named[0])} if named else {}


NAMED = Area(
    _NAMED,
    "machine",
    (r"if exist %SystemRoot%\servicing\TrustedInstaller.exe whoami /groups /fo csv /nh",),
    _named,
)
"""What is asked of a clean guest only; nothing where there are no accounts to list, as in a lab."""


def with_members(state: State, known: State | None, ask: Ask) -> State:
    """Add to a state that lists groups who is in them; ``known`` is that of the clean guest, None when this is it."""
    clean = known or state
    administrators = clean.things.get(_NAMED, {}).get(ADMINISTRATORS)
    if administrators is None or _GROUPS not in state.things:
        return state
    before = clean.things.get(_GROUPS, {})
    new = [group.name for key, group in state.things[_GROUPS].items() if key not in before]
    groups = [name for name in (administrators.name, *new) if _PLAIN.fullmatch(name)]
    answers = ask([f'net localgroup "{name}"' for name in groups])
    found: Things = {}
    for name, answer in zip(groups, answers, strict=True):
        at = ADMINISTRATORS if name == administrators.name else ""
        for member in _members(answer.stdout):
            found[f"{name}\\{member}".casefold()] = Thing(f"{member} in {name}", {}, at)
    refused = [answer.text.strip()[:200] for answer in answers if not answer.ok]
    untold = {**state.untold, AREA: refused[0]} if refused else state.untold
    return replace(state, things={**state.things, AREA: found}, untold=untold)


def _members(printed: str) -> list[str]:
    ruled = _RULE.search(printed)
    lines = [line.strip() for line in printed[ruled.end() :].splitlines() if line.strip()] if ruled else []
    return lines[:-1]  # the last one says that all went well
