"""What a guest says that it is, read in one round trip."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from harness.builds import Build
from harness.errors import GuestLost
from harness.guest import environment as surroundings
from harness.guest.environment import Environment
from harness.guest.figures import figure
from harness.guest.outcome import Outcome
from harness.guest.registry import RegistryValue, read_keys

_TOOLS = ("curl", "tar", "certutil", "wevtutil")
_POWERSHELL = r"%SystemRoot%\Microsoft.NET\assembly\GAC_MSIL\System.Management.Automation"

# a guest without it may have programs of these names that do nothing
_SERVICING = r"%SystemRoot%\servicing\TrustedInstaller.exe"

# only the first starts a program; whoami, and asking the tools themselves, would cost as much as all the rest
_OWN: tuple[str, ...] = (
    r'reg query "HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion"',
    r"echo %USERDOMAIN%\%USERNAME%",
    "echo %TEMP%",
    f"for %t in ({' '.join(_TOOLS)}) do @if exist %SystemRoot%\\System32\\%t.exe echo %t",
    # without this PowerShell cannot start, whatever lies in System32
    f"(if exist {_POWERSHELL} echo powershell)& (if exist {_SERVICING} echo icacls)",
)

QUESTIONS: tuple[str, ...] = (*_OWN, *surroundings.QUESTIONS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the guest says: Windows build with revision, names from its registry, who we are in it, which tools it has.

    ``has`` are tools that are there, which on a lab guest may be programs that do nothing; ``temp`` is the account's
    folder for temporary files.
    ``product_name`` is the registry's, which says "Windows 10" on Windows 11, too: show ``build.name`` instead.
    ``provenance`` is "Windows" or, on the lab, "Wine 8.0 presenting as 19044.1288".
    """

    build: Build
    display_version: str
    edition: str
    product_name: str
    account: str
    temp: str
    has: frozenset[str]
    provenance: str
    environment: Environment

    @property
    def revision(self) -> int:
        """The update build revision (UBR), which changes with every cumulative update."""
        return self.build.revision

    @property
    def is_lab(self) -> bool:
        """Whether this is a guest of the embedded lab, so that nothing it shows is evidence about Windows."""
        return self.provenance != "Windows"

    def as_text(self) -> dict[str, str]:
        """Give the facts as plain text by name, for a journal or a page."""
        return {
            "build": str(self.build),
            "display version": self.display_version,
            "edition": self.edition,
            "product name": self.product_name,
            "account": self.account,
            "tools": ", ".join(sorted(self.has)),
            **self.environment.as_text(),
            "provenance": self.provenance,
        }


def read_facts(answers: Sequence[Outcome], *, machine: str) -> Facts:
    """Read the answers to QUESTIONS; raises GuestLost when the guest does not even tell its build."""
    version, account, temp, tools, powershell = answers[: len(_OWN)]
    values = _only_key(version)
    number = figure(values.get("currentbuild", RegistryValue("", "")).text)
    if number is None:
        raise GuestLost(
            f"it does not tell its Windows build: {version.text.strip()[:200] or 'no answer'}",
            machine=machine,
            advice=r"look at HKLM\SOFTWARE\Microsoft\Windows NT\CurrentVersion in the guest",
        )
    revision = values["ubr"].number if "ubr" in values else None
    build = Build(number, revision or 0)
    wine = values.get("wine")  # Windows has no value of this name; a lab guest does, and says which Wine it is
    return Facts(
        build=build,
        display_version=(values.get("displayversion") or values.get("releaseid") or RegistryValue("", "")).text,
        edition=values.get("editionid", RegistryValue("", "")).text,
        product_name=values.get("productname", RegistryValue("", "")).text,
        account=account.stdout.strip(),
        temp=temp.stdout.strip().rstrip("\\"),
        has=frozenset((tools.stdout + powershell.stdout).split()),
        provenance=f"Wine {_bare(wine.text)} presenting as {build}" if wine else "Windows",
        environment=surroundings.read_environment(answers[len(_OWN) :]),
    )


def _only_key(answer: Outcome) -> dict[str, RegistryValue]:
    """Give the values of the key that was asked for; ``reg`` lists the names of its subkeys after it."""
    return dict(next(iter(read_keys(answer.stdout).values()), {}))


def _bare(version: str) -> str:
    return re.sub(r"^(wine[- ]*)", "", version.strip(), flags=re.IGNORECASE)
