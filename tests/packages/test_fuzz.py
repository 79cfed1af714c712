"""Bad input is a named finding, never a traceback: shortly in every run, for ten minutes among the slow tests."""

from __future__ import annotations

import random
import shutil
import time
import tracemalloc
import zipfile
from collections.abc import Mapping
from io import BytesIO
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.builds import Build
from harness.packages.finding import Finding
from harness.packages.inspection import inspect
from harness.packages.msi.condition import Unreadable, truth
from tests.packages.tiny_program import tiny_program
from tests.packages.wares import Bench

BUILDS = (Build(19045), Build(26100))
MUTATED = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
TEN_MINUTES = 600
BOUND = 200 << 20  # bytes


def archive() -> bytes:
    """Write a small archive."""
    made = BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as written:
        written.writestr("bin/demo.exe", tiny_program(imports=["a.dll"]))
        written.writestr("read.me", "text" * 50)
    return made.getvalue()


@pytest.fixture(scope="module")
def seeds(bench: Bench) -> Mapping[str, bytes]:
    """Collect a sound file of each kind, small enough to be damaged thousands of times."""
    package = bench.package("seed")
    small = package.read_bytes()
    resources = {10: {11111: b"rDlPtS" * 9}}
    program = tiny_program(imports=["a.dll", "b.dll"], manifest="<x/>" * 9, resources=resources, overlay=b"PK" * 99)
    found = {"msi": small, "exe": program, "zip": archive()}
    if shutil.which("osslsigncode"):
        from tests.packages.signing_tool import sign

        found["signed exe"] = sign(program, ".exe", bench.folder)
        found["signed msi"] = sign(small, ".msi", bench.folder)
    return found


def chances(seed: int) -> random.Random:
    """Give chances that repeat from their number."""
    return random.Random(seed)  # noqa: S311 - no secret hangs on it


def damaged(content: bytes, change: random.Random) -> bytes:
    """Flip, overwrite, cut, repeat or move some bytes, mostly near the start, where formats keep their numbers."""
    made = bytearray(content)
    for _ in range(change.choice((1, 1, 2, 5, 30))):
        reach = change.choice((512, 4096, len(made)))
        place = change.randrange(min(reach, len(made)) or 1)
        match change.randrange(6):
            case 0:
                made[place : place + 1] = bytes([change.randrange(256)])
            case 1:
                number = change.choice((0, 1, 0x7F, 0xFF, 0x7FFF, 0xFFFF, 0x7FFF_FFFF, 0xFFFF_FFFF, 0xFFFF_FFFE))
                made[place : place + 4] = number.to_bytes(4, "little")
            case 2:
                del made[place : place + change.randrange(1, 200)]
            case 3:
                made[place:place] = made[place : place + change.randrange(1, 200)]
            case 4:
                other = change.randrange(len(made) or 1)
                made[place : place + 64] = made[other : other + 64]
            case _:
                del made[place + change.randrange(1, 4096) :]
        if not made:
            break
    return bytes(made)


def look(content: bytes, file: Path, *, previous: Path | None = None) -> tuple[Finding, ...]:
    """Inspect some bytes; whatever is raised is the failure that fuzzing looks for."""
    file.write_bytes(content)
    findings = inspect(file, builds=BUILDS, previous=previous).findings
    for found in findings:
        assert found.sentence
        assert "Traceback" not in found.sentence
        if found.code == "unreadable":
            assert " is unreadable, because " in found.sentence
    return findings


@pytest.mark.parametrize("kind", ["msi", "exe", "zip", "signed exe", "signed msi"])
@given(seed=st.integers(0, 2**64))
@MUTATED
def test_a_damaged_file_is_a_finding(kind: str, seed: int, seeds: Mapping[str, bytes], tmp_path: Path) -> None:
    """However a file is damaged, it is read as far as it goes, or said to be unreadable and why."""
    if kind not in seeds:
        pytest.skip("osslsigncode not found")
    look(damaged(seeds[kind], chances(seed)), tmp_path / "damaged")


@given(
    content=st.binary(max_size=2000), start=st.sampled_from([b"", b"MZ", b"PK\3\4", bytes.fromhex("d0cf11e0a1b11ae1")])
)
@MUTATED
def test_any_bytes_are_a_finding(content: bytes, start: bytes, tmp_path: Path) -> None:
    """What never was a package is said to be none."""
    assert look(start + content, tmp_path / "bytes")


@given(st.text(alphabet='()"<>=~ ANDORTX$&?!%1.0é\n', max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_a_condition_or_is_refused(condition: str) -> None:
    """A condition out of a damaged table is answered or refused, never a crash."""
    try:
        answer = truth(condition, {"A": "1"}, {"N"})
    except Unreadable:
        return
    assert answer in (True, False, None)


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["msi", "exe", "zip", "signed exe", "signed msi"])
def test_ten_minutes_of_damage_find_no_crash(kind: str, seeds: Mapping[str, bytes], tmp_path: Path) -> None:
    """Each kind is damaged for two minutes, in ways that repeat from their number, below the memory bound."""
    if kind not in seeds:
        pytest.skip("osslsigncode not found")
    ends, seed = time.monotonic() + TEN_MINUTES / 5, 0
    while time.monotonic() < ends:
        watched = seed % 100 == 0  # being watched makes it several times slower
        if watched:
            tracemalloc.start()
        try:
            look(damaged(seeds[kind], chances(seed)), tmp_path / "damaged")
            if watched:
                assert tracemalloc.get_traced_memory()[1] < BOUND, f"number {seed}"
        finally:
            if watched:
                tracemalloc.stop()
        seed += 1
    print(f"{kind}: {seed:,} damaged files")  # noqa: T201 - shown by pytest -s


def test_a_list_that_claims_more_than_there_is_is_not_counted(seeds: Mapping[str, bytes], tmp_path: Path) -> None:
    """A property of the summary that says it has four thousand million items is damage, and is said at once."""
    made = bytearray(seeds["msi"])
    summary = made.index(bytes.fromhex("E0859FF2F94F6810AB9108002B27B3D9")) - 28  # where the property set begins
    section = summary + int.from_bytes(made[summary + 44 : summary + 48], "little")
    place = section + int.from_bytes(made[section + 12 : section + 16], "little")
    made[place : place + 8] = (0x1000).to_bytes(4, "little") + b"\xff\xff\xff\xff"
    (found,) = look(bytes(made), tmp_path / "damaged.msi")
    assert found.code == "unreadable"
    assert "claims more than it holds" in found.sentence
