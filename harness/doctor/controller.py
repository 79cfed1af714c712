"""Checks of this controller: secrets, budgets, room on its disks."""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

from harness.authoring import shown
from harness.doctor.check import Check
from harness.doctor.finding import Answer, fail, ok, warn
from harness.doctor.visit import SiteVisit
from harness.errors import AuthoringError
from harness.secret import Secret
from harness.site import Budgets

GIB = 1 << 30
SCARCE, TIGHT = 1 * GIB, 5 * GIB  # a run with pictures and logs of a thousand cells takes less than one


def _secret(secret: Secret) -> Answer:
    try:
        secret.read()
    except AuthoringError as error:
        if secret.env is not None:
            return fail(str(error), f"set it where this is started (in CI a masked variable): export {secret.env}=...")
        if secret.file is not None:
            return fail(str(error), "write the password alone into that file, readable by you alone")
        return fail(str(error), "or name another place for it in the site file")
    if secret.file is not None and os.name == "posix":
        mode = stat.S_IMODE(secret.file.stat().st_mode)
        if mode & 0o077:
            return warn(
                f"{shown(secret.file)} is open to other users of this controller (mode {mode:o})",
                f"chmod 600 {shown(secret.file)}",
            )
    return ok(f"found in {secret.place}")


def _secret_of_vcenter(visit: SiteVisit) -> Answer:
    return _secret(visit.site.vcenter.password)


def _secret_of_administrator(visit: SiteVisit) -> Answer:
    return _secret(visit.site.accounts["administrator"].password)


def _secret_of_standard(visit: SiteVisit) -> Answer:
    account = visit.site.accounts.get("standard")
    if account is None:
        return warn("the site has no standard account", "add [accounts.standard], or leave out the scenario 'denied'")
    return _secret(account.password)


# what is odd, in words with the numbers in them, and what to do about it
_ODD: tuple[tuple[Callable[[Budgets], bool], str, str], ...] = (
    (
        lambda b: b.request > b.task,
        "one call may take longer (request = {b.request:g}) than a whole task (task = {b.task:g})",
        "lower budgets.request or raise budgets.task",
    ),
    (
        lambda b: b.request > b.ready,
        "one call may take longer (request = {b.request:g}) than the whole wait for a guest (ready = {b.ready:g})",
        "lower budgets.request or raise budgets.ready",
    ),
    (
        lambda b: b.request < 5,
        "a vCenter under load needs more than request = {b.request:g} s for some calls",
        "raise budgets.request to 30",
    ),
    (
        lambda b: b.task < 60,
        "task = {b.task:g} s is short: a revert on a busy datastore takes a minute",
        "raise budgets.task to 300",
    ),
    (
        lambda b: b.ready < 60,
        "ready = {b.ready:g} s is short: Windows takes 30 to 90 s to boot",
        "raise budgets.ready to 600",
    ),
    (
        lambda b: b.lease < b.task + b.ready,
        "a cell gives up waiting (lease = {b.lease:g}) before another has reverted a machine (task + ready = {both:g})",
        "raise budgets.lease",
    ),
)


def _budgets(visit: SiteVisit) -> Answer:
    budgets = visit.site.budgets
    odd = [
        (words.format(b=budgets, both=budgets.task + budgets.ready), advice)
        for holds, words, advice in _ODD
        if holds(budgets)
    ]
    if odd:
        return warn("; ".join(words for words, _ in odd), "; ".join(dict.fromkeys(advice for _, advice in odd)))
    return ok(
        f"request {budgets.request:g} s, task {budgets.task:g} s, ready {budgets.ready:g} s, lease {budgets.lease:g} s"
    )


def _runs(visit: SiteVisit) -> Answer:
    return room_in(visit.runs, "for a run's evidence", "name another folder with --runs")


def room_in(folder: Path, what: str, otherwise: str) -> Answer:
    """Judge the room in a folder, or in the nearest one above that there is, and whether it may be written to."""
    there = folder
    while not there.exists() and there != there.parent:
        there = there.parent
    free = shutil.disk_usage(there).free
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        return fail(f"{shown(folder)} cannot be written to {what}", otherwise)
    words = f"{free / GIB:.1f} GiB free in {shown(folder)}"
    if free < SCARCE:
        return fail(f"{words} is too little {what}", f"make room, or {otherwise}")
    return warn(f"{words} is little {what}", f"make room, or {otherwise}") if free < TIGHT else ok(words)


CHECKS: tuple[Check[SiteVisit], ...] = (
    Check("secret vcenter", (), _secret_of_vcenter),
    Check("secret administrator", (), _secret_of_administrator),
    Check("secret standard", (), _secret_of_standard),
    Check("budgets", (), _budgets),
    Check("disk", (), _runs),
)
