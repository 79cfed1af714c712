"""Reading TOML: whatever lies at the path, the answer is one line and comes soon."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field, ValidationError

from harness import authoring
from harness.authoring import Authored, Flag, Seconds, Text, Whole
from harness.errors import AuthoringError
from harness.matrix import MatrixFile
from harness.mistakes import mistakes_in
from harness.products import Product
from harness.site import Site


class Part(Authored):
    """A part of the file below."""

    colour: Text
    size: Whole = 1


class Written(Authored):
    """A file with one of everything."""

    name: Text
    day: date | None = None
    loud: Flag = False
    wait: Seconds = 1.0
    parts: tuple[Part, ...] = ()
    by_name: Mapping[str, Part] = Field(default_factory=dict)


def said(content: bytes | str, folder: Path, name: str = "file.toml") -> str:
    """Give the line that reading this content ends with."""
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    with pytest.raises(AuthoringError) as caught:
        authoring.read(path, Written)
    return str(caught.value)


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


MISTAKES = {
    'nam = "a"': "no key 'nam' here; did you mean 'name'? (and 1 more)",
    'name = "a"\nzzz = 1': "no key 'zzz' here; choose from by_name, day, loud, name, parts, wait",
    "": "the key 'name' is missing",
    "name = 1": "name: should be text in quotes, not a whole number",
    'name = ""': "name: should not be empty",
    'name = "a"\nloud = "yes"': "loud: should be true or false, not text",
    'name = "a"\nloud = 1': "loud: should be true or false, not a whole number",
    'name = "a"\nwait = 0': "wait: should be more than 0",
    'name = "a"\nwait = 1e9': "wait: should be at most 86400",
    'name = "a"\nwait = nan': "wait: should be a finite number, not a number",
    'name = "a"\nwait = "5"': "wait: should be a number, not text",
    'name = "a"\nday = "soon"': "day: should be a date like 2026-12-31, not text",
    'name = "a"\nday = 2026-01-01T10:00:00': "day: should be a date like 2026-12-31, not a date with a time",
    'name = "a"\nparts = 3': "parts: should be a list, not a whole number",
    'name = "a"\nparts = [1]': "parts[0]: should be a table, not a whole number",
    'name = "a"\n[[parts]]\ncolour = "red"\n[[parts]]\ncolor = "red"': (
        "parts[1]: no key 'color' here; did you mean 'colour'? (and 1 more)"
    ),
    'name = "a"\n[[parts]]\ncolour = "red"\nsise = 3': "parts[0]: no key 'sise' here; did you mean 'size'?",
    'name = "a"\n[by_name.one]\ncolour = "red"\nsise = 3': "by_name.one: no key 'sise' here; did you mean 'size'?",
    'name = "a"\n[by_name."a b"]\ncolour = 1': "by_name.'a b'.colour: should be text in quotes, not a whole number",
    'name = "a"\n[[parts]]\ncolour = "red"\nsize = 1.5': "parts[0].size: should be a whole number, not a number",
    'name = "a"\n"\\u001b[31m" = 1': ("no key '\\x1b[31m' here; choose from by_name, day, loud, name, parts, wait"),
    "name = \n": "is not TOML: invalid value (at line 1, column 8)",
    'name = "a"\nname = "b"\n': "is not TOML: cannot overwrite a value (at line 2, column 11)",
    "name = 1" + "0" * 4400: "is not TOML: exceeds the limit (4300 digits) for integer string conversion:",
}


@pytest.mark.parametrize("content", MISTAKES, ids=lambda content: content[:40])
def test_a_mistake_is_one_line_in_the_authors_words(content: str, tmp_path: Path) -> None:
    """File, place, what is wrong and the nearest right word; further mistakes are counted."""
    line = said(content, tmp_path)
    if "digits" in line or "at line" in line:  # Python's own words, which grow with its versions
        assert line.startswith(f"file.toml: {MISTAKES[content].split(' (at ')[0]}")
    else:
        assert line == f"file.toml: {MISTAKES[content]}"


def test_every_mistake_of_a_file_is_kept(tmp_path: Path) -> None:
    """A command that checks files can print all of them, while the error's text stays one line."""
    path = tmp_path / "file.toml"
    path.write_text("nam = 1\nwait = 0\nlowd = true")
    with pytest.raises(AuthoringError) as caught:
        authoring.read(path, Written)
    assert str(caught.value) == "file.toml: no key 'nam' here; did you mean 'name'? (and 3 more)"
    assert caught.value.mistakes == (
        "file.toml: no key 'nam' here; did you mean 'name'?",
        "file.toml: no key 'lowd' here; did you mean 'loud'?",
        "file.toml: the key 'name' is missing",
        "file.toml: wait: should be more than 0",
    )


def test_a_file_of_100_mb_is_refused_before_it_is_read(tmp_path: Path) -> None:
    """The size is looked at first; a sparse file costs nothing to write and would cost memory to read."""
    path = tmp_path / "big.toml"
    with path.open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(AuthoringError, match=r"^big\.toml: is 100,000,000 bytes; at most 1,000,000 are read$"):
        authoring.parse(path)


def test_what_is_no_file_is_named(tmp_path: Path) -> None:
    """A folder, a pipe, nothing at all: each has its line, and a pipe is not waited for."""
    (tmp_path / "folder.toml").mkdir()
    os.mkfifo(tmp_path / "pipe.toml")
    (tmp_path / "there.toml").touch()
    lines = []
    for name in ("folder.toml", "pipe.toml", "their.toml", "no/where.toml", "there.toml/x", "nul\0.toml"):
        with pytest.raises(AuthoringError) as caught:
            authoring.parse(Path(name))
        lines.append(str(caught.value))
    assert lines == [
        "folder.toml: is a folder, not a TOML file",
        "pipe.toml: is not an ordinary file",
        "their.toml: no such file; did you mean 'there.toml'?",
        "no/where.toml: no such file",
        "there.toml/x: cannot be read: not a directory",
        "nul\\x00.toml: is not a path",
    ]


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_closed_file_is_named(tmp_path: Path) -> None:
    """What may not be read is said in one line."""
    path = tmp_path / "closed.toml"
    path.touch(mode=0)
    with pytest.raises(AuthoringError, match=r"^closed\.toml: cannot be read: permission denied$"):
        authoring.parse(path)


def test_text_that_is_not_utf8_says_so(tmp_path: Path) -> None:
    """Windows editors save other encodings: the line is named; a mark in front of UTF-8 is no mistake."""
    assert said('name = "é"'.encode("utf-16"), tmp_path) == "file.toml: is not UTF-8 at line 1; save it as UTF-8"
    assert said(b'#\n#\nname = "\xe9"', tmp_path) == "file.toml: is not UTF-8 at line 3; save it as UTF-8"
    assert said(b'name = "\0"', tmp_path).startswith("file.toml: is not TOML: illegal character '\\x00'")
    (tmp_path / "marked.toml").write_bytes('\ufeffname = "é"'.encode())
    assert authoring.read(tmp_path / "marked.toml", Written).name == "é"


@pytest.mark.parametrize(
    ("content", "words"),
    [
        pytest.param("name = " + "[" * 4_000, "is nested too deeply", id="lists"),
        pytest.param("name = " + "{a=" * 1_500, "is nested too deeply", id="tables"),
        pytest.param("\n".join(f"{'a.' * 101}k{number} = 1" for number in range(99)), "line 1 has more", id="dots"),
        pytest.param(
            "\n".join(f"{'a.' * 99}k{number} = 1" for number in range(999)), "no key 'a' here", id="less dots"
        ),
        pytest.param("\n".join(f"k{number} = 1" for number in range(20_000)), "(and 20000 more)", id="keys"),
        pytest.param("name = '" + "x" * 900_000 + "'", "line 1 has 900,009 characters", id="one line"),
        pytest.param(
            "\n".join(f"[[parts]]\nx{number}=1" for number in range(9_999)), "(and 19998 more)", id="mistakes"
        ),
    ],
)
def test_a_malicious_file_is_one_line_too(content: str, words: str, tmp_path: Path) -> None:
    """Nothing below the limit of size makes the reader crash, or busy for long."""
    line = said(content, tmp_path)
    assert line.startswith("file.toml: ")
    assert words in line
    assert len(line) < 300
    assert line.isprintable()


PYDANTIC = ("Input should", "Extra inputs", "type=", "Field required", "Value error", "does not fit", "input_value")
values = st.recursive(
    st.none().map(lambda _: "") | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def documents(model: type[Authored]) -> st.SearchStrategy[dict[str, object]]:
    """Make documents whose keys are the model's and whose values are anything."""
    return st.dictionaries(st.sampled_from(sorted(model.model_fields)) | st.text(max_size=5), values, max_size=8)


@pytest.mark.parametrize("model", [MatrixFile, Product, Site])
@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_document_is_answered_in_pydantics_words(model: type[Authored], data: st.DataObject) -> None:
    """Every kind of wrong value has words of ours."""
    document = data.draw(documents(model))
    try:
        model.model_validate(document)
    except ValidationError as error:
        for sentence in mistakes_in(error, document, model):
            assert not any(jargon in sentence for jargon in PYDANTIC), sentence
