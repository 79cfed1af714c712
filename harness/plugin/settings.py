"""The plugin's options, read once into one frozen value."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Literal

import pytest

from harness.builds import Build
from harness.errors import AuthoringError
from harness.results.history.address import refuse_password

THE_LAB = "lab"

Keep = Literal["none", "failed", "all"]

MOST_RETRIES = 10
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the command line and the ini file ask for; empty selections mean "everything"."""

    site: str
    runs: Path
    builds: tuple[Build, ...] = ()
    products: tuple[str, ...] = ()
    scenarios: tuple[str, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    keep: Keep = "none"
    keep_for: float = 14_400.0
    retries: int = 0
    history: str = ""  # the URL of earlier runs; "" for none
    add_to_history: bool = False

    @property
    def on_the_lab(self) -> bool:
        """Whether the embedded lab is asked for rather than a site file."""
        return self.site == THE_LAB


settings_key = pytest.StashKey[Settings]()


def add_options(parser: pytest.Parser) -> None:
    """Declare the options, in one group, and their ini keys."""
    group = parser.getgroup("wincompat", "Windows compatibility matrices")
    group.addoption("--site", metavar="FILE|lab", help="site file to take machines from (default: the embedded lab)")
    group.addoption(
        "--build",
        action="append",
        default=[],
        metavar="BUILD",
        help="only this build: 19044 or win10-21h2, or with a revision: 19044.4529; repeatable",
    )
    group.addoption("--product", action="append", default=[], metavar="NAME", help="only this product; repeatable")
    group.addoption("--scenario", action="append", default=[], metavar="NAME", help="only this scenario; repeatable")
    group.addoption(
        "--product-version",
        action="append",
        default=[],
        metavar="PRODUCT=VERSION",
        help="as if this version were the product's newest: go=1.22.10; repeatable",
    )
    group.addoption("--runs", metavar="DIR", help="folder that receives a folder for each run (default: build/runs)")
    group.addoption(
        "--keep",
        choices=("none", "failed", "all"),
        default="none",
        help="leave machines as cells left them, with a snapshot and a lease: of those that failed or hung, or all "
        "that did not pass (default: none)",
    )
    group.addoption(
        "--keep-for", metavar="TIME", default="4h", help="how long they are kept: 90m, 4h, 2d (default: 4h)"
    )
    group.addoption(
        "--retries",
        metavar="N",
        default="0",
        help="try a cell that did not pass again, up to N times, each on a machine that is reverted anew; one that "
        "passes then is flaky, not passed (default: 0)",
    )
    group.addoption(
        "--history",
        metavar="URL",
        help="compare the report with the runs that `wincompat history` keeps there: a folder, s3://..., gs://..., "
        "abfs://... (default: WINCOMPAT_HISTORY)",
    )
    group.addoption("--add-to-history", action="store_true", help="put the run into that history when it has ended")
    group.addoption(
        "--live", action="store_true", help="show every machine and its step while cells run, on a terminal"
    )
    parser.addini("wincompat_site", "site file to take machines from; lab is the embedded lab", default=THE_LAB)
    parser.addini("wincompat_runs", "folder that receives a folder for each run", default="build/runs")
    parser.addini(
        "wincompat_history", "history that the report of a run is compared with: a folder or a URL", default=""
    )
    parser.addini("wincompat_add_to_history", "put each run into that history", type="bool", default=False)


def read_settings(config: pytest.Config) -> Settings:
    """Read the options; raises pytest.UsageError for a build that no Windows has."""
    if config.getoption("--live") and find_spec("rich") is None:
        raise pytest.UsageError("--live needs rich: pip install pytest-wincompat[watch]")
    builds = []
    for word in config.getoption("--build"):
        try:
            build = Build.parse(word)
            build.release  # noqa: B018 - asking is the check: the catalog refuses what it does not know
        except ValueError as error:
            raise pytest.UsageError(f"--build: {error}") from error
        builds.append(build)
    site, runs = config.getoption("--site"), config.getoption("--runs")
    # what is typed is meant from where it is typed; what stands in the ini file is meant from the project's root, which
    # pytest only knows for sure where there is an ini file: it takes values of options for places to look at, too
    here = config.invocation_params.dir
    root = config.rootpath if config.inipath is not None else here
    site = _place(site, here) if site else _place(config.getini("wincompat_site"), root)
    history = _history(config, here, root)
    adds = bool(config.getoption("--add-to-history") or config.getini("wincompat_add_to_history"))
    if adds and not history:
        raise pytest.UsageError("--add-to-history needs a history: --history URL, or wincompat_history in the ini file")
    return Settings(
        site=site,
        runs=here / runs if runs else root / config.getini("wincompat_runs"),
        builds=tuple(builds),
        products=tuple(config.getoption("--product")),
        scenarios=tuple(config.getoption("--scenario")),
        versions=dict(_pair(words) for words in config.getoption("--product-version")),
        keep=config.getoption("--keep"),
        keep_for=_seconds(config.getoption("--keep-for")),
        retries=_retries(config.getoption("--retries")),
        history=history,
        add_to_history=adds,
    )


def _history(config: pytest.Config, here: Path, root: Path) -> str:
    """Find the history: typed, in the environment as for ``wincompat history``, or in the ini file."""
    typed = config.getoption("--history") or os.environ.get("WINCOMPAT_HISTORY", "")
    url, folder = (typed, here) if typed else (config.getini("wincompat_history"), root)
    try:
        refuse_password(url)
    except AuthoringError as error:
        raise pytest.UsageError(f"--history: {error}") from error
    return str(folder / url) if url and "://" not in url else str(url)


def _retries(text: str) -> int:
    if not text.strip().isdecimal() or int(text) > MOST_RETRIES:
        raise pytest.UsageError(f"--retries: {text!r} should be a number from 0 to {MOST_RETRIES}")
    return int(text)


def _pair(words: str) -> tuple[str, str]:
    product, separator, version = words.partition("=")
    if not (product and separator and version):
        raise pytest.UsageError(f"--product-version: {words!r} should be like go=1.22.10")
    return product, version


def _seconds(text: str) -> float:
    found = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd]?)", text.strip())
    seconds = float(found[1]) * _UNITS[found[2] or "s"] if found else 0.0
    if not 60 <= seconds <= 30 * 86_400:
        raise pytest.UsageError(f"--keep-for: {text!r} should be a time like 90m, 4h or 2d, of a minute to 30 days")
    return seconds


def _place(site: str, folder: Path) -> str:
    return site if site == THE_LAB else str(folder / site)
