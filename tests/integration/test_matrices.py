"""The matrices that this repository ships, on the lab: what they must find, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
pytestmark = [pytest.mark.slow]


def _run(folder: Path, site_file: Path, *words: str) -> tuple[int, str, list[dict[str, Any]]]:
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "--site",
        str(site_file),
        "--runs",
        str(folder),
    ]
    done = subprocess.run([*command, *words], cwd=ROOT, capture_output=True, text=True, check=False)
    (journal,) = folder.glob("*/journal.jsonl")
    found = [json.loads(line) for line in journal.read_text("utf-8").splitlines()]
    return done.returncode, done.stdout, [one for one in found if "verdict" in one]


def test_the_demo_finds_exactly_what_it_is_there_to_find(tmp_path: Path, lab_site_file: Path) -> None:
    """Its two known issues show on every cell in their scope, all else passes, and the exit status is 0."""
    if not (ROOT / "build/payloads/ninja/SHA256SUMS").exists():
        pytest.skip("build its installers first: python -m fixtures.payloads ninja")
    status, said, results = _run(tmp_path, lab_site_file, "-n", "2", "matrices/demo.toml")
    assert status == 0, said
    assert "exactly the expected findings were found" in said
    shown = {(one["product"], one["scenario"], one["build"]) for one in results if one["known_issue"]}
    rollbacks = {("ninja-msi", "rollback", build) for build in ("19044", "19045", "22000", "22621", "22631")}
    assert shown == rollbacks | {("ninja-windows11", "install", build) for build in ("19044", "19045")}
    assert {one["verdict"] for one in results if not one["known_issue"]} == {"passed"}


def test_go_fails_on_wine_in_its_own_words(tmp_path: Path, lab_site_file: Path) -> None:
    """Go cannot run on Wine 8: that is the product's failure, told in Go's own words, and no fault of the lab."""
    if not (ROOT / "build/payloads/go/SHA256SUMS").exists():
        pytest.skip("build its installers first: python -m fixtures.payloads go")
    words = ("matrices/go.toml", "--build", "22631", "--scenario", "install")
    status, said, (result,) = _run(tmp_path, lab_site_file, *words)
    assert (status, result["verdict"], result["fault"]) == (1, "failed", "product"), said
    assert "bcryptprimitives.dll not found" in result["reason"]
