"""Windows Installer's conditions, as they stand in a LaunchCondition table: ``Installed OR VersionNT >= 603``.

Answers are three-valued: what only the guest or the installation knows leaves a condition open unless the rest of it
decides (``Installed OR UNKNOWN`` is true where the product is installed).
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Collection, Mapping
from typing import Any

_TOKEN = re.compile(
    r'\s*(?:(?P<text>"[^"]*")|(?P<number>-?\d+)|(?P<word>[%$?&!]?[A-Za-z_][A-Za-z0-9_.]*)|(?P<sign>~?(?:<>|<=|>=|><|<<|>>|=|<|>)|[()]))'
)
_ORDERS: Mapping[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    "<>": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
    "<=": operator.le,
    ">=": operator.ge,
}
_JOINTS = ("IMP", "EQV", "XOR", "OR", "AND")  # the weakest first
_DEEPEST = 100  # brackets and NOTs within each other

Truth = bool | None


class Unreadable(ValueError):
    """The condition asks for what only the installation itself knows, or cannot be read."""


def holds(condition: str, properties: Mapping[str, str]) -> bool:
    """Tell whether a condition is true with these properties; a property that is not there is empty.

    Raises Unreadable for what is no condition, and for the states of features and components.
    """
    answer = truth(condition, properties)
    if answer is None:
        raise Unreadable(condition)
    return answer


def truth(condition: str, properties: Mapping[str, str], open_ones: Collection[str] = ()) -> Truth:
    """Tell whether a condition is true, or None where that hangs on ``open_ones`` or on features and components.

    Raises Unreadable for what is no condition.
    """
    asked = _Reading(_tokens(condition), properties, frozenset(open_ones))
    answer = asked.joined(0)
    if asked.place != len(asked.tokens):
        raise Unreadable(condition)
    return answer


def names_in(condition: str) -> frozenset[str]:
    """Name the properties that a condition asks for; none for what is no condition."""
    try:
        tokens = _tokens(condition)
    except Unreadable:
        return frozenset()
    return frozenset(word for kind, word in tokens if kind == "word" and _is_property(word))


def _is_property(word: str) -> bool:
    return word.upper() not in (*_JOINTS, "NOT") and word[0] not in "$?&!%"


def _tokens(condition: str) -> list[tuple[str, str]]:
    tokens, place = [], 0
    condition = condition.rstrip()
    while place < len(condition):
        found = _TOKEN.match(condition, place)
        if found is None or found.lastgroup is None:
            raise Unreadable(condition)
        tokens.append((found.lastgroup, found[found.lastgroup]))
        place = found.end()
    if not tokens:
        raise Unreadable("nothing")
    return tokens


class _Reading:
    def __init__(self, tokens: list[tuple[str, str]], properties: Mapping[str, str], open_ones: frozenset[str]) -> None:
        self.tokens = tokens
        self.properties = properties
        self.open_ones = open_ones
        self.place = 0
        self.depth = 0

    def joined(self, level: int) -> Truth:
        if level == len(_JOINTS):
            return self.negated()
        answer = self.joined(level + 1)
        while self._next_word() == _JOINTS[level]:
            self.place += 1
            answer = _join(_JOINTS[level], answer, self.joined(level + 1))
        return answer

    def negated(self) -> Truth:
        if self._next_word() == "NOT":
            self._deeper()
            answer = self.negated()
            self.depth -= 1
            return _not(answer)
        if self._next() == ("sign", "("):
            self._deeper()
            answer = self.joined(0)
            if self._next() != ("sign", ")"):
                raise Unreadable("a bracket is open")
            self.place += 1
            self.depth -= 1
            return answer
        left, is_property = self._value()
        kind, sign = self._next()
        if kind == "sign" and sign in (")", "("):
            kind = ""
        if kind == "sign":
            self.place += 1
            right, _ = self._value()
            return None if left is None or right is None else _compare(left, sign, right)
        if left is None:
            return None
        return bool(left) if is_property else left not in ("", "0")

    def _deeper(self) -> None:
        self.place += 1
        self.depth += 1
        if self.depth > _DEEPEST:
            raise Unreadable("its brackets are too deep")

    def _value(self) -> tuple[str | None, bool]:
        """Read a value, None where it is open, and whether it is a property, which is true when it is not empty."""
        kind, word = self._next()
        self.place += 1
        if kind == "text":
            return word[1:-1], True
        if kind == "number":
            return word, False
        if kind == "word" and _is_property(word):
            return (None if word in self.open_ones else self.properties.get(word, "")), True
        if kind == "word" and word[0] in "$?&!%":  # states of features and components, environment variables
            return None, True
        raise Unreadable(word or "it ends too early")

    def _next(self) -> tuple[str, str]:
        return self.tokens[self.place] if self.place < len(self.tokens) else ("", "")

    def _next_word(self) -> str:
        kind, word = self._next()
        return word.upper() if kind == "word" else ""


def _not(answer: Truth) -> Truth:
    return None if answer is None else not answer


def _join(joint: str, left: Truth, right: Truth) -> Truth:
    match joint:
        case "IMP":
            return _join("OR", _not(left), right)
        case "OR":
            return True if True in (left, right) else None if None in (left, right) else False
        case "AND":
            return False if False in (left, right) else None if None in (left, right) else True
    if left is None or right is None:
        return None
    return left is right if joint == "EQV" else left is not right


def _compare(left: str, sign: str, right: str) -> bool:
    if sign.startswith("~"):
        left, right, sign = left.casefold(), right.casefold(), sign[1:]
    if sign in ("><", "<<", ">>"):
        return {"><": right in left, "<<": left.startswith(right), ">>": left.endswith(right)}[sign]
    numbers = [re.fullmatch(r"-?[0-9]{1,18}", side) is not None for side in (left, right)]
    if all(numbers):
        return _ORDERS[sign](int(left), int(right))
    if any(numbers):
        return sign == "<>"  # of a number and a text nothing else is true
    return _ORDERS[sign](left, right)
