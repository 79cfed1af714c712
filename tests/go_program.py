"""Programs in Go, built from Debian's packages when a test first wants one."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from filelock import FileLock

GOPATH = Path("/usr/share/gocode")


def built(source: Path, name: str, needs: str, config: pytest.Config, otherwise: pytest.TempPathFactory) -> Path:
    """Build a program once, and again when its source is newer; skipped by name without Go or the package it needs.

    It lies in pytest's cache, or in a temporary folder where somebody runs without one.
    """
    if shutil.which("go") is None or not (GOPATH / "src" / needs).is_dir():
        pytest.skip(f"{name} needs Debian's golang-go and golang-github-vmware-govmomi-dev")
    cache = getattr(config, "cache", None)
    program = (cache.mkdir(name) if cache is not None else otherwise.mktemp(name)) / name
    with FileLock(program.with_suffix(".lock")):
        if not program.exists() or program.stat().st_mtime < source.stat().st_mtime:
            surroundings = os.environ | {"GO111MODULE": "off", "GOPATH": str(GOPATH), "GOFLAGS": ""}
            subprocess.run(["go", "build", "-o", str(program), str(source)], env=surroundings, check=True)
    return program
