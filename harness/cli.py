"""The command line: ``wincompat`` and its subcommands, each imported only when it is called.

Exit codes: 0 done; 1 something was found wrong (the subcommand says what); 2 wrong usage; 3 the site could not do it;
4 a file that a person wrote or named is wrong, as pytest uses it; 130 stopped by Ctrl-C.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass
from importlib import import_module
from typing import IO, Any, NoReturn

import click

from harness.errors import AuthoringError, HarnessError

LAB_NEEDS = frozenset({"aiohttp", "cryptography", "filelock", "spnego"})


@dataclass(frozen=True, slots=True)
class Entry:
    """Where a subcommand lives, and the line that ``wincompat --help`` says of it without importing it."""

    place: str
    summary: str


ENTRIES = {
    "attach": Entry("harness.by_hand:attach", "Run commands in the Windows of one machine."),
    "bisect": Entry("harness.bisect.command:command", "Find the first bad version of a product, or first bad build."),
    "builds": Entry("harness.commands:builds", "Print the Windows builds that the harness knows, and their support."),
    "check": Entry("harness.commands:check", "Check matrix files and print how much they plan."),
    "doctor": Entry("harness.doctor.command:doctor", "Check the way from here to every machine of a site."),
    "clones": Entry("harness.machines.clones_command:clones", "List the clones that runs have made; reap the orphans."),
    "gate": Entry("harness.gate_command:command", "Ship or hold: judge a run by a policy."),
    "history": Entry("harness.results.history.command:history", "Keep runs for years, and ask about them."),
    "inspect": Entry("harness.packages.command:command", "Read a package before it is run, and name what is wrong."),
    "lab": Entry("harness.lab.commands:lab", "Start, look at and stop the embedded lab."),
    "notify": Entry("harness.notices.command:command", "Tell people what the gate decided."),
    "merge": Entry("harness.merge_command:command", "Make one run out of those that CI jobs left."),
    "release": Entry("harness.by_hand:release", "Give back a machine that a run has kept."),
    "leases": Entry("harness.machines.leases.command:leases", "Print who has which machine; break and release."),
    "report": Entry("harness.report.command:command", "Make a run's HTML report again from its journal."),
    "screenshot": Entry("harness.by_hand:screenshot", "Write a picture of a machine's console."),
    "triage": Entry("harness.triage_command:triage", "List failures of a run without a note; write empty notes."),
    "schema": Entry("harness.schemas:command", "Print JSON schemas of the TOML files, for editors."),
    "trend": Entry("harness.results.trend_command:command", "Print how runs went over time, and what became slower."),
    "watch": Entry("harness.watch.command:command", "Follow a run while it goes, here or in a browser."),
}


class _Refused(click.ClickException):
    """The site could not do it: one line on standard error, never a traceback."""

    exit_code = 3

    def __init__(self, message: str) -> None:
        super().__init__(" ".join(message.split()))

    def show(self, file: IO[Any] | None = None) -> None:
        click.echo(self.message, file=file, err=file is None)


class _Misauthored(_Refused):
    """A file that a person wrote or named is wrong."""

    exit_code = 4


class _Interrupted(_Refused):
    """Somebody pressed Ctrl-C."""

    exit_code = 130


class LazyGroup(click.Group):
    """A group that imports a subcommand when it is called, so that ``--help`` stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        """Name the subcommands without importing one."""
        return sorted(ENTRIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        """Import the subcommand that was asked for."""
        if cmd_name not in ENTRIES:
            return None
        module, _, name = ENTRIES[cmd_name].place.partition(":")
        try:
            command = getattr(import_module(module), name)
        except ModuleNotFoundError as error:
            lacking = (error.name or "").partition(".")[0]
            if cmd_name == "lab" and lacking in LAB_NEEDS:
                raise _Refused(
                    f"the lab needs {lacking}, which is not installed: pip install pytest-wincompat[lab]"
                ) from error
            raise
        assert isinstance(command, click.Command)  # noqa: S101 - ENTRIES names commands only, and a test reads them all
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Find the subcommand, or name the nearest right word."""
        if args and not args[0].startswith("-") and args[0] not in ENTRIES:
            near = difflib.get_close_matches(args[0], ENTRIES, n=1)
            hint = f"did you mean {near[0]!r}?" if near else f"choose from {', '.join(sorted(ENTRIES))}"
            ctx.fail(f"no command {args[0]!r}; {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the subcommands by the lines in ENTRIES."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, ENTRIES[name].summary) for name in self.list_commands(ctx)])

    def invoke(self, ctx: click.Context) -> Any:
        """Run the subcommand; what a person can mend becomes one line and an exit code."""
        try:
            return super().invoke(ctx)
        except AuthoringError as error:
            raise _Misauthored(str(error)) from error
        except HarnessError as error:
            raise _Refused(str(error)) from error
        except OSError as error:
            if error.filename is None:
                raise
            # a place that somebody named, or what lies below it: who may enter it, and how long a name may be
            raise _Misauthored(f"{error.filename}: {error.strerror}") from error
        except KeyboardInterrupt as error:
            raise _Interrupted("stopped") from error


def _print_version(ctx: click.Context, option: click.Parameter, wanted: bool) -> None:  # noqa: ARG001 - click's signature
    if not wanted or ctx.resilient_parsing:
        return
    from importlib import metadata

    try:
        version = metadata.version("pytest-wincompat")
    except metadata.PackageNotFoundError:
        version = "(a checkout that is not installed)"
    click.echo(f"wincompat {version}")
    ctx.exit()


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog="Start with: wincompat lab up, then pytest matrices/demo.toml",
)
@click.option(
    "--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_version, help="Print the version."
)
def wincompat() -> None:
    """Prove that a product installs, upgrades, refuses and rolls back on every Windows build.

    \b
    Examples:
      wincompat builds                          which Windows builds there are, and which are still supported
      wincompat check matrices/demo.toml        find mistakes before a machine is touched
      wincompat bisect matrices/go.toml         find the first version that fails
      wincompat inspect demo-2.0.msi            find what is wrong with a package without running it
      wincompat schema matrix                   what a matrix file may say
      wincompat lab up                          start the embedded lab
      wincompat history list                    the runs that are kept
      wincompat leases                          who has which machine, and which are in quarantine
      wincompat report build/runs/RUN           make a report again
      wincompat watch                           follow the run that is going on
      wincompat trend                           how runs went over time, and which step became slower
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b


def main() -> NoReturn:
    """Start the command line."""
    wincompat(prog_name="wincompat")
    raise AssertionError("click ends the process itself")


if __name__ == "__main__":
    main()
