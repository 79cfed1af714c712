"""A run as it might have been: 65 cells on five builds, with every verdict, logs, a picture and hostile words."""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from harness.builds import Build
from harness.causes import decided
from harness.results.journal import Journal
from harness.results.plan import Plan, PlannedCell, PlannedIssue
from harness.results.result import Fault, Result, Step, Verdict
from harness.results.run import RunFolder

BEGAN = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
BUILDS = (19044, 19045, 22000, 22621, 22631)
REVISIONS = {19044: "1288", 19045: "2006", 22000: "194", 22621: "382", 22631: "2428"}
STORIES = {
    "ninja-msi": (
        "msi",
        ("install", "upgrade[1.10.2->1.13.0]", "upgrade[1.11.1->1.13.0]", "denied", "rollback", "uninstall"),
    ),
    "ninja-exe": ("exe", ("install", "upgrade[1.11.1->1.13.0]", "denied", "uninstall")),
    "ninja-zip": ("zip", ("install", "uninstall")),
    "win11-only": ("msi", ("install",)),
}
HOSTILE = '<script>alert("guest")</script><img src=x onerror=alert(1)>\x1b[31m\u202egnp.exe\u202c\x00\x07'
ROLLBACK = PlannedIssue(
    id="wine-no-rollback",
    ticket="LAB-7",
    reason="Wine's Windows Installer keeps no rollback script: a failed upgrade leaves the new files behind",
    expires=date(2027, 6, 30),
)
MSI_LOG = """=== Logging started: 2026-11-20  08:31:44 ===
Action start 8:31:44: INSTALL.
Action start 8:31:44: FindRelatedProducts.
Action ended 8:31:44: FindRelatedProducts. Return value 1.
Action start 8:31:44: LaunchConditions.
This product needs Windows 11 (build 22000) or newer.
Action ended 8:31:44: LaunchConditions. Return value 3.
Action ended 8:31:44: INSTALL. Return value 3.
Property(S): UpgradeCode = {5B0F6B6E-3B1F-4C7C-9B0B-2F9F3C9F6A10}
Property(S): VersionNT64 = 1000
MSI (s) (A4:10): Product: Win11 Only -- Installation failed.
MSI (s) (A4:10): Windows Installer installed the product. Product Name: Win11 Only. Error status: 1603.
=== Logging stopped: 2026-11-20  08:31:45 ===
"""


def sample_run(
    parent: Path,
    *,
    builds: tuple[int, ...] = BUILDS,
    is_lab: bool = True,
    products: int = 1,
    began: datetime = BEGAN,
    alter: Callable[[Result], Result | None] = decided,
) -> RunFolder:
    """Write a whole run below ``parent``; ``products`` repeats the products under other names, for a larger one.

    ``alter`` has the last word on each result; what it makes None left none.
    """
    folder = RunFolder.create(parent, now=began)
    planned = tuple(_planned(builds, products))
    folder.write_plan(
        Plan(
            run=folder.run,
            matrix="demo",
            site="lab" if is_lab else "munich",
            provenance="Wine 8.0" if is_lab else "Windows",
            is_lab=is_lab,
            started=began,
            command="pytest matrices/demo.toml -n 2",
            cells=planned,
            known_issues=(
                ROLLBACK,
                PlannedIssue(id="old-banner", ticket="QA-31", reason="a banner too many", expires=date(2026, 12, 1)),
            ),
        )
    )
    journal = Journal(folder.journal_file)
    clock = began + timedelta(seconds=2)
    for number, cell in enumerate(planned):
        came = _result(folder, cell, number, clock, is_lab=is_lab)
        result = alter(came) if came is not None else None
        if result is not None:
            journal.append(result)
            clock += timedelta(seconds=result.seconds / 2)
    return folder


def _planned(builds: tuple[int, ...], products: int) -> Iterator[PlannedCell]:
    for copy in range(products):
        for product, (kind, stories) in STORIES.items():
            name = product if not copy else f"{product}-{copy + 1}"
            for number in builds:
                build = Build(number)
                for story in stories:
                    scenario, _, leg = story.rstrip("]").partition("[")
                    cell = f"{build.slug}::{name}::{story}"
                    skip = (
                        "the archive has no uninstaller on Windows 10 21H2"
                        if (product, scenario, number) == ("ninja-zip", "uninstall", 19044)
                        else None
                    )
                    yield PlannedCell(
                        cell=cell,
                        build=str(number),
                        build_name=build.name,
                        product=name,
                        kind=kind,
                        scenario=scenario,
                        leg=leg,
                        skip=skip,
                        node=f"matrices/demo.toml::{cell}",
                        issues=(ROLLBACK.id,)
                        if scenario == "rollback"
                        else (("old-banner",) if kind == "exe" and scenario == "install" else ()),
                    )


def _result(folder: RunFolder, cell: PlannedCell, number: int, began: datetime, *, is_lab: bool) -> Result | None:
    build, scenario = int(cell.build), cell.scenario
    if (cell.product, build) == ("ninja-exe", 22631) and scenario == "uninstall":
        return None  # planned, and never run
    if cell.skip:
        return _plain(cell, Verdict.SKIPPED, reason=cell.skip)
    speed = 0.8 + int(hashlib.sha256(cell.cell.encode()).hexdigest()[:4], 16) / 65536 * 0.6 + (build > 22000) * 0.15
    steps = list(_steps(cell, speed))
    evidence = [folder.keep(cell.cell, "install.log", _log(cell, speed), kind="log")]
    verdict, fault, reason, issue = Verdict.PASSED, Fault.NOBODY, "", None
    notes: tuple[str, ...] = ()
    if cell.product.startswith("win11-only") and build < 22000:
        verdict, fault = Verdict.FAILED, Fault.PRODUCT
        reason = (
            "msiexec ended with 1603 (fatal error during installation): "
            "This product needs Windows 11 (build 22000) or newer."
        )
        steps = [*steps[:2], steps[2].model_copy(update={"error": reason})]
        evidence = [folder.keep(cell.cell, "install.log", MSI_LOG.replace("\n", "\r\n").encode("utf-16"), kind="log")]
    elif scenario == "rollback":
        verdict, fault, issue = Verdict.FAILED, Fault.PRODUCT, ROLLBACK.id
        reason = (
            "after the failed upgrade, ninja --version prints nothing; 1.11.1 should have stayed installed and working"
        )
        steps[-1] = steps[-1].model_copy(update={"error": reason})
    elif (cell.product, build, scenario) == ("ninja-exe", 22000, "install"):
        verdict, fault = Verdict.HUNG, Fault.PRODUCT
        reason = "still running after 120 s and ended: ninja-1.13.0-setup.exe /S"
        steps = [*steps[:2], Step(name="install 1.13.0", started=0.9, seconds=120.0, error=reason)]
        evidence.append(folder.keep(cell.cell, "console.png", picture(), kind="screenshot"))
        notes = ("The process tree was ended: ninja-1.13.0-setup.exe (pid 1824) and 1 child.",)
    elif (cell.product, build) == ("ninja-zip", 22621):
        verdict, fault = Verdict.BLOCKED, Fault.SITE
        reason = (
            f"win11-22h2-{'ab'[number % 2]}: the guest stopped answering in the middle of a step; "
            "look at its console in vSphere"
        )
        steps = [*steps[:2], steps[2].model_copy(update={"error": reason})]
    elif (cell.product, build, scenario) == ("ninja-exe", 19045, "denied"):
        verdict, fault = Verdict.FAILED, Fault.PRODUCT
        reason = f"an ordinary user could install: the installer said {HOSTILE}"
        notes = ("user=\u202ebmuN\u202c " + "A" * 2000,)
        evidence.append(
            folder.keep(
                cell.cell, "stdout.txt", HOSTILE + "\n" + "B" * 100_000 + "\nError 5: access denied", kind="text"
            )
        )
    return _plain(
        cell,
        verdict,
        fault=fault,
        reason=reason,
        known_issue=issue,
        machine=f"{Build(build).slug}-{'ab'[number % 2]}",
        provenance=f"Wine 8.0 presenting as {build}" if is_lab else f"Windows {build}",
        guest={
            "build": str(build),
            "revision": REVISIONS.get(build, "1"),
            "display_version": Build(build).name.rpartition(" ")[2],
            "edition": "Enterprise",
        },
        steps=tuple(steps),
        evidence=tuple(evidence),
        notes=notes,
        started=began,
        seconds=round(steps[-1].started + steps[-1].seconds + 0.05, 3),
        worker=f"gw{number % 2}",
    )


def _plain(cell: PlannedCell, verdict: Verdict, **more: object) -> Result:
    known = {name: getattr(cell, name) for name in ("cell", "build", "product", "kind", "scenario", "leg")}
    return Result.model_validate({**known, "verdict": verdict, **more})


def _steps(cell: PlannedCell, speed: float) -> Iterator[Step]:
    old, _, new = cell.leg.partition("->")
    names = {
        "install": ("install 1.13.0", "prove the installation", "uninstall", "look for what is left"),
        "upgrade": (f"install {old}", "leave user data", f"upgrade to {new}", "prove the upgrade"),
        "denied": ("prove the account is limited", "install as an ordinary user", "look for what is left"),
        "rollback": ("install 1.11.1", "upgrade with a package that fails", "prove the old version"),
        "uninstall": ("install 1.13.0", "uninstall", "look for what is left"),
    }[cell.scenario]
    at = 0.0
    for place, name in enumerate(("revert", "wait for the guest", *names)):
        seconds = round((0.31, 0.12, 0.74, 0.28, 0.92, 0.2)[place] * speed, 3)
        yield Step(name=name, started=round(at, 3), seconds=seconds)
        at += seconds + 0.004


def _log(cell: PlannedCell, speed: float) -> str:
    lines = [f"Action start 8:31:4{n}: Action{n} of {cell.product}.\nAction ended. Return value 1." for n in range(9)]
    return "\n".join([*lines, f"Product: {cell.product} -- done in {speed:.2f} s. Error status: 0.", ""])


def picture(width: int = 800, height: int = 500) -> bytes:
    """Draw a desktop with one dialog that waits for somebody, as a PNG."""
    rows = bytearray()
    for y in range(height):
        row = bytearray(b"\x00" + b"\x00\x4e\x98" * width)  # the desktop
        if 150 <= y < 330:
            inside = b"\x0b\x2a\x55" if y < 180 else b"\xf0\xf0\xf0"
            row[1 + 3 * 220 : 1 + 3 * 580] = inside * 360
            if 285 <= y < 312:
                row[1 + 3 * 460 : 1 + 3 * 560] = b"\xc4\xc4\xc4" * 100
            if y in (210, 211, 212, 226, 227, 228):
                row[1 + 3 * 250 : 1 + 3 * 500] = b"\x40\x40\x40" * 250
        rows += row
    parts = [
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(rows), 9)),
        (b"IEND", b""),
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in parts
    )
