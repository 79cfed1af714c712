"""Real packages on the lab: a product that breaks with a version, and one that wants a build."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fixtures.payloads import msi

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("wixl") is None or shutil.which("msibuild") is None, reason="wixl is missing"),
]

BREAKS = "1.3.0"
VERSIONS = ("1.0.0", "1.1.0", "1.2.0", BREAKS, "1.4.0", "1.5.0")

PRODUCT = """
id = "tool"
name = "Tool"
kind = "msi"
install_dir = 'C:\\Program Files\\Tool'
scenarios = ["install"]
{versions}
[proofs]
files = ['{{install_dir}}\\ninja.exe']
[proofs.uninstall_entry]
display_name = "Tool"
display_version = "{{version}}"
"""


class Tool:
    """A project whose product is made of packages that wixl compiles here."""

    def __init__(self, folder: Path, site_file: Path) -> None:
        self.folder = folder
        self.site_file = site_file
        (folder / "tool.exe").write_bytes(b"MZ no program, but a file")

    def package(self, version: str, *statements: str) -> Path:
        """Make one version's package, with these rows added to its tables: Windows 11 is what it wants."""
        package = self.folder / f"tool-{version}.msi"
        names = {
            "Name": "Tool",
            "Folder": "Tool",
            "Version": version,
            "Program": "tool.exe",
            "UpgradeCode": msi.guid("Tool", "upgrade"),
            "ProductCode": msi.guid("Tool", version),
            "ProgramComponent": msi.guid("Tool", "program"),
        }
        msi.compile_msi(msi.HERE / "windows11_only.wxs", package, names, files=self.folder)
        if statements:
            msi.add_rows(package, statements)
        return package

    def matrix(self, *versions: str, builds: str) -> None:
        """Write the product and its matrix."""
        listed = "".join(
            f'[[versions]]\nversion = "{one}"\nfile = "../../tool-{one}.msi"\nsha256 = "{self._sha256(one)}"\n'
            for one in versions
        )
        for name, text in (
            ("fixtures/products/tool.toml", PRODUCT.format(versions=listed)),
            (
                "matrices/tool.toml",
                f'name = "tool"\nbuilds = [{builds}]\nproducts = ["tool"]\nscenarios = ["install"]\n',
            ),
        ):
            (self.folder / name).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name).write_text(text, "utf-8")

    def _sha256(self, version: str) -> str:
        return hashlib.sha256((self.folder / f"tool-{version}.msi").read_bytes()).hexdigest()

    def bisect(self, *words: str) -> tuple[int, dict[str, Any], str]:
        """Bisect on the lab: exit status, answer, and what was said on the way."""
        command = [sys.executable, "-m", "harness.cli", "bisect", "matrices/tool.toml", "--json", *words]
        site = ["--site", str(self.site_file)]
        done = subprocess.run([*command, *site], cwd=self.folder, capture_output=True, text=True, check=False)
        assert done.stdout, done.stderr
        return done.returncode, json.loads(done.stdout), done.stderr


@pytest.fixture
def tool(tmp_path: Path, lab_site_file: Path) -> Tool:
    """Make a project to bisect on the lab that all tests share."""
    return Tool(tmp_path, lab_site_file)


def test_the_version_that_breaks_the_installation_is_found(tool: Tool) -> None:
    """From 1.3.0 on the installation fails: that version is named, in the package's own words, and 1.2.0 beside it."""
    for version in VERSIONS:
        fails = msi.fail_half_way(f"Tool {version} finds no licence.") if version >= BREAKS else []
        tool.package(version, *fails)
    tool.matrix(*VERSIONS, builds="22631")
    status, answer, said = tool.bisect("--product", "tool", "--build", "22631")
    assert (status, answer["good"], answer["bad"]) == (0, "1.2.0", BREAKS), said
    assert "finds no licence" in answer["reason"]
    assert answer["fingerprint"]
    assert len({probe["fingerprint"] for probe in answer["probes"] if probe["seen"] == "bad"}) == 1
    assert len(answer["probes"]) <= 8
    repeated = subprocess.run(
        [sys.executable, "-m", *answer["commands"]["1.2.0"].split()], cwd=tool.folder, env=os.environ, check=False
    )
    assert repeated.returncode == 0


def test_the_last_build_that_is_refused_is_found(tool: Tool) -> None:
    """The launch condition wants Windows 11: 19045 is the last bad build, 22000 the first good one."""
    tool.package("1.0.0")
    tool.matrix("1.0.0", builds="19044, 19045, 22000, 22621, 22631")
    status, answer, said = tool.bisect("--over", "builds")
    assert (status, answer["good"], answer["bad"]) == (0, "22000", "19045"), said
    assert "needs Windows 11 (build 22000)" in answer["reason"]
    assert (
        "Windows 10 22H2 is the last bad build for Tool 1.0.0, Windows 11 21H2 the first good one" in answer["sentence"]
    )
