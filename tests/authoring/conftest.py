"""A project as a QA engineer has it: matrices, products and packages, in a folder that is the current one."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

PRODUCT = """\
id = "demo"
name = "Demo"
kind = "msi"
install_dir = 'C:\\Program Files\\Demo'

[[versions]]
version = "1.0"
file = "../../packages/demo-1.0.msi"
sha256_file = "../../packages/SHA256SUMS"

[[versions]]
version = "1.1"
file = "../../packages/demo-1.1.msi"
sha256_file = "../../packages/SHA256SUMS"

[[versions]]
version = "2.0"
file = "../../packages/demo-2.0.msi"
sha256_file = "../../packages/SHA256SUMS"

[rollback]
file = "../../packages/demo-2.0-fails.msi"
sha256_file = "../../packages/SHA256SUMS"

[proofs]
files = ['{install_dir}\\demo.exe']
uninstall_entry = { display_name = "Demo {version}", display_version = "{version}" }
command = { run = '"{install_dir}\\demo.exe" --version', prints = "demo {version}" }
"""
MATRIX = """\
name = "matrix"
builds = [22631, 19044]
products = ["demo"]
scenarios = ["install", "upgrade", "rollback"]
"""
SCENARIOS = ("install", "upgrade", "denied", "rollback", "uninstall")


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
