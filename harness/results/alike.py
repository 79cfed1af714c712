"""What the same words of many places have in common: without machines, builds, times and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator

from harness.builds import Build
from harness.results.result import Result

_LONGEST = 1_000
_HEX = r"[0-9a-f]"
# what varies from run to run and place to place, in the order in which it is taken out
_VARYING: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern), instead)
    for pattern, instead in (
        (rf"\{{?{_HEX}{{8}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{4}}-{_HEX}{{12}}\}}?", "<guid>"),
        (r"\b\d{4}-\d\d-\d\d(?:[t ]+\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)?z?", "<time>"),
        (r"\b\d{1,2}/\d{1,2}/\d{2,4}\b", "<time>"),
        (r"\b\d{1,2}:\d\d(?::\d\d(?:[.,:]\d+)?)?(?: ?[ap]m)?\b", "<time>"),
        # a person's folder, and a folder for passing things with what is made anew in it
        (r"\b[a-z]:\\(?:users|documents and settings)\\[^\\\"'\s]+", "<home>"),
        (r"(?:<home>\\appdata\\local|\b[a-z]:\\windows|\b[a-z]:)\\te?mp\\[^\\\"'\s;,]*", "<temp>"),
        (r"\b[a-z]:\\wincompat\\[^\"'\s;,]*\\", "<temp>:"),
        (r"\bs-1-5-21(?:-\d+)+\b", "<sid>"),
        (r"\b(?:ns|is-|msi|~df|tmp)[0-9a-z]{3,8}\.tmp\b", "<temp>"),
        (r"(?<![\w.])/(?:tmp|var|home|root|run|usr|opt|work|mnt|srv|private)/[^\s\"';,)]*", "<path>"),
        (r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b", "<address>"),
    )
)
_CODE = re.compile(r"(?:error|code|exited?|ended)\s+(?:with\s+|code\s+|of\s+)*\(?(-?\d+)\b|\b(0x[8ce][0-9a-f]{7})\b")
# a number that is part of a name stays: msvcp140.dll and msvcp120.dll are two things
_NUMBER = re.compile(
    rf"\b(?=[0-9a-f]*\d){_HEX}{{8,}}\b|\b0x[0-9a-f]+\b|(?<![a-z_\d])\d+(?![a-z_\d])|(?<![a-z_\d])\d+(?=(?:ms|s|kb|mb|gb)\b)"
)


def plain(text: str, result: Result | None = None) -> str:
    """Reduce words to what stays the same from place to place: names of machines and builds, times, numbers go."""
    words = text.split("\n", 1)[0][:_LONGEST].casefold()
    for name in _names_here(result) if result is not None else ():
        words = re.sub(rf"(?<![\w.]){re.escape(name)}(?![\w])", "<here>", words)
    for pattern, instead in _VARYING:
        words = pattern.sub(instead, words)
    return " ".join(_without_numbers(words).split())


def _without_numbers(words: str) -> str:
    """Take numbers out, but for codes of errors: they are what a failure is known by."""
    kept, at = [], 0
    for code in _CODE.finditer(words):
        group = 1 if code[1] is not None else 2
        kept += [_NUMBER.sub("#", words[at : code.start(group)]), code[group]]
        at = code.end(group)
    return "".join([*kept, _NUMBER.sub("#", words[at:])])


def _names_here(result: Result) -> Iterator[str]:
    names = {result.machine, result.provenance, result.worker, *result.leg.split("->"), *_of_build(result.build)}
    names |= {result.guest.get(key, "") for key in ("account", "user", "host", "hostname", "computer", "snapshot")}
    yield from sorted((name.casefold() for name in names if len(name) > 2), key=len, reverse=True)


def _of_build(build: str) -> Iterator[str]:
    yield build
    try:
        known = Build.parse(build)
    except ValueError:
        return
    yield from (known.slug, known.name)
