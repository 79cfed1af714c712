"""A project as a QA engineer has it: matrices, products and packages, in a folder that is the current one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from .project import MATRIX, PRODUCT


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Lay out a project in which everything is right, and go there."""
    for folder in ("matrices", "fixtures/products", "packages"):
        (tmp_path / folder).mkdir(parents=True)
    sums = []
    for name in ("demo-1.0.msi", "demo-1.1.msi", "demo-2.0.msi", "demo-2.0-fails.msi"):
        content = f"the package {name}".encode()
        (tmp_path / "packages" / name).write_bytes(content)
        sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
    (tmp_path / "packages" / "SHA256SUMS").write_text("".join(sums))
    (tmp_path / "fixtures/products/demo.toml").write_text(PRODUCT)
    (tmp_path / "matrices/demo.toml").write_text(MATRIX)
    monkeypatch.chdir(tmp_path)
    return tmp_path
