"""A project with a matrix whose scenarios need no machine: what they raise is the whole story."""

from __future__ import annotations

import hashlib
import json
import textwrap
from pathlib import Path
from typing import Any

import pytest

# imported once here: pytester forgets after each run in this process what only that run has imported
import harness.machines.vcenter
import harness.matrix
import harness.report.page  # noqa: F401

CONFTEST = '''
import pytest
from harness.errors import GuestLost, Hung, ProductFailed

def passes(cell, step):
    """It works."""
    with step("do it"):
        pass

def fails(cell, step):
    """It does not."""
    with step("install"):
        raise ProductFailed(f"msiexec ended with 1603 on {cell.build.slug}")

def hangs(cell):
    """It never ends."""
    raise Hung("setup.exe /S", 30.0)

def is_lost(cell, step):
    """The guest goes away."""
    with step("install"):
        raise GuestLost("stopped answering", machine="vm-7", advice="look at its console")

def breaks(cell):
    """The harness has a bug."""
    raise RuntimeError("oops")

def asserts(cell):
    """A plain assertion."""
    found = "1.0"
    assert found == "2.0", "the old version answers"

def pytest_wincompat_scenarios(config):
    return {"upgrade": fails} | {f.__name__: f for f in (passes, fails, hangs, is_lost, breaks, asserts)}
'''

SITE = """
name = "nowhere"
[vcenter]
host = "127.0.0.1"
port = 1
user = "nobody"
password = { file = "secret" }
[accounts.administrator]
user = "admin"
password = { file = "secret" }
[[machines]]
path = "vm"
build = 19044
snapshot = "clean"
address = "127.0.0.1"
"""


QUIET = ("-p", "no:hypothesispytest")  # another plugin of some environments, and seconds of import


class Project:
    """A folder with a conftest, a product, a site that does not answer, and a matrix."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester = pytester
        self.site = "site.toml"
        package = b"a package"
        digest = hashlib.sha256(package).hexdigest()
        pytester.makeconftest(CONFTEST)
        self.write("demo.zip", package.decode())
        self.write("secret", "sesame")
        self.write("site.toml", SITE)
        self.write(
            "fixtures/products/demo.toml",
            f"""
            id = "demo"
            name = "Demo"
            kind = "zip"
            install_dir = 'C:\\Program Files\\Demo'
            [[versions]]
            version = "1.0"
            file = "../../demo.zip"
            sha256 = "{digest}"
            [[versions]]
            version = "2.0"
            file = "../../demo.zip"
            sha256 = "{digest}"
            [proofs]
            files = ['{{install_dir}}\\demo.exe']
            """,
        )

    def write(self, name: str, text: str) -> Path:
        """Write a file of the project."""
        path = self.pytester.path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), "utf-8")
        return path

    def matrix(self, *scenarios: str, builds: str = "19044, 22631", more: str = "", name: str = "demo") -> Path:
        """Write a matrix of these scenarios."""
        listed = ", ".join(f'"{scenario}"' for scenario in scenarios)
        return self.write(
            f"matrices/{name}.toml",
            f'name = "{name}"\nbuilds = [{builds}]\nproducts = ["demo"]\nscenarios = [{listed}]\n'
            + textwrap.dedent(more),
        )

    def run(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in a process of its own on the site."""
        return self.pytester.runpytest_subprocess(f"--site={self.site}", *QUIET, *arguments)

    def run_here(self, *arguments: str) -> pytest.RunResult:
        """Run pytest in this process."""
        return self.pytester.runpytest_inprocess(f"--site={self.site}", "-p", "no:xdist", *QUIET, *arguments)

    @property
    def folder(self) -> Path:
        """The only run's folder."""
        runs = [path for path in (self.pytester.path / "build/runs").iterdir() if path.is_dir()]
        assert len(runs) == 1
        return runs[0]

    def results(self) -> dict[str, dict[str, Any]]:
        """Read the journal's results by cell."""
        lines = [json.loads(line) for line in (self.folder / "journal.jsonl").read_text("utf-8").splitlines()]
        return {line["cell"]: line for line in lines if "cell" in line}

    def verdicts(self) -> dict[str, str]:
        """Read the journal's verdicts by cell."""
        return {cell: result["verdict"] for cell, result in self.results().items()}
