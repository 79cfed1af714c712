"""Runs that were asked for a part of their matrix alone: what a part says, it does not say of the whole."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Self

from harness.results.plan import Plan
from harness.results.words import count

# options of pytest and ours that leave cells out; with a value unless they are of those that have none
_WITH_VALUE = ("-k", "-m", "--build", "--product", "--scenario", "--product-version", "--deselect")
_ALONE = ("--lf", "--last-failed", "--sw", "--stepwise", "--stepwise-skip", "--sw-skip")
_OTHER_VERSIONS = "--product-version"
_LONGEST = 80  # characters of one option in a sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowed:
    """``asked`` cells of the ``whole`` that the matrix has (0: nobody counted), and the options that left the rest out.

    ``by`` is empty where the options stood elsewhere, as in an ini file.
    """

    asked: int
    whole: int = 0
    by: tuple[str, ...] = ()

    @classmethod
    def of(cls, plan: Plan | None) -> Self | None:
        """Tell whether and how a run was narrowed; None for a whole one, and where nothing says that it was."""
        return None if plan is None else cls.told(len(plan.cells), plan.whole, plan.command)

    @classmethod
    def told(cls, asked: int, whole: int | None, command: str) -> Self | None:
        """Tell the same by the number of planned cells, the matrix's own and the command; None: nobody counted them.

        The count decides. The command does only where an older version wrote the plan, or where it asks for other
        versions of a product, whose cells are others; of a run that was merged of shards, it is each shard's.
        """
        by = tuple(dict.fromkeys(_options(command)))
        others = any(option.startswith(_OTHER_VERSIONS) for option in by)
        if whole is not None and asked < whole:
            return cls(asked=asked, whole=whole, by=by)
        if others or (whole is None and by and "; " not in command):
            return cls(asked=asked, whole=whole if whole and whole > asked else 0, by=by)
        return None

    @property
    def left_out(self) -> int:
        """How many cells of the matrix it was not asked for; 0 where nobody counted."""
        return max(0, self.whole - self.asked)

    @property
    def words(self) -> str:
        """Say it after "the run was": ``narrowed to 12 of the 55 cells of its matrix (-k install)``."""
        why = f" ({', '.join(self.by[:4])}{', ...' if len(self.by) > 4 else ''})" if self.by else ""
        if not self.whole and any(option.startswith(_OTHER_VERSIONS) for option in self.by):
            return f"about other versions than its matrix's newest{why}"
        of = f"{self.asked:,} of the {count(self.whole, 'cell')}" if self.whole else f"{count(self.asked, 'cell')}"
        return f"narrowed to {of} of its matrix{why}"


def _options(command: str) -> Iterator[str]:
    """Give every option, and every cell by name, that leaves others out."""
    try:
        words = shlex.split(command)
    except ValueError:
        return  # a plan is read from disk: what it calls a command may be none
    values: Sequence[str] = [*words[1:], ""]
    for place, word in enumerate(words):
        name, equals, _ = word.partition("=")
        if name in _ALONE or (name in _WITH_VALUE and equals):
            yield _clipped(word)
        elif word in _WITH_VALUE:
            yield _clipped(f"{word} {shlex.quote(values[place])}")
        elif word[:2] in ("-k", "-m") and not word.startswith("--"):
            yield _clipped(f"{word[:2]} {shlex.quote(word[2:])}")
        elif "::" in word and not word.startswith("-") and (not place or words[place - 1] not in _WITH_VALUE):
            yield "cells by name"


def _clipped(word: str) -> str:
    return word if len(word) <= _LONGEST else f"{word[:_LONGEST]}..."
