"""JSON schemas of the TOML files that people write, for their editors."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from harness.errors import AuthoringError

if TYPE_CHECKING:
    from pydantic import BaseModel

KINDS = ("matrix", "product", "site", "gate", "waivers", "notices", "triage", "costs")


def models() -> dict[str, type[BaseModel]]:
    """Give what reads each kind of file that people write."""
    from harness.gate.policy import Policy
    from harness.gate.waivers import WaiversFile
    from harness.matrix import MatrixFile
    from harness.notices.places import NoticesFile
    from harness.products import Product
    from harness.results.costs import Costs
    from harness.site import Site
    from harness.triage import TriageFile

    return {
        "matrix": MatrixFile,
        "product": Product,
        "site": Site,
        "gate": Policy,
        "waivers": WaiversFile,
        "notices": NoticesFile,
        "triage": TriageFile,
        "costs": Costs,
    }


def schema(kind: str) -> dict[str, Any]:
    """Make the JSON schema (draft 2020-12) of a kind of file, one of KINDS."""
    made = models()[kind].model_json_schema()
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **made,
        "title": f"pytest-wincompat {kind} file",
    }


def write_schemas(folder: Path, kinds: tuple[str, ...] = KINDS, *, tell: Callable[[str], object] = click.echo) -> None:
    """Write the schemas into a folder, each whole or not at all; raises AuthoringError where that is not possible."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for kind in kinds:
            target = folder / f"{kind}.schema.json"
            partial = target.with_suffix(".partial")
            partial.write_text(_text(kind), encoding="utf-8")
            partial.replace(target)
            tell(str(target))
    except OSError as error:
        raise AuthoringError(f"--output {folder}: cannot be written: {error.strerror}") from error


def _text(kind: str) -> str:
    return json.dumps(schema(kind), indent=2, ensure_ascii=False) + "\n"


@click.command()
@click.argument("kind", type=click.Choice(KINDS), required=False)
@click.option("--output", type=click.Path(path_type=Path), metavar="DIR", help="Write KIND.schema.json files there.")
def command(kind: str | None, output: Path | None) -> None:
    """Print the JSON schema of a KIND of file, or write all of them.

    \b
    Examples:
      wincompat schema matrix
      wincompat schema --output build/schemas

    \b
    An editor with Taplo (Even Better TOML) uses it after this first line of a file:
      #:schema ../build/schemas/matrix.schema.json
    """  # noqa: D301 - click keeps the lines of a paragraph that starts with the character \b
    kinds = KINDS if kind is None else (kind,)
    if output is not None:
        write_schemas(output, kinds)
    elif kind is None:
        raise click.UsageError(f"say which schema to print ({', '.join(KINDS)}), or --output DIR for all of them")
    else:
        click.echo(_text(kind), nl=False)
