"""Clones that a dead run left behind are found by their mark and destroyed; those of a living run are never touched."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from harness.cli import wincompat
from harness.errors import NoMachine
from harness.machines import cloning
from harness.machines.clones import clones_of, destroy_clone, reap
from harness.machines.leases import leased
from harness.machines.marks import Mark, mark_in
from harness.machines.strategies import Asked, Supplied, supplying
from harness.machines.vcenter import VCenter, connected
from harness.site import Site, read_site
from tests.lab.vcenter.vcenter_served import PASSWORD, Served, vim
from tests.waiting import until as it_comes_about

from .standing_in import FOLDER, names, site_of
from .standing_in import cloning as cloned

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)


@pytest.fixture
def site(served: Served, tmp_path: Path) -> Site:
    """Write a site with two clones of one machine."""
    return site_of(served, tmp_path, cloned(clones={"at_most": 2}))


def asked(vcenter: VCenter, clone: int = 1, run: str = "run") -> Asked:
    """Ask for one of the clones."""
    entry = vcenter.offering(vcenter.site.machines[0].windows).machines[clone - 1]
    return Asked(vcenter=vcenter, entry=entry, run=run, holder=f"cell {clone} of {run}")


def die(ready: Supplied, until: str = "2020-01-01T00:00:00+00:00") -> None:
    """Have the clone's run die some time ago: nothing moves its time ahead any more."""
    words = vim.vm.ConfigSpec(extraConfig=[vim.option.OptionValue(key="wincompat.until", value=until)])
    machine = ready.machine
    machine._tasks.wait(machine._vm.ReconfigVM_Task(words), within=60)


def test_a_mark_is_read_as_it_was_written() -> None:
    """A machine with half a mark, or none, is no clone of ours."""
    mark = Mark(run="r", holder="me", source="vm-1", once="1f", until=NOW, kept="why")
    assert mark_in(mark.options()) == mark
    assert mark.over(NOW)
    assert not mark.over(NOW - timedelta(seconds=1))
    assert mark_in(None) is None
    assert mark_in(mark.options()[1:]) is None
    assert mark_in([*mark.options()[:-1], vim.option.OptionValue(key="wincompat.until", value="tomorrow")]) is None
    assert mark_in([*mark.options()[:-1], vim.option.OptionValue(key="wincompat.until", value="2026-03-01")]) is None


def test_only_orphans_are_reaped(site: Site) -> None:
    """The clone whose time is past goes, although it is on; the one of a living run stays."""
    with connected(site) as vcenter, supplying(asked(vcenter, 1)) as dead, supplying(asked(vcenter, 2)):
        die(dead)
        assert [(clone.path, clone.on, clone.is_orphan) for clone in clones_of(vcenter)] == [
            (f"{FOLDER}/wincompat-a-1", True, True),
            (f"{FOLDER}/wincompat-a-2", True, False),
        ]
        assert [(clone.path, trouble) for clone, trouble in reap(vcenter)] == [(f"{FOLDER}/wincompat-a-1", "")]
        assert names(vcenter) == ["a", "b", "wincompat-a-2"]
        assert list(reap(vcenter)) == []


def test_a_run_that_finds_its_vcenter_again_keeps_its_clone(site: Site) -> None:
    """The mark is looked at again right before the clone is destroyed: it may have been renewed meanwhile."""
    with connected(site) as vcenter, supplying(asked(vcenter, 1)) as dead, supplying(asked(vcenter, 2)) as silent:
        die(dead)
        die(silent)
        reaping = reap(vcenter)
        assert next(reaping)[0].path == f"{FOLDER}/wincompat-a-1"
        die(silent, until="2120-01-01T00:00:00+00:00")
        assert list(reaping) == []
        assert names(vcenter) == ["a", "b", "wincompat-a-2"]


def test_a_run_that_has_ended_takes_its_own_clones_with_it(site: Site) -> None:
    """Whatever its workers could not destroy goes at its end, but for what is kept; another run's stays."""
    with connected(site) as vcenter, supplying(asked(vcenter, 1, "ours")), supplying(asked(vcenter, 2, "theirs")):
        assert [clone.mark.run for clone, _ in reap(vcenter, run="ours")] == ["ours"]
        assert [clone.mark.run for clone in clones_of(vcenter)] == ["theirs"]
    with connected(site) as vcenter, supplying(asked(vcenter, 1, "ours")) as ready:
        ready.keep(600, "somebody looks at it")
        assert list(reap(vcenter, run="ours")) == []
    with connected(site) as vcenter:
        kept = clones_of(vcenter)
        assert [clone.mark.kept for clone in kept] == ["somebody looks at it"]
        assert kept[0].mark.until - vcenter.now() > timedelta(seconds=590)


def test_a_clone_takes_the_place_of_an_orphan(site: Site) -> None:
    """Where a dead run's clone has the name, it is destroyed and ours is made."""
    with connected(site) as vcenter, supplying(asked(vcenter, run="dead")) as dead:
        die(dead)
        with supplying(asked(vcenter, run="living")):
            assert [clone.mark.run for clone in clones_of(vcenter)] == ["living"]


def test_a_living_run_moves_the_time_of_its_clone_ahead(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mark is renewed while the clone is used, so that no reaper takes it."""
    monkeypatch.setattr(cloning, "WANTED", timedelta(seconds=60))
    monkeypatch.setattr(cloning, "_RENEWALS", 200)  # in the time that it is wanted
    with connected(site) as vcenter, supplying(asked(vcenter)):
        first = clones_of(vcenter)[0].mark.until
        it_comes_about(lambda: clones_of(vcenter)[0].mark.until > first + timedelta(seconds=1), pause=0.05)
        assert not clones_of(vcenter)[0].is_orphan


@pytest.fixture
def site_file(served: Served, tmp_path: Path) -> Path:
    """Write the site as a person does."""
    (tmp_path / "vcenter.secret").write_text(PASSWORD)
    file = tmp_path / "site.toml"
    file.write_text(
        f'name = "stand-ins"\n[vcenter]\nhost = "127.0.0.1"\nport = {served.port}\nuser = "administrator@lab.local"\n'
        f'password = {{ file = "vcenter.secret" }}\nca_file = "{served.ca.name}"\n'
        '[accounts.administrator]\nuser = "admin"\npassword = { file = "vcenter.secret" }\n'
        f'[leases]\nurl = "sqlite:///leases.sqlite3"\n'
        f'[[machines]]\npath = "{FOLDER}/a"\nbuild = 19044\nsnapshot = "clean"\nstrategy = "linked-clone"\n'
    )
    return file


def test_the_command_lists_and_reaps(site: Site, site_file: Path) -> None:
    """``wincompat clones`` shows whose each one is; with --reap the orphans go and the living stay."""
    file = site_file
    with connected(site) as vcenter, supplying(asked(vcenter, 1)) as dead, supplying(asked(vcenter, 2)):
        die(dead)
        listed = CliRunner().invoke(wincompat, ["clones", str(file)])
        assert listed.exit_code == 0, listed.output
        assert "wincompat-a-1  on  orphan until 2020-01-01" in listed.output
        assert "wincompat-a-2  on  wanted until" in listed.output
        assert "cell 2 of run" in listed.output
        assert listed.output.endswith("2 clones, 1 of them orphans\n")
        reaped = CliRunner().invoke(wincompat, ["clones", "--reap", str(file)])
        assert (reaped.exit_code, reaped.output) == (
            0,
            f"destroyed {FOLDER}/wincompat-a-1, which was of cell 1 of run\nno orphan is left\n",
        )
        assert names(vcenter) == ["a", "b", "wincompat-a-2"]


def test_nobody_waits_for_a_clone_that_is_kept(site: Site) -> None:
    """A cell whose lease was given back finds the clone still there: it is told why, until when, and what to type."""
    with connected(site) as vcenter:
        with supplying(asked(vcenter)) as ready:
            ready.keep(600, "it failed")
        with pytest.raises(NoMachine, match=r"clone 1 of it is kept until .*: it failed; .*release SITE wincompat-a-1"):
            supplying(asked(vcenter, run="another")).__enter__()
        (kept,) = clones_of(vcenter)
        assert vcenter.calls["CloneVM_Task"] == 2
        destroy_clone(vcenter, kept)
        with supplying(asked(vcenter, run="another")):
            assert [clone.mark.run for clone in clones_of(vcenter)] == ["another"]


def test_a_kept_clone_is_given_back_by_destroying_it(site_file: Path) -> None:
    """``wincompat release`` ends the clone and the lease that it was kept with; one in use is left to its run."""
    site = read_site(site_file)
    release = ["release", str(site_file), "wincompat-a-1"]
    with connected(site) as vcenter:
        offered = vcenter.offering(site.machines[0].windows)
        with (
            leased(offered, site.machines[0].windows, holder="the cell") as lease,
            supplying(asked(vcenter)) as ready,
        ):
            refused = CliRunner().invoke(wincompat, release)
            assert refused.exit_code == 3
            assert refused.output == "wincompat-a-1: is not kept; cell 1 of run of run has it now\n"
            for keep in (lease.keep, ready.keep):
                keep(3600, "the cell of this run failed")
        with pytest.raises(NoMachine, match="is kept until"), leased(offered, site.machines[0].windows, holder="next"):
            pytest.fail("leased")
        given = CliRunner().invoke(wincompat, release)
        assert (given.exit_code, given.output.splitlines()) == (
            0,
            [
                "wincompat-a-1: destroyed, for it is a clone",
                "wincompat-a-1: free again; it was kept for the cell of this run failed",
            ],
        )
        assert names(vcenter) == ["a", "b"]
        with leased(offered, site.machines[0].windows, holder="next") as again:
            assert again.entry.lease_name == lease.entry.lease_name
    assert CliRunner().invoke(wincompat, ["release", str(site_file), "a"]).exit_code == 1
