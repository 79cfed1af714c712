"""A watcher follows the journal as it grows, survives what becomes of the run, and shows nothing that acts."""

from __future__ import annotations

import http.client
import json
import platform
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from io import StringIO
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner
from rich.console import Console

from harness.cli import wincompat
from harness.errors import AuthoringError
from harness.results.journal import Journal
from harness.results.result import Fault, Verdict
from harness.results.run import RunFolder
from harness.results.running import NOTE, announce, running, withdraw
from harness.watch.following import Following, usual_seconds
from harness.watch.screen import show
from harness.watch.server import WatchServer
from harness.watch.waits import EVERY
from tests.serving import aside

from .runs import START, at_work, planned, result


def test_a_growing_journal_is_followed_line_by_line(tmp_path: Path) -> None:
    """What is half written is waited for, not misread; the rest of the line completes it."""
    run = planned(tmp_path, "a", "b", "c")
    following = Following(run)
    assert (following.look().done, following.look().planned) == (0, 3)
    Journal(run.journal_file).append(result("a", machine="one"))
    assert following.look().done == 1
    Journal(run.journal_file).append(result("b", machine="two", verdict=Verdict.FAILED, fault=Fault.PRODUCT))
    whole = run.journal_file.read_bytes()
    run.journal_file.write_bytes(whole[:-20])
    assert Following(run).look().done == 1
    with run.journal_file.open("ab") as file:
        file.write(whole[-20:])
    view = following.look()
    assert (view.done, view.ends, view.notes) == (2, {"passed": 1, "failed": 1}, [])
    assert [(it.name, it.ends) for it in view.machines] == [("one", {"passed": 1}), ("two", {"failed": 1})]
    assert [it.cell for it in view.latest] == ["b", "a"]


def test_a_torn_line_costs_itself_and_another_journal_begins_anew(tmp_path: Path) -> None:
    """A line that a crash cut off is counted, the next one is whole; a journal that was replaced is read again."""
    run = planned(tmp_path, "a", "b")
    journal = Journal(run.journal_file)
    journal.append(result("a"))
    run.journal_file.write_bytes(run.journal_file.read_bytes()[:-9])
    following = Following(run)
    assert following.look().done == 0
    journal.append(result("b"))
    view = following.look()
    assert (view.done, view.notes) == (1, ["1 line of the journal could not be read"])
    run.journal_file.unlink()
    assert following.look().done == 1
    journal.append(result("a"))
    assert [it.cell for it in following.look().latest] == ["a"]


def test_what_is_running_is_named_with_machine_and_step(tmp_path: Path) -> None:
    """While the run's process is there, its workers' steps are shown, and the time to go is reckoned."""
    run = planned(tmp_path, "a", "b", "c")
    exchange = tmp_path / "exchange"
    exchange.mkdir()
    announce(run.path, exchange)
    at = START.timestamp() + 100
    at_work(exchange, "gw0", cell="b", step="install 1.0", since=at - 4, machine="two")
    at_work(exchange, "gw1", cell="c", step="lease a machine", since=at - 1)
    (exchange / "at-gw2").write_text('{"cell"')
    Journal(run.journal_file).append(result("a", machine="one", seconds=10.0))
    view = Following(run, clock=lambda: at).look()
    assert view.state == "running"
    assert [(now.worker, now.machine, now.step, now.step_seconds) for now in view.running] == [
        ("gw0", "two", "install 1.0", 4.0),
        ("gw1", "", "lease a machine", 1.0),
    ]
    assert [machine.name for machine in view.machines] == ["one", "two"]
    assert (view.eta, view.eta_from) == (9.0, "this run")
    assert Following(run, usual={"b": 20.0, "c": 50.0}, clock=lambda: at).look().eta == 49.0
    withdraw(run.path)
    assert Following(run).look().state == "ended early"


def test_a_run_that_was_killed_is_said_to_be(tmp_path: Path) -> None:
    """A process that is gone without a word leaves its note, and nobody waits for it any more."""
    run = planned(tmp_path, "a")
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        pass
    note = {"pid": gone.pid, "host": platform.node(), "exchange": str(tmp_path)}
    (run.path / NOTE).write_text(json.dumps(note))
    assert Following(run).look().state == "killed"
    (run.path / NOTE).write_text(json.dumps(note | {"host": "elsewhere"}))
    assert Following(run).look().state == "running"
    (run.path / NOTE).write_text("{")
    assert running(run.path) is None


def test_earlier_runs_tell_what_cells_take(tmp_path: Path) -> None:
    """The median over the runs beside it, and a broken one is passed over."""
    for number, seconds in enumerate((10.0, 30.0, 20.0)):
        earlier = RunFolder.create(tmp_path, now=START - timedelta(days=9 - number))
        Journal(earlier.journal_file).append(result("a", seconds=seconds))
    broken = RunFolder.create(tmp_path, now=START - timedelta(days=1))
    broken.journal_file.write_text('{"journal": "pytest-wincompat", "schema": 99}\n')
    assert usual_seconds(planned(tmp_path, "a")) == {"a": 20.0}


def test_one_look_is_plain_text_in_which_nothing_acts(tmp_path: Path) -> None:
    """Control characters of a guest are pictures, markup is text, and without a terminal there is no colour."""
    pytest.importorskip("rich", reason="needs pip install pytest-wincompat[watch]")
    run = planned(tmp_path, "a")
    hostile = "\x1b[2J\x1b]0;title\x07[bold]\u202e</script>"
    Journal(run.journal_file).append(
        result("a", machine=hostile, verdict=Verdict.FAILED, fault=Fault.PRODUCT, reason=hostile)
    )
    said = CliRunner().invoke(wincompat, ["watch", str(run.path), "--once"])
    assert said.exit_code == 0, said.output
    assert "1 of 1 cells  1 failed" in said.output
    assert "[bold]" in said.output
    assert not {"\x1b", "\x07", "\u202e"} & set(said.output)


def test_a_run_is_looked_at_again_until_it_is_over(tmp_path: Path) -> None:
    """Between two looks a pause passes, the last look is what stays on the screen, and after it nobody waits."""
    run = planned(tmp_path, "a", "b")
    (exchange := tmp_path / "exchange").mkdir()
    announce(run.path, exchange)
    following, drawn, pauses = Following(run), StringIO(), []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        Journal(run.journal_file).append(result("ab"[len(pauses) - 1]))
        if len(pauses) == 2:
            withdraw(run.path)

    show(following.look(), following.look, console=Console(file=drawn, width=100), sleep=sleep)
    assert pauses == [EVERY, EVERY]
    assert "ended  2 of 2 cells" in drawn.getvalue()


def test_the_page_is_served_to_this_machine_with_a_strict_policy(tmp_path: Path) -> None:
    """Only GET, only these files, only for this machine's own names, and no script but the page's own."""
    run = planned(tmp_path, "a")
    with _served(run, "127.0.0.1") as server:
        assert server.token == ""
        status, headers, page = _get(server, "/")
        assert (status, b"<script src=" in page, b"<style" in page) == (200, True, False)
        policy = headers["Content-Security-Policy"]
        assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; ")
        assert "unsafe" not in policy
        before = json.loads(_get(server, "/state.json")[2])
        Journal(run.journal_file).append(result("a", reason="<script>alert(1)</script>"))
        after = json.loads(_get(server, "/state.json")[2])
        assert (before["done"], after["done"], after["state"]) == (0, 1, "ended")
        assert _get(server, "/page.js")[0] == _get(server, "/page.css")[0] == _get(server, "/state.txt")[0] == 200
        for path in ("/../command.py", "/journal.jsonl", "/%2e%2e/page.js", "//etc/passwd"):
            assert _get(server, path)[0] == 404
        assert _get(server, "/state.json", host="evil.example:80")[0] == 404
        assert _get(server, "/state.json", method="POST")[0] == 501


def test_whoever_comes_from_elsewhere_needs_the_token(tmp_path: Path) -> None:
    """On any address but loopback the page is found only by who was given its address."""
    with _served(planned(tmp_path, "a"), "0.0.0.0") as server:  # noqa: S104 - that is what is tested
        assert len(server.token) >= 32
        assert server.token in server.address
        for path in ("/", "/state.json", "/wrong/state.json"):
            assert _get(server, path)[0] == 404
        assert _get(server, f"/{server.token}/state.json", host="a.name:80")[0] == 200
        with pytest.raises(AuthoringError, match="take another --port"):
            WatchServer(lambda: None, str, host="0.0.0.0", port=server.server_address[1])  # type: ignore[arg-type, return-value]  # noqa: S104 - it never gets to look


def test_the_script_makes_no_markup_of_strings() -> None:
    """A verdict, a reason, a machine's name can be anything: they become text, never elements."""
    script = (Path(sys.modules[WatchServer.__module__].__file__ or "").parent / "page" / "page.js").read_text()
    for word in ("innerHTML", "outerHTML", "insertAdjacent", "document.write", "eval(", "style="):
        assert word not in script


def test_serving_ends_with_ctrl_c_and_leaves_the_run_as_it_was(tmp_path: Path) -> None:
    """Ctrl-C is the way to end it: exit code 0, no traceback, and not a byte of the run's folder changed."""
    pytest.importorskip("rich", reason="needs pip install pytest-wincompat[watch]")
    run = planned(tmp_path, "a")
    Journal(run.journal_file).append(result("a"))
    before = {file: file.stat().st_mtime_ns for file in run.path.rglob("*")}
    words = [sys.executable, "-m", "harness.cli", "watch", str(run.path), "--serve"]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            address = urlsplit(process.stdout.readline().split()[4])
            link = http.client.HTTPConnection(address.hostname or "", address.port or 0, timeout=120)
            link.request("GET", "/state.json")
            assert json.loads(link.getresponse().read())["done"] == 1
            link.close()
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=300)
        finally:
            process.kill()
    assert (process.returncode, errors) == (0, "")
    assert {file: file.stat().st_mtime_ns for file in run.path.rglob("*")} == before


@contextmanager
def _served(run: RunFolder, host: str) -> Iterator[WatchServer]:
    server = WatchServer(Following(run).look, str, host=host, port=0)
    with aside(server):
        yield server


def _get(server: WatchServer, path: str, *, host: str = "", method: str = "GET") -> tuple[int, dict[str, str], bytes]:
    link = http.client.HTTPConnection("127.0.0.1", server.server_address[1], timeout=120)
    link.request(method, path, headers={"Host": host} if host else {})
    answer = link.getresponse()
    content = answer.read()
    link.close()
    return answer.status, dict(answer.getheaders()), content
