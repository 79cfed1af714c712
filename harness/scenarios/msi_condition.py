"""Windows Installer's conditions, as they stand in a LaunchCondition table: ``Installed OR VersionNT >= 603``."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
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


class Unreadable(ValueError):
    """The condition asks for what only the installation itself knows, or cannot be read."""


def holds(condition: str, properties: Mapping[str, str]) -> bool:
    """Tell whether a condition is true with these properties; a property that is not there is empty.

    Raises Unreadable for what is no condition, and for the states of features and components.
    """
    reading = _Reading(_tokens(condition), properties)
    answer = reading.joined(0)
    if reading.place != len(reading.tokens):
        raise Unreadable(condition)
    return answer


def _tokens(condition: str) -> list[tuple[str, str]]:
    tokens, place = [], 0
    while condition[place:].strip():
        found = _TOKEN.match(condition, place)
        if found is None or found.lastgroup is None:
            raise Unreadable(condition)
        tokens.append((found.lastgroup, found[found.lastgroup]))
        place = found.end()
    if not tokens:
        raise Unreadable("nothing")
    return tokens


class _Reading:
    def __init__(self, tokens: list[tuple[str, str]], properties: Mapping[str, str]) -> None:
        self.tokens = tokens
        self.properties = properties
        self.place = 0

    def joined(self, level: int) -> bool:
        if level == len(_JOINTS):
            return self.negated()
        answer = self.joined(level + 1)
        while self._next_word() == _JOINTS[level]:
            self.place += 1
            other = self.joined(level + 1)
            answer = {
                "IMP": not answer or other,
                "EQV": answer is other,
                "XOR": answer is not other,
                "OR": answer or other,
                "AND": answer and other,
            }[_JOINTS[level]]
        return answer

    def negated(self) -> bool:
        if self._next_word() == "NOT":
            self.place += 1
            return not self.negated()
        if self._next() == ("sign", "("):
            self.place += 1
            answer = self.joined(0)
            if self._next() != ("sign", ")"):
                raise Unreadable("a bracket is open")
            self.place += 1
            return answer
        left, known = self._value()
        kind, sign = self._next()
        if kind == "sign" and sign != ")":
            self.place += 1
            return _compare(left, sign, self._value()[0])
        return bool(left) if known else left not in ("", "0")

    def _value(self) -> tuple[str, bool]:
        """Read a value and whether it is a property, which is true when it is not empty."""
        kind, text = self._next()
        self.place += 1
        if kind == "text":
            return text[1:-1], True
        if kind == "number":
            return text, False
        if kind == "word" and text.upper() not in (*_JOINTS, "NOT") and text[0] not in "$?&!%":
            return self.properties.get(text, ""), True
        raise Unreadable(text or "it ends too early")

    def _next(self) -> tuple[str, str]:
        return self.tokens[self.place] if self.place < len(self.tokens) else ("", "")

    def _next_word(self) -> str:
        kind, text = self._next()
        return text.upper() if kind == "word" else ""


def _compare(left: str, sign: str, right: str) -> bool:
    if sign.startswith("~"):
        left, right, sign = left.casefold(), right.casefold(), sign[1:]
    if sign in ("><", "<<", ">>"):
        return {"><": right in left, "<<": left.startswith(right), ">>": left.endswith(right)}[sign]
    if all(re.fullmatch(r"-?\d+", side) for side in (left, right)):
        return _ORDERS[sign](int(left), int(right))
    if any(re.fullmatch(r"-?\d+", side) for side in (left, right)):
        return sign == "<>"  # of a number and a text nothing else is true
    return _ORDERS[sign](left, right)
