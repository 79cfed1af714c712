"""Notices: what is told to whom, signed, within a budget, and without ever failing anything."""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from harness.cli import wincompat
from harness.gate.deciding import decide
from harness.gate.decision import Decision
from harness.gate.evidence import Evidence
from harness.gate.policy import Policy
from harness.notices.brief import Brief, brief
from harness.notices.mail import mail
from harness.notices.places import Webhook, read_notices
from harness.notices.sending import signature, tell
from harness.notices.shapes import shaped
from harness.results.run import RunFolder
from tests.browsing import new_page, violations
from tests.gate.cases import NOW, cell, plan, result, waiver

if TYPE_CHECKING:
    from playwright.sync_api import Browser

HOSTILE = "<!channel> *bold* [x](http://evil.example) <script>alert(1)</script> \u202e\x1b[31m"
TOKEN = "tok-3n-in-the-address"


class Receiver:
    """A server on loopback that keeps what it is sent and answers as it is told, the last answer for ever."""

    def __init__(self, *answers: int, silent: bool = False) -> None:
        self.met: list[tuple[dict[str, str], bytes]] = []
        self.release = threading.Event()
        left = list(answers) or [200]
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                outer.met.append((dict(self.headers), body))
                if silent:
                    outer.release.wait(300)
                self.send_response(left.pop(0) if len(left) > 1 else left[0])
                self.send_header("Location", "http://127.0.0.1:9/")
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *words: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02})
        self.thread.start()
        self.url = f"http://127.0.0.1:{self.server.server_port}/{TOKEN}"

    def stop(self) -> None:
        """End it."""
        self.release.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def receivers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Receiver]]:
    """Whatever receivers a test starts are ended; no proxy stands between."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    started: list[Receiver] = []
    yield started
    for receiver in started:
        receiver.stop()


def hooked(monkeypatch: pytest.MonkeyPatch, address: str, **more: object) -> Webhook:
    """Name a webhook whose address and secret are in the environment."""
    monkeypatch.setenv("HOOK_URL", address)
    monkeypatch.setenv("HOOK_SECRET", "s3cret")
    usual: dict[str, object] = {"name": "channel", "kind": "json", "url": {"env": "HOOK_URL"}}
    return Webhook.model_validate({**usual, **more})


def decided(*verdicts: str, is_lab: bool = False) -> Decision:
    """Decide about a run of so many cells, one of which is waived."""
    cells = [cell(scenario=f"scenario-{number}") for number, _ in enumerate(verdicts)]
    results = tuple(
        result(one, verdict, reason=f"{HOSTILE} {number}", fingerprint=f"{number:010x}")
        for number, (one, verdict) in enumerate(zip(cells, verdicts, strict=True))
    )
    run = plan(*cells, is_lab=is_lab)
    waivers = (waiver(cells=("*::scenario-1",)),)
    return decide(Evidence(plan=run, results=results, run="r1"), Policy(allow_lab=True), waivers, now=NOW)


@pytest.fixture
def told() -> Brief:
    """Tell of a hold for twelve reasons, on the lab."""
    return brief(decided("passed", *["failed"] * 13, is_lab=True), "https://ci.example.com/report")


def quickly(_: float) -> None:
    """Let no time pass."""


def test_a_message_is_signed_so_that_a_receiver_can_check_it(
    receivers: list[Receiver], monkeypatch: pytest.MonkeyPatch, told: Brief
) -> None:
    """HMAC with SHA-256 over time stamp, dot and body, computed here once more by hand."""
    receivers.append(Receiver())
    hook = hooked(monkeypatch, receivers[0].url, secret={"env": "HOOK_SECRET"})
    assert tell([hook], told, budget=60) == ["channel: told"]
    headers, body = receivers[0].met[0]
    signed = headers["X-Wincompat-Timestamp"].encode() + b"." + body
    assert headers["X-Wincompat-Signature"] == "v1=" + hmac.new(b"s3cret", signed, hashlib.sha256).hexdigest()
    assert signature("another", headers["X-Wincompat-Timestamp"], body) != headers["X-Wincompat-Signature"]
    assert json.loads(body)["decision"] == "hold"


def test_what_may_be_taken_later_is_tried_again_as_the_same_delivery(
    receivers: list[Receiver], monkeypatch: pytest.MonkeyPatch, told: Brief
) -> None:
    """A busy or broken address gets it once more; a receiver can tell that it is the same."""
    receivers.append(Receiver(503, 429, 200))
    assert tell([hooked(monkeypatch, receivers[0].url)], told, budget=60, sleep=quickly) == ["channel: told"]
    assert len(receivers[0].met) == 3
    assert len({headers["X-Wincompat-Delivery"] for headers, _ in receivers[0].met}) == 1


@pytest.mark.parametrize("status", [400, 404, 302])
def test_what_is_refused_is_not_tried_again_and_no_redirect_is_followed(
    receivers: list[Receiver], monkeypatch: pytest.MonkeyPatch, told: Brief, status: int
) -> None:
    """An address that is wrong stays wrong, and a signed message goes nowhere else."""
    receivers.append(Receiver(status))
    said = tell([hooked(monkeypatch, receivers[0].url)], told, budget=60, sleep=quickly)
    assert said == [f"channel: not told: it answers {status}"]
    assert len(receivers[0].met) == 1


def test_a_silent_receiver_costs_no_more_than_the_budget_and_stops_no_other(
    receivers: list[Receiver], monkeypatch: pytest.MonkeyPatch, told: Brief
) -> None:
    """It is given up, and the one beside it is told."""
    receivers += [Receiver(silent=True), Receiver()]
    monkeypatch.setenv("OTHER_URL", receivers[1].url)
    hooks = [
        hooked(monkeypatch, receivers[0].url, name="silent"),
        hooked(monkeypatch, receivers[0].url, name="other", url={"env": "OTHER_URL"}),
    ]
    assert tell(hooks, told, budget=8) == ["silent: no answer within 8 s, given up", "other: told"]


def test_neither_address_nor_secret_is_ever_shown(monkeypatch: pytest.MonkeyPatch, told: Brief) -> None:
    """Not in a sentence about a failure, and not in a webhook's repr: who has the address may write there."""
    for url in (
        f"http://127.0.0.1:1/{TOKEN}",
        f"https://no-such-host.invalid/{TOKEN}",
        f"http://example.com/{TOKEN}",
        TOKEN,
    ):
        hook = hooked(monkeypatch, url, secret={"env": "HOOK_SECRET"})
        said = tell([hook], told, budget=0.2, sleep=quickly)
        assert said[0].startswith("channel: ")
        assert not said[0].endswith(": told")
        assert not any(secret in f"{said} {hook!r}" for secret in (TOKEN, "s3cret"))


def test_a_secret_that_is_not_there_is_said_and_raises_nothing(monkeypatch: pytest.MonkeyPatch, told: Brief) -> None:
    """The place is named, so that somebody can mend it."""
    hook = hooked(monkeypatch, "https://example.com/")
    monkeypatch.delenv("HOOK_URL")
    assert "HOOK_URL is not set" in tell([hook], told, budget=60)[0]


def test_a_webhook_is_told_of_what_it_asked_for(monkeypatch: pytest.MonkeyPatch, told: Brief) -> None:
    """Who wants to hear of holds alone is not told that something ships."""
    assert tell([hooked(monkeypatch, "https://example.com/", on="ship")], told, budget=1) == []


def test_a_teams_card_is_an_adaptive_card_of_literal_texts(told: Brief) -> None:
    """As Teams' workflows take it, below their 28 KB, with nothing in which Markdown is markup."""
    message = shaped("teams", told)
    attachment = message["attachments"][0]
    assert (message["type"], attachment["contentType"]) == ("message", "application/vnd.microsoft.card.adaptive")
    card = attachment["content"]
    assert (card["type"], card["version"]) == ("AdaptiveCard", "1.4")
    assert {block["type"] for block in card["body"]} == {"RichTextBlock"}
    assert card["actions"][0]["url"] == told.link
    assert len(json.dumps(message).encode()) < 28_000


def test_slack_blocks_keep_to_slacks_limits_and_nobody_is_called(told: Brief) -> None:
    """Headers of 150 and texts of 3,000 characters at most, all of them plain, and the fallback escaped."""
    message = shaped("slack", told)
    assert len(message["blocks"]) <= 50
    for text in _texts(message["blocks"]):
        assert text["type"] == "plain_text"
        assert len(text["text"]) <= 3_000
    assert len(message["blocks"][0]["text"]["text"]) <= 150
    assert "<!channel>" not in message["text"]


def _texts(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        if "text" in node and isinstance(node["text"], str):
            yield node
        for value in node.values():
            yield from _texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from _texts(value)


@pytest.mark.parametrize("kind", ["teams", "slack", "json"])
def test_every_shape_says_what_decides(told: Brief, kind: str) -> None:
    """The word, the lab, the first reasons and how many more, and who waived what."""
    written = json.dumps(shaped(kind, told), ensure_ascii=False)
    for words in ("HOLD: release", "not Windows evidence", "4 reasons more", "waiver REL-1 by Ada until 2026-12-01"):
        assert words in written, words
    assert "\u202e" not in written


def test_a_mail_stands_alone_and_shows_words_as_words(told: Brief) -> None:
    """No script, no picture, no style sheet, no address but the report's; what a guest wrote is text."""
    page = mail(told)
    assert "<script" not in page
    assert "<img" not in page
    assert "<style" not in page
    assert page.count("href=") == 1
    assert "&lt;script&gt;" in page
    assert "HOLD: release" in page
    assert len(page) < 100_000  # Gmail cuts what is longer


def test_a_mail_fits_a_phone_whatever_a_guest_says(told: Brief, browser: Browser, axe: str, tmp_path: Path) -> None:
    """A reason without a blank is broken, nothing in it acts, and no rule of WCAG 2.2 A or AA is broken."""
    hostile = "<script>alert(1)</script><img src=x onerror=alert(2)>" + "W" * 200
    page = new_page(browser, viewport={"width": 390, "height": 800})
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    (tmp_path / "mail.html").write_text(mail(replace(told, reasons=(hostile,), title="T" * 140)), "utf-8")
    page.goto((tmp_path / "mail.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert hostile in page.locator("body").inner_text()
    assert violations(page, axe) == []
    assert complaints == []
    page.close()


def test_the_command_tells_writes_and_fails_nothing(
    tmp_path: Path, receivers: list[Receiver], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that is told, one that is away: exit code 0; a run without a decision: 5."""
    receivers.append(Receiver())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("UP", receivers[0].url)
    monkeypatch.setenv("AWAY", "http://127.0.0.1:1/")
    (tmp_path / "notices.toml").write_text(
        "budget = 3\n"
        + "".join(f'[[webhooks]]\nname="{name}"\nkind="slack"\nurl={{env="{name}"}}\n' for name in ("UP", "AWAY"))
    )
    assert read_notices(tmp_path / "notices.toml").budget == 3
    run = RunFolder.create(tmp_path / "build" / "runs")
    run.write_plan(plan(cell()))
    typed = ["notify", "--to", "notices.toml", "--mail", "out/mail.html"]
    assert CliRunner().invoke(wincompat, typed).exit_code == 5
    decided("passed", "failed").write(run.path / "gate.json")
    found = CliRunner().invoke(wincompat, typed)
    assert found.exit_code == 0, found.output
    assert "UP: told\n" in found.output
    assert "AWAY: not told: there is no connection, given up\n" in found.output
    assert "SHIP" in (tmp_path / "out" / "mail.html").read_text("utf-8")


def test_the_manuals_example_is_right(tmp_path: Path) -> None:
    """The notices.toml of docs/gate.md, as it stands."""
    manual = (Path(__file__).parents[2] / "docs" / "gate.md").read_text("utf-8")
    (tmp_path / "notices.toml").write_text(
        manual.partition("```toml\n# notices.toml\n")[2].partition("```")[0], "utf-8"
    )
    assert [hook.kind for hook in read_notices(tmp_path / "notices.toml").webhooks] == ["teams", "json"]
