"""``wincompat notify``."""

from __future__ import annotations

from pathlib import Path

import click

from harness.errors import AuthoringError
from harness.options import runs_option

MISSING = 5
_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(name="notify", short_help="Tell people what the gate decided.")
@click.argument("run", default="latest")
@click.option("--to", "notices", type=_FILE, help="Who is told by webhook (notices.toml).")
@click.option("--mail", "mail_file", type=_FILE, help="Write a page for an e-mail here.")
@runs_option
@click.pass_context
def command(ctx: click.Context, run: str, notices: Path | None, mail_file: Path | None, runs: Path) -> None:
    """Tell what the gate decided about RUN, which "wincompat gate" has judged before.

    A channel that is away fails nothing: that is said, and the exit code is 0 all the same. It is 4 for a wrong file,
    and 5 where the run has no decision.

    \b
    Examples:
      wincompat notify --to notices.toml
      wincompat notify build/runs/RUN --mail build/mail.html
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    from harness.gate.decision import FILE, read_decision
    from harness.notices.brief import brief
    from harness.notices.mail import mail
    from harness.notices.places import NoticesFile, read_notices
    from harness.notices.sending import tell
    from harness.results.run import RunFolder, write_whole

    if notices is None and mail_file is None:
        raise click.UsageError("say who is told: --to notices.toml, or --mail FILE")
    wanted = read_notices(notices) if notices is not None else NoticesFile()
    try:
        folder = RunFolder.find(run, parent=runs)
    except AuthoringError as error:
        click.echo(str(error), err=True)
        ctx.exit(MISSING)
    decision = read_decision(folder.path / FILE)
    if decision is None:
        click.echo(f"{folder.path}: no decision yet; make one with: wincompat gate {folder.run}", err=True)
        ctx.exit(MISSING)
    told = brief(decision, wanted.link or "")
    if mail_file is not None:
        mail_file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(mail_file, mail(told))
        click.echo(str(mail_file))
    for line in tell(wanted.webhooks, told, budget=wanted.budget):
        click.echo(line)
