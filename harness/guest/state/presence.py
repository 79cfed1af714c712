r"""Which registry keys are worth asking for: those that the key above them names.

Most places where an installer may hook in do not exist on most guests, and a question to ``reg`` is a program's start,
which costs the more when there is nothing to tell. A key that is listed without what is below it names the keys right
below it, so where several of them are to be asked for, it is listed first and only those it names are asked for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from itertools import pairwise

from harness.guest.outcome import Outcome
from harness.guest.registry import query, read_keys

WORTH = 3
"""Keys right below one for which that one is listed although nobody asked for it."""

_QUESTION = re.compile(r'reg query "(?P<key>[^"%]+)"(?P<switches>.*)')
_HIVES = {"HKLM": "HKEY_LOCAL_MACHINE", "HKCU": "HKEY_CURRENT_USER"}
_NOT_THERE = 1  # what reg ends with

Ask = Callable[[Sequence[str]], list[Outcome]]


def ask_what_is_there(questions: Sequence[str], ask: Ask) -> list[Outcome]:
    """Ask in two rounds, what lies below a listed key in the second; gives the answers in the order of the questions.

    A question for a key that is not named is answered as ``reg`` does, with 1 and nothing. What cannot be listed names
    nothing and rules nothing out.
    """
    listings = _listings(questions)
    listed = {found["key"] for question in listings if (found := _QUESTION.fullmatch(question))}
    first = list(dict.fromkeys((*listings, *(one for one in questions if not _is_below(one, listed)))))
    answered = dict(zip(first, ask(first), strict=True)) if first else {}
    named = _named({question: answered[question] for question in listings})
    rest = [question for question in questions if question not in answered and _may_be_there(question, named)]
    answered |= dict(zip(rest, ask(rest), strict=True)) if rest else {}
    return [answered.get(question) or _nothing(question) for question in questions]


def _listings(questions: Sequence[str]) -> list[str]:
    """Choose the keys to list first: those asked for that are above others, and those right above many."""
    asked = [found.groups() for one in questions if (found := _QUESTION.fullmatch(one))]
    keys = dict.fromkeys(key for key, _ in asked)
    plain = [key for key, switches in asked if not switches and any(key in _above(other) for other in keys)]
    many = [
        above for above, below in Counter(next(_above(key), "") for key in keys).items() if above and below >= WORTH
    ]
    return list(dict.fromkeys(map(query, (*plain, *many))))


def _named(listed: Mapping[str, Outcome]) -> dict[str, set[str]]:
    """Read what the listed keys have below them; without those that did not answer."""
    named: dict[str, set[str]] = {}
    for question, answer in listed.items():
        found = _QUESTION.fullmatch(question)
        if found and answer.ok and not answer.truncated:
            named[found["key"]] = {key.casefold() for key in read_keys(answer.stdout)}
    return named


def _is_below(question: str, listed: Collection[str]) -> bool:
    found = _QUESTION.fullmatch(question)
    return found is not None and any(above in listed for above in _above(found["key"]))


def _may_be_there(question: str, named: Mapping[str, Collection[str]]) -> bool:
    found = _QUESTION.fullmatch(question)
    if found is None:
        return True
    line = [found["key"], *_above(found["key"])]
    return all(_whole(below) in named[above] for below, above in pairwise(line) if above in named)


def _above(key: str) -> Iterator[str]:
    """Give the keys above a key, the nearest first, without the hive itself."""
    while "\\" in (key := key.rpartition("\\")[0]):
        yield key


def _whole(key: str) -> str:
    hive, _, path = key.partition("\\")
    return f"{_HIVES.get(hive, hive)}\\{path}".casefold()


def _nothing(question: str) -> Outcome:
    return Outcome(command=question, exit_code=_NOT_THERE, stdout="", stderr="", seconds=0.0)
