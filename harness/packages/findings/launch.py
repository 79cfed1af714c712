"""Launch conditions: whom they turn away, and whether they know what they ask."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from harness.builds import Build
from harness.packages.finding import Finding, Outcome, Prediction, Severity, predictions
from harness.packages.msi.condition import Truth, Unreadable, names_in, truth
from harness.packages.msi.product import Msi
from harness.packages.msi.tables import number, text
from harness.packages.subject import MsiSubject

_CURRENT_VERSION = r"software\microsoft\windows nt\currentversion"
_ARCHITECTURES: Mapping[str, Mapping[str, str]] = {
    "x64": {"VersionNT64": "603", "Msix64": "6", "MsiAMD64": "6", "Intel": "6"},
    "arm64": {"VersionNT64": "603", "Arm64": "1"},
    "x86": {"Intel": "6"},
}
# what an elevated, silent first installation finds, whatever the machine
_ALWAYS = {"Privileged": "1", "AdminUser": "1", "MsiNTProductType": "1", "VersionMsi": "5.00", "UILevel": "2"}
_OF_WINDOWS = frozenset({"VersionNT", "VersionNT64", "WindowsBuild", "ServicePackLevel"})
_OLD_WINDOWS = "Windows 8.1 and Server 2012 R2"


def excluded_builds(subject: MsiSubject) -> Iterator[Finding]:
    """Look for builds that are to be proven and that the package refuses."""
    for condition, message in _conditions(subject.msi):
        refused = [build for build in subject.builds if _answer(subject, condition, build) is False]
        if refused:
            names = ", ".join(_name(build) for build in refused)
            yield Finding(
                code="launch-condition-excludes-build",
                severity=Severity.WARNING,
                sentence=f"the launch condition {condition!r} refuses {names}"
                + (f" with {message!r}" if message else ""),
                subject=condition,
                advice="skip the builds in the matrix, with this as the reason, or mend the condition",
                predicts=predictions(
                    Outcome.REFUSED,
                    "install",
                    "upgrade",
                    "uninstall",
                    builds=tuple(build.number for build in refused),
                ),
            )


def blocked_removal(subject: MsiSubject) -> Iterator[Finding]:
    """Ask whether the product can be removed and repaired where its conditions do not hold any more."""
    for condition, message in _conditions(subject.msi):
        installed = {
            **subject.msi.properties,
            **_ALWAYS,
            "Installed": "00:00:00",
            "VersionNT": "502",
            "WindowsBuild": "0",
        }
        try:
            answer = truth(condition, installed)
        except Unreadable as error:
            yield Finding(
                code="launch-condition-unreadable",
                severity=Severity.ERROR,
                sentence=f"the launch condition {condition!r} is none that Windows Installer reads: {error}",
                subject=condition,
                advice="mend the condition",
                predicts=(Prediction(scenario="install", outcome=Outcome.FAILS),),
            )
            continue
        if answer is False:
            yield Finding(
                code="launch-condition-blocks-removal",
                severity=Severity.WARNING,
                sentence=f"the launch condition {condition!r} lacks 'Installed OR': where it does not hold, the "
                "product "
                f"can be neither repaired nor removed" + (f", only told {message!r}" if message else ""),
                subject=condition,
                advice=f"write it as 'Installed OR ({condition})'",
                predicts=(
                    Prediction(
                        scenario="uninstall",
                        outcome=Outcome.NOT_REMOVABLE,
                        when="the machine changed since the installation so that the condition is false",
                    ),
                ),
            )


def promises(subject: MsiSubject) -> Iterator[Finding]:
    """Look for conditions that let pass whom their own message keeps out."""
    names = {subject.msi.properties.get("ProductName", ""), "[ProductName]"} - {""}
    for condition, message in _conditions(subject.msi):
        said = message
        for name in names:
            said = said.replace(name, "")  # a product may be called after a Windows
        wanted = re.search(r"\bWindows (10|11)\b", said)
        if wanted is None or not names_in(condition) & (_OF_WINDOWS | _looked_up(subject.msi, Build(0)).keys()):
            continue
        older = Build(19045) if wanted[1] == "11" else Build(9600)
        if _answer(subject, condition, older) is not True:
            continue
        name = "Windows 10" if wanted[1] == "11" else _OLD_WINDOWS
        builds = tuple(build.number for build in subject.builds if build.number < 22000) if wanted[1] == "11" else ()
        yield Finding(
            code="launch-condition-lets-pass",
            severity=Severity.WARNING,
            sentence=f"the launch condition {condition!r} says {message!r} and lets {name} pass: Windows Installer "
            "reports VersionNT 603 from Windows 8.1 on",
            subject=condition,
            advice="look CurrentBuild up in the registry (AppSearch) and compare that",
            predicts=(Prediction(scenario="install", outcome=Outcome.NOT_REFUSED, builds=builds, surely=True),)
            if builds
            else (),
        )


def properties_on(subject: MsiSubject, build: Build) -> dict[str, str]:
    """Give the properties that a first installation finds on a build, as far as the build decides them."""
    found = {
        **subject.msi.properties,
        **_ALWAYS,
        **_ARCHITECTURES.get(subject.declared.architecture, {}),
        # msiexec has no manifest for Windows 10, so every build since 8.1 is 6.3.9600 to it
        "VersionNT": "603",
        "WindowsBuild": "9600",
        "ServicePackLevel": "0",
    }
    return {**found, **_looked_up(subject.msi, build)}


def _answer(subject: MsiSubject, condition: str, build: Build) -> Truth:
    known = properties_on(subject, build)
    searched = {text(row, "Property") for row in subject.msi.rows("AppSearch")} - known.keys()
    set_by_actions = {action.source for action in subject.msi.actions if action.kind in (35, 51)}
    try:
        return truth(condition, known, open_ones=searched | set_by_actions)
    except Unreadable:
        return None


def _looked_up(msi: Msi, build: Build) -> dict[str, str]:
    """Find what AppSearch reads of the build's own key; what it reads elsewhere nobody knows here."""
    locators = {text(row, "Signature_"): row for row in msi.rows("RegLocator")}
    found = {}
    for row in msi.rows("AppSearch"):
        locator = locators.get(text(row, "Signature_"))
        if locator is None or text(locator, "Key").strip("\\").casefold() != _CURRENT_VERSION:
            continue
        value = _registry_of(build).get(text(locator, "Name").casefold())
        if value is not None and number(locator, "Root") == 2:
            found[text(row, "Property")] = value
    return found


def _registry_of(build: Build) -> Mapping[str, str]:
    numbers = {"currentbuild": str(build.number), "currentbuildnumber": str(build.number), "currentversion": "6.3"}
    if build.number >= 10240:
        numbers |= {"currentmajorversionnumber": "#10", "currentminorversionnumber": "#0"}
    if build.revision:
        numbers["ubr"] = f"#{build.revision}"
    return numbers


def _conditions(msi: Msi) -> Iterator[tuple[str, str]]:
    if "LaunchConditions" not in msi.sequence:
        return
    for row in msi.rows("LaunchCondition"):
        # compilers keep an author's line breaks
        yield " ".join(text(row, "Condition").split()), _filled(" ".join(text(row, "Description").split()), msi)


def _filled(message: str, msi: Msi) -> str:
    return re.sub(r"\[(\w+)\]", lambda found: msi.properties.get(found[1], found[0]), message)


def _name(build: Build) -> str:
    try:
        return f"{build.name} ({build})"
    except ValueError:
        return str(build)
