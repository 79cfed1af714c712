"""``wincompat gate`` as it is typed: exit codes, files, and the examples of the README and of the pipelines."""

from __future__ import annotations

import hashlib
import json
import re
import shlex
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
import yaml
from click.testing import CliRunner, Result

from harness.authoring import parse
from harness.cli import wincompat
from harness.gate.decision import read_decision
from harness.gate.policy import read_policy
from harness.gate.waivers import read_waivers
from harness.results.journal import Journal
from harness.results.plan import PlannedPackage
from harness.results.result import Step
from harness.results.run import RunFolder
from tests.documents import ROOT, blocks, text, typed
from tests.gate.cases import SERVED, cell, plan, result

MSI = b"an installer"


def kept(folder: Path, *verdicts: str, **more: object) -> RunFolder:
    """Keep a run of today of so many cells; the package of its product is MSI."""
    run = RunFolder.create(folder / "build" / "runs")
    began = datetime.now(UTC) - timedelta(hours=1)
    package = PlannedPackage(
        product="mytool", version="1.4.0", file="a.msi", sha256=hashlib.sha256(MSI).hexdigest(), newest=True
    )
    builds = [build for build in (SERVED, "26200") for _ in range(4)]
    scenarios = ["install", "upgrade", "denied", "rollback"] * 2
    cells = [cell(build, name) for build, name, _ in zip(builds, scenarios, verdicts, strict=False)]
    run.write_plan(plan(*cells, run=run.run, started=began, packages=(package,), **more))
    for one, verdict in zip(cells, verdicts, strict=True):
        Journal(run.journal_file).append(result(one, verdict, started=began))
    return run


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Work in a folder with an empty policy."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    monkeypatch.delenv("GITHUB_OUTPUT", raising=False)
    (tmp_path / "gate.toml").write_text("", "utf-8")
    return tmp_path


def gate(*words: str) -> Result:
    """Type it."""
    return CliRunner().invoke(wincompat, ["gate", *words], prog_name="wincompat")


def test_zero_is_ship_and_one_is_hold(here: Path) -> None:
    """The newest run is judged unless another is named, and its folder has the decision."""
    held = kept(here, "passed", "failed")
    assert gate().exit_code == 1
    shipped = kept(here, "passed", "passed")
    said = gate("--quiet")
    assert (said.exit_code, said.output) == (0, "Ship: 2 of 2 planned cells passed; nothing speaks against it.\n")
    assert gate(held.run).exit_code == 1
    decision = read_decision(shipped.path / "gate.json")
    assert decision is not None
    assert (decision.word, decision.run) == ("ship", shipped.run)


@pytest.mark.parametrize(
    ("policy", "said"),
    [
        ("allow_labs = true", "gate.toml: no key 'allow_labs' here; did you mean 'allow_lab'?"),
        ("flaky = -1", "flaky"),
        ("[tiers]\nblock = [1]", "build 1 is not in the catalog"),
        ('waivers = "none.toml"', "none.toml: no such file"),
        ("[[budgets]]\nseconds = 0", "budgets[0].seconds"),
        ('sha256 = ["abc"]', "64 hexadecimal digits"),
    ],
)
def test_four_is_a_mistake_in_a_file_and_one_line_says_where(here: Path, policy: str, said: str) -> None:
    """Nothing is decided by a policy that nobody meant."""
    kept(here, "passed")
    (here / "gate.toml").write_text(policy, "utf-8")
    found = gate()
    assert found.exit_code == 4
    assert said in found.output
    assert found.output.count("\n") == 1


def test_five_is_too_little_to_judge_by(here: Path) -> None:
    """No run, no plan, no journal, a garbled journal, a journal of the future, no artifact: none of them ships."""
    assert gate().exit_code == 5
    assert gate("nowhere").exit_code == 5
    assert gate("--artifact", "gone.msi", kept(here, "passed").run).exit_code == 5
    for lose in ("plan.json", "journal.jsonl"):
        run = kept(here, "passed")
        (run.path / lose).unlink()
        assert gate().exit_code == 5, lose
        assert read_decision(run.path / "gate.json") is not None
    for garbled in (b"garbled\n", b'{"journal":"pytest-wincompat","schema":99}\n'):
        run = kept(here, "passed")
        run.journal_file.write_bytes(run.journal_file.read_bytes() + garbled)
        assert gate().exit_code == 5, garbled


def test_a_later_line_does_not_hide_an_earlier_one(here: Path) -> None:
    """A journal that says failed and then passed of one cell holds: another try is no proof."""
    run = kept(here, "passed", "failed")
    again = cell(SERVED, "upgrade")
    Journal(run.journal_file).append(result(again, "passed", started=datetime.now(UTC)))
    found = gate()
    assert found.exit_code == 1
    assert "hold    failed: mytool upgrade" in found.output


def test_runs_before_this_one_say_what_became_slower(here: Path) -> None:
    """A step that takes half as long again as in the runs beside it holds; without them nobody can tell."""
    pytest.importorskip("ruptures")
    pytest.importorskip("scipy")
    parent = here / "build" / "runs"
    wobble = [0.98, 1.01, 1.0, 1.02, 0.99, 1.0, 1.01, 0.98, 1.02, 1.0]
    for number in range(26):
        began = datetime.now(UTC) - timedelta(days=26 - number)
        run = RunFolder.create(parent, now=began)
        took = wobble[number % 10] * (10.0 if number < 16 else 15.0)
        run.write_plan(plan(cell(), run=run.run, started=began))
        steps = (Step(name="revert", started=0, seconds=5.0), Step(name="install 1.4.0", started=5, seconds=took))
        Journal(run.journal_file).append(result(cell(), started=began, steps=steps, seconds=took + 5))
    found = gate()
    assert "regression: mytool install on Windows 11 24H2: mytool, install 1.4.0: slower by" in found.output
    assert found.exit_code == 1
    (here / "gate.toml").write_text('[regressions]\nact = "warn"', "utf-8")
    assert gate().exit_code == 0


def test_two_is_wrong_usage_and_seventy_a_fault_of_the_gate(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gate that broke is told from one that holds."""
    kept(here, "passed")
    assert gate("--polcy", "x").exit_code == 2

    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("at 1/0")

    monkeypatch.setattr("harness.gate.gating.decide", broken)
    found = gate()
    assert found.exit_code == 70
    assert "nothing was decided" in found.output


def test_every_output_that_is_asked_for_is_written(here: Path) -> None:
    """Also into folders that are not there yet, and for a run that holds."""
    kept(here, "passed", "failed")
    files = {name: f"out/{name}" for name in ("junit", "ctrf", "markdown", "gitlab", "json")}
    said = gate("--github", "--azure", *(f"--{name}={file}" for name, file in files.items()))
    assert said.exit_code == 1
    assert all((here / file).stat().st_size for file in files.values())
    assert "::error file=matrices/release.toml,line=1,title=gate%3A failed::" in said.output
    assert f"##vso[task.uploadsummary]{here / 'out' / 'markdown'}" in said.output


def test_the_page_shows_the_decision_and_who_waived_what(here: Path) -> None:
    """With --report the page is made again, after the decision and with it."""
    run = kept(here, "passed", "failed")
    (here / "gate.toml").write_text('name = "release rules"\nwaivers = "waivers.toml"', "utf-8")
    (here / "waivers.toml").write_text(
        '[[waivers]]\nid = "REL-7"\nreason = "known to support"\nperson = "Grace Hopper"\ncells = ["*"]\n'
        "signed_off = 2026-01-02\nexpires = 2999-01-01\n",
        "utf-8",
    )
    found = gate("--report")
    assert found.exit_code == 0, found.output
    page = run.report_file.read_text("utf-8")
    for words in ("SHIP", "release rules", "REL-7", "Grace Hopper", "known to support", "2999-01-01"):
        assert words in page, words


def test_an_artifact_is_held_against_what_was_run(here: Path) -> None:
    """By its bytes: one more of them is another product."""
    kept(here, "passed")
    (here / "a.msi").write_bytes(MSI)
    (here / "b.msi").write_bytes(MSI + b"!")
    assert gate("--artifact", "a.msi").exit_code == 0
    found = gate("--artifact", "b.msi")
    assert found.exit_code == 1
    assert "product-hash: b.msi (SHA-256 " in found.output


# --- what the documents say


def test_the_readmes_example_ships_as_it_says(here: Path) -> None:
    """Its policy and commands, typed as they stand, with the waiver of the gate's manual."""
    files = {
        name: body
        for document in ("README.md", "docs/gate.md")
        for body in blocks(document, "toml")
        for name in re.findall(r"\A# (gate|waivers)\.toml", body)
    }
    assert set(files) == {"gate", "waivers"}
    for name, body in files.items():
        (here / f"{name}.toml").write_text(body, "utf-8")
    assert read_policy(here / "gate.toml").waivers == here / "waivers.toml"
    signed = read_waivers(here / "waivers.toml")[0]
    (here / "waivers.toml").write_text(_as_of_today(files["waivers"], signed.signed_off, signed.expires), "utf-8")
    (here / "dist").mkdir()
    (here / "dist" / "mytool-1.4.0.msi").write_bytes(MSI)
    run = kept(here, *["passed"] * 3, "failed", *["passed"] * 4)
    lines = list(typed("README.md", "wincompat gate"))
    assert lines
    for line in lines:
        words = shlex.split(line, comments=True)
        found = gate(*(run.run if word == "build/runs/RUN" else word for word in words[2:]))
        assert found.exit_code == 0, found.output
        assert "Grace Hopper" in found.output


def _as_of_today(text: str, signed_off: Any, expires: Any) -> str:
    today = datetime.now().astimezone().date()
    return text.replace(str(signed_off), str(today)).replace(str(expires), str(today + timedelta(days=9)))


def test_the_manual_names_every_key_rule_and_code() -> None:
    """docs/gate.md and the models say the same."""
    from harness.gate.policy import Policy
    from harness.gate.waivers import Rule, Waiver

    manual = text("docs/gate.md")
    keys = [*Policy.model_fields, *Waiver.model_fields, *Rule.__args__]  # type: ignore[attr-defined]  # a Literal
    assert [key for key in keys if not re.search(rf"[`\[]{re.escape(key)}[`\]]", manual)] == []


@pytest.mark.parametrize("name", ["github.yml", "gitlab-ci.yml", "azure-pipelines.yml"])
def test_the_pipelines_are_yaml_and_type_commands_that_exist(name: str) -> None:
    """Every wincompat command parses with its options, pytest has its options, and the gate's exit counts."""
    document = yaml.safe_load((ROOT / "docs" / "ci" / name).read_text("utf-8"))
    lines = [line for text in strings(document) for line in text.splitlines()]
    commands = [shlex.split(line) for line in lines if re.match(r"\.venv/bin/(wincompat|pytest) ", line)]
    assert {Path(words[0]).name for words in commands} == {"wincompat", "pytest"}
    gates = [words for words in commands if words[1] == "gate"]
    assert len(gates) == 1
    assert not {"||", "true"} & set(gates[0])
    for words in commands:
        if Path(words[0]).name == "wincompat":
            command = wincompat.get_command(click.Context(wincompat), words[1])
            assert command is not None
            command.make_context(words[1], words[2:])
        else:
            assert {word for word in words if word.startswith("-")} <= {"--site", "-n"}


def strings(node: object) -> Iterator[str]:
    """Every text in a document."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, dict):
        for value in node.values():
            yield from strings(value)
    elif isinstance(node, list):
        for value in node:
            yield from strings(value)


def test_the_schemas_are_published(here: Path) -> None:
    """An editor knows every key of the policy and of waivers."""
    for kind, key in (("gate", "allow_lab"), ("waivers", "waivers")):
        printed = CliRunner().invoke(wincompat, ["schema", kind])
        assert key in json.loads(printed.output)["properties"]
    assert parse(here / "gate.toml") == {}
