"""``wincompat inspect``: read a package before it is run, and print what is wrong with it.

Exit codes: 0 no finding of severity error, or none at all with --strict; 1 there is one; 2 wrong usage; 130 stopped by
Ctrl-C.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import click

from harness.builds import Build, catalog
from harness.packages.declared import Declared
from harness.packages.finding import Prediction, Severity
from harness.packages.inspection import Inspection, inspect


class _BuildName(click.ParamType[Build]):
    name = "BUILD"

    def convert(self, value: str | Build, param: click.Parameter | None, ctx: click.Context | None) -> Build:
        try:
            return value if isinstance(value, Build) else Build.parse(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("inspect")
@click.argument("file", type=_FILE)
@click.option("--previous", type=_FILE, metavar="FILE", help="The package that it will upgrade.")
@click.option(
    "--build", "builds", type=_BuildName(), multiple=True, help="A build it is for; repeatable.  [default: all]"
)
@click.option("--sha256", default="", metavar="HEX", help="The SHA-256 that it should have.")
@click.option("--version", "version", default="", help="The version that it should be.")
@click.option("--signer", default="", metavar="NAME", help="Who should have signed it: a name or an organisation.")
@click.option("--signed", is_flag=True, help="It should be signed.")
@click.option("--switches", metavar="WORDS", help="How an EXE will be called to be silent.")
@click.option("--machines", type=click.Choice(["x64", "x86", "arm64"]), default="x64", help="What it will run on.")
@click.option("--strict", is_flag=True, help="Count warnings, too, for the exit code.")
@click.option("-q", "--quiet", is_flag=True, help="Leave notes and predictions out.")
@click.option("--json", "as_json", is_flag=True, help="Print everything as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    file: Path,
    previous: Path | None,
    builds: tuple[Build, ...],
    sha256: str,
    version: str,
    signer: str,
    signed: bool,
    switches: str | None,
    machines: str,
    strict: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Read an MSI, EXE or ZIP without running it, on any operating system, and name what is wrong with it.

    Each finding is one sentence, with what it predicts: which scenario will show what, on which builds. Signatures are
    verified offline: integrity, signer, dates, time stamp and the chain up to Microsoft's list of roots; revocation is
    not looked up. The files inside an MSI's cabinets are not looked into.

    \b
    Exit codes: 0 no finding is an error (with --strict: nor a warning), 1 one is, 2 wrong usage.

    \b
    Examples:
      wincompat inspect go1.23.9.windows-amd64.msi
      wincompat inspect demo-2.0.msi --previous demo-1.0.msi --build win10-22h2 --build win11-24h2
      wincompat inspect setup.exe --signer "Example Ltd" --switches /S --json
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    declared = Declared(
        sha256=sha256.casefold(),
        version=version,
        signer=signer,
        signed=signed,
        switches=switches,
        architecture=machines,
    )
    seen = inspect(
        file, previous=previous, builds=builds or tuple(Build(number) for number in catalog()), declared=declared
    )
    if as_json:
        click.echo(json.dumps(seen.as_json(), indent=2))
    else:
        for line in lines(seen, quiet=quiet):
            click.echo(line)
    counting = (Severity.ERROR, Severity.WARNING) if strict else (Severity.ERROR,)
    ctx.exit(1 if seen.worst in counting else 0)


def lines(seen: Inspection, *, quiet: bool) -> Iterator[str]:
    """Write an inspection for a terminal, the gravest first."""
    yield f"{seen.file.name}: {seen.kind}" + "".join(f", {name} {value}" for name, value in seen.says.items() if value)
    shown = [found for found in seen.findings if not (quiet and found.severity is Severity.NOTE)]
    for found in shown:
        yield f"\n{found.severity:<8}{found.code}"
        yield f"        {found.sentence}"
        if found.advice:
            yield f"        do: {found.advice}"
        if not quiet:
            yield from (f"        predicts: {_predicted(one)}" for one in found.predicts)
    counts = ", ".join(
        f"{count} {severity}{'s' if count > 1 else ''}"
        for severity in Severity
        if (count := sum(found.severity is severity for found in seen.findings))
    )
    yield f"\n{counts or 'nothing found'}"


def _predicted(one: Prediction) -> str:
    words = f"{one.scenario} {one.outcome}" if one.surely else f"{one.scenario} may show: {one.outcome}"
    if one.builds is not None:
        words += f" on {', '.join(map(str, one.builds))}"
    return words + (f", when {one.when}" if one.when else "")
