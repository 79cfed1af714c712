"""``wincompat clones``: which clones there are, and the end of those whose run is dead."""

from __future__ import annotations

from pathlib import Path

import click


@click.command()
@click.argument("site", metavar="SITE", type=click.Path(path_type=Path))
@click.option("--reap", "reaping", is_flag=True, help="Destroy the clones whose run is dead; living ones stay.")
def clones(site: Path, reaping: bool) -> None:
    """List the clones that runs have made in a site's vCenter; the exit code is 1 when one could not be destroyed.

    A run says all the time until when it wants its clones. Where that time is past, by the vCenter's clock, the run is
    dead and the clone an orphan. Each run begins by destroying orphans. SITE may be the word lab.

    \b
    Examples:
      wincompat clones fixtures/sites/ours.toml
      wincompat clones --reap fixtures/sites/ours.toml
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    from harness.machines.clones import clones_of, reap
    from harness.machines.vcenter import connected
    from harness.running_lab import site_file
    from harness.site import read_site

    with connected(read_site(site_file(site))) as vcenter:
        if not reaping:
            found = clones_of(vcenter)
            for clone in found:
                click.echo(str(clone))
            orphans = sum(clone.is_orphan for clone in found)
            click.echo(f"{len(found)} clones, {orphans} of them orphans" if found else "no clones")
            return
        troubles = []
        for clone, trouble in reap(vcenter):
            click.echo(trouble or f"destroyed {clone.path}, which was of {clone.mark.holder}")
            troubles += [trouble] if trouble else []
        if not troubles:
            click.echo("no orphan is left")
    if troubles:
        raise SystemExit(1)
