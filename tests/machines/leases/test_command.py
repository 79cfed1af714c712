"""``wincompat leases``: what a person sees and does."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy
from click.testing import CliRunner, Result

from harness.builds import Build
from harness.cli import wincompat
from harness.errors import LeaseLost
from harness.machines.leases import leased
from harness.machines.leases.store import open_store
from harness.site import Site, read_site

WIN10 = Build(19045)

_SITE = """
name = "ours"
[vcenter]
host = "vc.example.com"
user = "u"
password = {{ env = "P" }}
[accounts.administrator]
user = "a"
password = {{ env = "P" }}
[leases]
url = "{url}"
[budgets]
lease = 0.2
[[machines]]
path = "DC/vm/win10-01"
build = 19045
snapshot = "clean"
address = "x"
[[machines]]
path = "DC/vm/win10-02"
build = 19045
snapshot = "clean"
address = "y"
"""

Run = Callable[..., Result]


@pytest.fixture
def site_file(url: sqlalchemy.URL, tmp_path: Path) -> Path:
    """Write a site file that names the store."""
    file = tmp_path / "ours.toml"
    file.write_text(_SITE.format(url=url.render_as_string(hide_password=False)), "utf-8")
    return file


@pytest.fixture
def ours(site_file: Path) -> Site:
    """Read it as a run does."""
    return read_site(site_file)


@pytest.fixture
def run(site_file: Path) -> Run:
    """Run ``wincompat leases ... --site ours.toml``."""
    return lambda *words: CliRunner().invoke(wincompat, ["leases", *words, "--site", str(site_file)])


def test_what_is_going_on(run: Run, ours: Site) -> None:
    """Who has what, since when and until when; who waits; what is away, and why."""
    assert run().output.startswith("no machine was ever leased in ")
    assert run("quarantine", "win10-02", "--reason", "its disk is full").exit_code == 0
    with leased(ours, WIN10, holder="gw0 for win10::tool::install") as lease:
        lines = run().output.splitlines()
        assert [line.split()[:2] for line in lines] == [
            ["machine", "state"],
            ["DC/vm/win10-01", "leased"],
            ["DC/vm/win10-02", "quarantine"],
        ]
        assert "gw0 for win10::tool::install (process " in lines[1]
        assert lines[2].endswith("released  its disk is full")
        lease.keep(3600, "kept to look at")
    told = json.loads(run("--json").output)
    first, second = told["machines"]
    assert (first["state"], first["kept"], first["token"]) == ("kept", "kept to look at", lease.token)
    assert first["expires"].endswith("+00:00")
    assert (second["state"], second["quarantined"]) == ("quarantine", "its disk is full")
    assert told["waiting"] == []


def test_a_lease_is_broken(run: Run, ours: Site) -> None:
    """The holder is told, the machine is free, and a second time there is nothing to break."""
    with pytest.raises(LeaseLost, match="broken"), leased(ours, WIN10, holder="cell one"):
        done = run("break", "DC/vm/win10-01")
    assert done.exit_code == 0
    assert done.output.startswith("DC/vm/win10-01 is taken from cell one (process ")
    again = run("break", "win10-01")
    assert (again.exit_code, again.output) == (1, "DC/vm/win10-01 is not leased\n")


def test_a_machine_is_released(run: Run, ours: Site) -> None:
    """From quarantine, or from being kept; a machine that is neither is said so."""
    run("quarantine", "win10-01", "--reason", "drifted", "--hours", "2")
    done = run("release", "win10-01")
    assert done.output == "DC/vm/win10-01 is released; it was put away because: drifted\n"
    assert run("release", "win10-01").exit_code == 1
    with leased(ours, WIN10, holder="cell one") as lease:
        assert lease.entry.path == "DC/vm/win10-01"


def test_a_name_that_is_not_known(run: Run) -> None:
    """The nearest right word is named."""
    done = run("release", "win10-1")
    assert done.exit_code == 2
    assert "did you mean 'win10-0" in done.output
    assert run("release", "x").output.endswith("choose from win10-01, win10-02\n")


def test_a_quarantine_wants_a_reason(run: Run) -> None:
    """Who finds the machine away later is told why: an empty reason is refused, and nothing is put away."""
    assert run("quarantine", "win10-01", "--reason", " ").exit_code == 2
    assert run().output.startswith("no machine was ever leased in ")


def test_a_name_that_two_vcenters_know(run: Run, ours: Site) -> None:
    """One has to say which is meant."""
    elsewhere = ours.model_copy(update={"vcenter": ours.vcenter.model_copy(update={"port": 8443})})
    with closing(open_store(ours)) as store:
        for site in (ours, elsewhere):
            with leased(site, WIN10, holder="x", store=store):
                pass
    assert run("release", "win10-01").exit_code == 1  # the site says which
    listed = CliRunner().invoke(wincompat, ["leases"])
    assert "vc.example.com" not in listed.output  # another store


def test_a_store_that_does_not_answer(run: Run, site_file: Path) -> None:
    """One line and exit code 3."""
    site_file.write_text(_SITE.format(url="sqlite:////proc/no/leases.sqlite3"), "utf-8")
    done = run()
    assert done.exit_code == 3
    assert len(done.output.splitlines()) == 1
    assert done.output.startswith("lease store sqlite:////proc/no/leases.sqlite3: unable to open database file; check")
