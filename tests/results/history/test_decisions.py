"""A history keeps what a gate decided of its runs, and the page of a later run says it."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import CliRunner

from harness.cli import wincompat
from harness.gate.decision import FILE, Decision, Reason, Waived
from harness.report.page import write_report
from harness.results.decided import Decided
from harness.results.history.before import kept
from harness.results.history.query import query
from harness.results.history.retention import outdated
from harness.results.history.rows import Source, rows
from harness.results.history.store import History
from harness.results.run import RunFolder
from tests.report.test_life import _words
from tests.results.made_runs import DAY, failed, result, run

AT = datetime(2026, 11, 2, 9, tzinfo=UTC)
GATE = ["decision", "decided", "policy", "reasons", "waivers"]


def _decide(folder: RunFolder, word: str, *, reasons: int = 0, waivers: tuple[Waived, ...] = (), of: str = "") -> None:
    held = tuple(Reason(rule="failed", sentence=f"reason {number}") for number in range(reasons))
    decision = Decision.model_validate(
        {"word": word, "sentence": word, "run": of or folder.run, "policy": "release", "decided": AT, "reasons": held}
    )
    decision.model_copy(update={"waivers": waivers}).write(folder.path / FILE)


def _waiver(name: str, *, flaw: str = "", covers: bool = True) -> Waived:
    told = (Reason(rule="failed", sentence="it"),) if covers else ()
    day = date(2026, 12, 1)
    return Waived(id=name, reason="later", person="Ada", signed_off=day, expires=day, flaw=flaw, covers=told)


@pytest.fixture
def history(tmp_path: Path) -> History:
    """Make a history on this disk."""
    return History(str(tmp_path / "history"))


def _list(history: History) -> list[str]:
    done = CliRunner().invoke(wincompat, ["history", "list", "--at", history.url])
    assert done.exit_code == 0, done.output
    return done.output.splitlines()


def test_what_the_gate_decided_comes_out_as_it_went_in(history: History, tmp_path: Path) -> None:
    """Word, moment, policy, number of reasons, and the waivers that were used: no idle one, none with a flaw."""
    folder = run(tmp_path / "runs", result(), failed(19045))
    _decide(
        folder, "hold", reasons=3, waivers=(_waiver("W-1"), _waiver("W-2", flaw="old"), _waiver("W-3", covers=False))
    )
    history.put(rows(Source.of(folder)))
    (one,) = kept(history.runs())
    assert one.decided == Decided(word="hold", at=AT, policy="release", reasons=3, waivers=(("W-1", "Ada"),))
    assert _list(history)[1].endswith("hold, 3 reasons, 1 waiver")
    assert query(history, "select decision, reasons from runs").to_dict("records") == [
        {"decision": "hold", "reasons": 3}
    ]


def test_a_run_that_is_judged_after_it_was_kept_is_kept_anew(history: History, tmp_path: Path) -> None:
    """The gate comes last: adding the run again brings its decision, and a decision about another run is none."""
    folder = run(tmp_path / "runs", result())
    assert history.put(rows(Source.of(folder)))
    assert _list(history)[1].split()[-1] == "-"
    _decide(folder, "ship", of="another-run")
    history.put(rows(Source.of(folder)))
    assert _list(history)[1].split()[-1] == "-"
    _decide(folder, "ship")
    assert history.put(rows(Source.of(folder)))
    assert not history.put(rows(Source.of(folder)))
    assert _list(history)[1].split()[-1] == "ship"
    assert len(history.runs()) == 1


def test_a_history_from_before_decisions_were_kept_is_read(history: History, tmp_path: Path) -> None:
    """Its files lack the columns: no gate is known to have decided, and everything else is as it was."""
    old = run(tmp_path / "runs", result())
    new = run(tmp_path / "runs", result(), started=DAY + timedelta(days=1))
    _decide(old, "ship")
    _decide(new, "hold", reasons=1)
    for folder in (old, new):
        history.put(rows(Source.of(folder)))
    file = min(Path(history.url).glob("runs/**/*.parquet"))
    table = pq.read_table(file)
    pq.write_table(table.drop_columns(GATE), file)
    assert [one.decided.short if one.decided else None for one in kept(history.runs())] == [None, "hold, 1 reason"]
    assert [line.split()[-1] for line in _list(history)[1:]] == ["-", "reason"]
    assert history.migrate() == 0


@pytest.mark.parametrize("waivers", ["", "no JSON", "{}", '[{"id": 1}]', "[1]", "null"])
def test_what_somebody_wrote_into_it_by_hand_spoils_nothing(waivers: str) -> None:
    """Waivers that cannot be read are none, and the decision stands."""
    row = {"decision": "hold", "decided": AT, "reasons": 2, "policy": "p", "waivers": waivers}
    told = Decided.told(row)
    assert told is not None
    assert (told.short, told.waivers) == ("hold, 2 reasons", ())
    assert Decided.told({**row, "decision": "perhaps"}) is None


@pytest.mark.parametrize("kept_at", ["beside", "history"])
def test_the_page_says_what_the_gate_decided_of_the_runs_before(history: History, tmp_path: Path, kept_at: str) -> None:
    """In the same words, wherever these runs lie; the last that shipped is compared with, however old it is."""
    from harness.report.choosing import runs_to_compare

    ends = [("ship", 0, (_waiver("W-1"),)), ("hold", 2, ()), ("", 0, ())]
    for day, (word, reasons, waivers) in enumerate(ends):
        folder = run(tmp_path / "runs", result(), started=DAY + timedelta(days=day))
        if word:
            _decide(folder, word, reasons=reasons, waivers=waivers)
        history.put(rows(Source.of(folder)))
    where = tmp_path / ("runs" if kept_at == "beside" else "ci")
    last = run(where, failed(), started=DAY + timedelta(days=4))
    _decide(last, "hold", reasons=1)
    earlier = runs_to_compare(last, runs=where, history=history.url if kept_at == "history" else "")
    page = _words(write_report(last.path, earlier=earlier).read_text("utf-8"))
    assert "Since the last run that was let ship (2026-11-01 02:00)" in page
    assert "The gate let it ship, with 1 waiver (W-1 by Ada)." in page
    assert "Since the last run (2026-11-03 02:00)" in page
    numbers = page[page.index("The numbers") :]
    for words in ("ship, 1 waiver", "hold, 2 reasons", "no decision", "hold, 1 reason"):
        assert words in numbers


def test_the_last_run_that_shipped_is_let_go_by_nobody(history: History, tmp_path: Path) -> None:
    """Later runs are compared with it, however many were held since."""
    for day in range(4):
        folder = run(tmp_path / "runs", result(), started=DAY + timedelta(days=day))
        _decide(folder, "ship" if day < 2 else "hold", reasons=day)
        history.put(rows(Source.of(folder)))
    runs = history.runs()
    gone = outdated(runs, now=AT + timedelta(days=900), days=30)
    assert gone == [runs["run"][2], runs["run"][0]]


def test_the_gate_keeps_the_run_that_it_judged(history: History, tmp_path: Path) -> None:
    """One command for a CI job; a history that cannot be reached changes neither decision nor exit code."""
    folder = run(tmp_path / "runs", result(), failed(19045))
    policy = tmp_path / "gate.toml"
    policy.write_text('[regressions]\nact = "ignore"\n', "utf-8")
    words = ["gate", str(folder.path), "--policy", str(policy), "--add", "--history"]
    done = CliRunner().invoke(wincompat, [*words, history.url])
    assert (done.exit_code, f"added to the history {history.url}" in done.output) == (1, True), done.output
    (one,) = kept(history.runs())
    assert one.decided is not None
    assert one.decided.word == "hold"
    (tmp_path / "taken").write_text("", "utf-8")
    lost = CliRunner().invoke(wincompat, [*words, str(tmp_path / "taken")])
    assert CliRunner().invoke(wincompat, words[:-1]).exit_code == 2
    assert (lost.exit_code, "not added to the history" in lost.output) == (1, True)


def test_what_a_guest_said_does_nothing_in_the_terminal(history: History, tmp_path: Path) -> None:
    """A question may ask for reasons: escape sequences and orders to a CI service are shown, and columns stay rows."""
    history.put(rows(Source.of(run(tmp_path / "runs", failed(reason="\x1b[2J\u202egone ##vso[task.complete]\nx")))))
    done = CliRunner().invoke(wincompat, ["history", "query", "select reason from cells", "--at", history.url])
    assert done.output == "reason\n\u241b[2J[U+202E]gone ## vso[task.complete] x\n"


def test_json_of_the_list_has_it(history: History, tmp_path: Path) -> None:
    """For whoever draws a page of their own."""
    folder = run(tmp_path / "runs", result())
    _decide(folder, "ship", waivers=(_waiver("W-1"),))
    history.put(rows(Source.of(folder)))
    done = CliRunner().invoke(wincompat, ["history", "list", "--json", "--at", history.url])
    (row,) = json.loads(done.output)
    assert (row["decision"], row["reasons"], json.loads(row["waivers"])) == (
        "ship",
        0,
        [{"id": "W-1", "person": "Ada"}],
    )
