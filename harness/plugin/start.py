"""The start of a run: a site to run on, a folder to write to, and word of both to the workers."""

from __future__ import annotations

import shlex
from collections.abc import Collection, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from harness.errors import AuthoringError, SiteError
from harness.plugin import planning
from harness.plugin.exchange import Posted, exchange_of
from harness.plugin.lab_process import SERVE, LabDidNotStart, LabProcess
from harness.plugin.preflight import Reading
from harness.plugin.reading import matrix_at
from harness.plugin.settings import settings_key
from harness.running_lab import lab_that_is_up

if TYPE_CHECKING:
    from harness.results.plan import PlannedCell
    from harness.site import Site

MOST_MACHINES = 26  # of one build, in one lab
LAB_WITHIN = 300.0  # seconds: the first start on a machine builds the image of a guest


class Start:
    """What the controller holds from the first cell to the end of the session."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._lab: LabProcess | None = None
        self._site: Site | None = None
        self._run: Path | None = None

    def begin(self, cells: Sequence[PlannedCell], paths: Sequence[Path]) -> None:
        """Find the site, open the run and post both; raises pytest.UsageError, in one line, when that cannot be."""
        from harness.plugin.run import open_run
        from harness.plugin.summary import Summary
        from harness.site import read_site

        config = self._config
        try:
            place = self._site_file({cell.build for cell in cells if cell.skip is None})
            site = read_site(place) if place is not None else None
            if site is not None:
                site.vcenter.password.read()  # a password that is not there is a mistake now, not one for each cell
            is_lab, reaped = _met(site) if site is not None else (False, [])
            matrices = [matrix_at(config, path) for path in paths]
            run = open_run(
                config,
                cells,
                exchange_of(config),
                matrix=", ".join(matrix.name for matrix in matrices),
                site=site.name if site else "",
                site_file=str(place or ""),
                is_lab=config.stash[settings_key].on_the_lab or is_lab,
                command=shlex.join(["pytest", *config.invocation_params.args]),
                known_issues=planning.issues_of(matrices),
                triage=planning.notes_of(matrices),
                triage_files=list(dict.fromkeys(str(matrix.triage) for matrix in matrices)),
                packages=planning.packages_of(matrices),
                whole=planning.whole_of(cells, matrices, config.rootpath),
            )
        except (AuthoringError, LabDidNotStart) as error:
            raise pytest.UsageError(str(error)) from error
        run.said += reaped
        run.read_packages(Reading(matrices, cells))
        self._site, self._run = site, run.folder.path
        exchange_of(config).post(Posted(run=run.folder.path, site=place or Path()))
        config.pluginmanager.register(run, "wincompat-run")
        config.pluginmanager.register(Summary(run), "wincompat-summary")

    def _site_file(self, builds: Collection[str]) -> Path | None:
        settings = self._config.stash[settings_key]
        if not settings.on_the_lab:
            return Path(settings.site)
        if not builds:
            return None  # every cell is skipped: no machine is wanted
        if (place := lab_that_is_up()) is not None:
            return place
        if settings.keep != "none":
            raise pytest.UsageError("--keep needs a lab that outlives the run; start one with: wincompat lab up")
        numbers = sorted({build.partition(".")[0] for build in builds})
        machines = machines_for(self._config.getoption("numprocesses", None) or 1, len(numbers))
        chosen = [word for build in numbers for word in ("--build", build)]
        self._lab = LabProcess([*SERVE, "--stand-by", "--machines", str(machines), *chosen])
        return self._lab.site(LAB_WITHIN)

    def end(self) -> None:
        """Destroy what clones the run has left, and end the lab that was started here."""
        if self._site is not None and self._run is not None and _clones(self._site):
            _reap(self._site, self._run)
        if self._lab is not None:
            self._lab.stop()


start_key = pytest.StashKey[Start]()


def machines_for(workers: int, builds: int) -> int:
    """Count the machines of each build that keep all workers of pytest-xdist busy.

    Cells of different builds lie side by side, so workers are seldom at the same one. Each machine that is used costs
    what is learned of it once: its first boot, and the state that its snapshot begins with.
    """
    return min(workers, -(-workers // builds) + 1, MOST_MACHINES)


def _met(site: Site) -> tuple[bool, list[str]]:
    """Ask a site whether it is a lab, for a lab's site file may be named like any other, and reap what runs left there.

    Says in sentences what was reaped.
    """
    from harness.machines.clones import reap, told
    from harness.machines.vcenter import connected

    is_lab, words = False, []
    try:
        with connected(site) as vcenter:
            is_lab = vcenter.about.is_lab
            if _clones(site):
                words = told(list(reap(vcenter)))
    except SiteError as error:
        return is_lab, [f"orphans were not looked for: {error}"] if _clones(site) else []
    return is_lab, words


def _clones(site: Site) -> bool:
    return any(entry.strategy != "revert" for entry in site.machines)


def _reap(site: Site, run: Path) -> None:
    """Destroy the clones of this run, whose workers are gone by now, even those that were killed."""
    from harness.machines.clones import reap
    from harness.machines.supply import name_of_run
    from harness.machines.vcenter import connected

    # they are marked: what cannot be destroyed now is reaped by the next run
    with suppress(SiteError, AuthoringError), connected(site) as vcenter:
        for _ in reap(vcenter, run=name_of_run(run)):
            pass
