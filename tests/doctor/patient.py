"""A site that is well, to be spoilt in one place, and the doctor's findings about it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from harness.cli import wincompat


@dataclass(frozen=True)
class Looked:
    """What the command said: its exit code, its findings, its whole output."""

    code: int
    findings: list[dict[str, Any]]
    output: str

    def marked(self, mark: str) -> list[dict[str, Any]]:
        """Give the findings of one mark."""
        return [found for found in self.findings if found["mark"] == mark]

    def of(self, check: str) -> dict[str, Any]:
        """Give the one finding of a check."""
        (found,) = [found for found in self.findings if found["check"] == check]
        return found


def look(site_file: Path, *options: str) -> Looked:
    """Have the doctor look at a site."""
    result = CliRunner().invoke(wincompat, ["doctor", str(site_file), "--json", *options], catch_exceptions=False)
    findings = json.loads(result.stdout)["findings"] if result.stdout.startswith("{") else []
    return Looked(result.exit_code, findings, result.output)


class Patient:
    """The lab's site file as text, with one machine in it."""

    def __init__(self, lab: Path, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        head, first, *_ = lab.read_text("utf-8").split("[[machines]]")
        self.text = f"{head}[[machines]]{first}"
        for name in ("ca.pem", "secrets/"):
            self.text = self.text.replace(f'"{name}', f'"{lab.parent}/{name}')

    def spoil(self, what: str, by: str) -> None:
        """Replace a part of the file, which has to be there."""
        assert what in self.text, f"{what!r} is not in {self.text}"
        self.text = self.text.replace(what, by)

    def log_in_as(self, user: str, secret: str, other: str, others: str) -> None:
        """Let one user be another one, with the other's secret."""
        self.spoil(f'"{user}"', f'"{other}"')
        self.spoil(f"{secret}.secret", f"{others}.secret")

    def secret(self, name: str) -> str:
        """Read a secret of the lab."""
        return (self.lab.parent / "secrets" / f"{name}.secret").read_text("utf-8")

    def wrong_secret(self, name: str) -> None:
        """Let a secret be another one."""
        file = self.folder / f"{name}.wrong"
        file.write_text("Wr0ng-and-not-to-be-seen", "utf-8")
        file.chmod(0o600)
        self.spoil(f"{self.lab.parent}/secrets/{name}.secret", str(file))

    @property
    def file(self) -> Path:
        """The site file as it stands now."""
        file = self.folder / "site.toml"
        file.write_text(self.text, "utf-8")
        return file

    def looked(self, *options: str) -> Looked:
        """Have the doctor look at it."""
        return look(self.file, *options)
