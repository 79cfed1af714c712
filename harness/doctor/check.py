"""A check, as a row of a table: its name, what it needs, and the function that looks."""

from __future__ import annotations

import difflib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from harness.doctor.finding import Answer, Finding, Mark, fail, skip
from harness.errors import HarnessError, Hung, SiteError

V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class Check(Generic[V]):
    """One thing to look at.

    ``needs`` are names of checks of this or an earlier table: when one of them failed or was skipped, this one is
    skipped with that reason. ``look`` gives an answer, or raises a HarnessError, whose words and advice are a fail.
    """

    name: str
    needs: tuple[str, ...]
    look: Callable[[V], Answer]


@dataclass(frozen=True, slots=True)
class Looking:
    """A check that is being made from now on."""

    subject: str
    check: str


def examine(
    checks: Sequence[Check[V]],
    visit: V,
    *,
    subject: str,
    chosen: Chosen,
    before: Mapping[str, Answer],
    stopped: Callable[[], str],
    clock: Callable[[], float] = time.monotonic,
) -> Iterator[Looking | Finding]:
    """Look at one subject, check by check; each is told before and after it is made.

    ``before`` holds the answers that earlier subjects gave, by the names of their checks; ``stopped`` gives a reason to
    make no further check, or nothing.
    """
    answers: dict[str, Answer] = dict(before)
    for check in checks:
        if check.name in chosen.made:
            began = clock()
            yield Looking(subject, check.name)
            answer = _because(check, answers) or _look(check, visit, stopped)
            answers[check.name] = answer
            yield Finding(subject=subject, check=check.name, answer=answer, seconds=clock() - began)


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which checks are made, and which of them are told even when all is well."""

    made: frozenset[str]
    told: frozenset[str]

    @classmethod
    def of(cls, checks: Sequence[Check[Any]], only: Sequence[str]) -> Chosen:
        """Choose by name or first words (``guest``, ``guest port``), with what these need; raises ValueError.

        ``checks`` is every check in the order of making: what one needs stands before it. Without ``only``, all.
        """
        names = [check.name for check in checks]
        told: set[str] = set()
        for word in only:
            fits = {name for name in names if name == word or name.startswith(f"{word} ")}
            if not fits:
                near = difflib.get_close_matches(word, [*names, *{name.split()[0] for name in names}], n=1, cutoff=0.5)
                hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(names)}"
                raise ValueError(f"no check {word!r}; {hint}")
            told |= fits
        told = told or set(names)
        made = set(told)
        for check in reversed(checks):
            if check.name in made:
                made |= set(check.needs)
        return cls(frozenset(made), frozenset(told))


def _because(check: Check[V], answers: Mapping[str, Answer]) -> Answer | None:
    for need in check.needs:
        met = answers.get(need)
        if met is not None and met.mark is Mark.FAIL:
            return skip(f"{need!r} failed")
        if met is not None and met.mark is Mark.SKIP:
            return met  # the first reason of all is the one that helps
    return None


def _look(check: Check[V], visit: V, stopped: Callable[[], str]) -> Answer:
    if reason := stopped():
        return skip(reason)
    try:
        return check.look(visit)
    except SiteError as error:
        return fail(error.problem, error.advice)
    except HarnessError as error:
        return fail(str(error), "correct the site file")
    except Hung as error:
        return fail(str(error), "look at the machine's console in vSphere")
    except Exception as error:  # noqa: BLE001 - one check that breaks must not cost the others
        return fail(f"the check itself broke: {type(error).__name__}: {error}", "report this with the line above")
