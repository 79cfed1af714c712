"""What a report promises to every reader: whole, alone, honest about the lab, and safe against what a guest says."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path

import pytest

from harness.errors import AuthoringError
from harness.report.page import write_report
from tests.results.made_runs import DAY, result, run

from .sample import HOSTILE, ROLLBACK, sample_run


class Elements(HTMLParser):
    """Every element of a page: its name and attributes, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep it."""
        self.found.append((tag, dict(attrs)))

    def named(self, *names: str) -> list[dict[str, str | None]]:
        """Give the attributes of all elements of these names."""
        return [attributes for name, attributes in self.found if name in names]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Write the sample run's report."""
    return write_report(sample_run(tmp_path_factory.mktemp("runs")).path).read_text("utf-8")


def test_the_page_stands_alone(page: str) -> None:
    """It loads nothing: no address but those inside the page or the run's folder, and a policy that says so."""
    elements = Elements(page)
    addresses = [one for attributes in elements.named("script", "link", "img", "iframe", "use", "source")
                 for one in (attributes.get("src"), attributes.get("href")) if one]  # fmt: skip
    assert all(one.startswith(("data:", "#")) for one in addresses)
    links = [attributes.get("href") or "" for attributes in elements.named("a")]
    assert not [one for one in links if re.match(r"[a-z]+:|//", one) and not one.startswith("data:")]
    (policy,) = [one["content"] for one in elements.named("meta") if one.get("http-equiv") == "Content-Security-Policy"]
    assert policy is not None
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy.partition("script-src")[2].partition(";")[0]


def test_nothing_a_guest_says_acts_or_hides(page: str) -> None:
    """Scripts, control characters and direction marks out of a guest are shown, and do nothing."""
    assert HOSTILE not in page
    assert '<script>alert("guest")' not in page
    assert "<img src=x" not in page
    assert not re.search("[\u202a-\u202e\u2066-\u2069\x00\x07\x1b]", page)
    assert not [name for _, attributes in Elements(page).found for name in attributes if name.startswith("on")]


def test_the_lab_says_so_and_no_theme_takes_it_away(tmp_path: Path) -> None:
    """A team may change the whole look; the banner of a lab run is not theirs to change."""
    theme = tmp_path / "reports"
    theme.mkdir()
    (theme / "page.html").write_text("<p>ours</p>")
    (theme / "style.css").write_text("header, .banner, #lab-banner { display: none !important }")
    text = write_report(sample_run(tmp_path / "runs").path, overrides=theme).read_text("utf-8")
    assert "<p>ours</p>" in text
    assert "not Windows evidence" in text
    on_windows = write_report(sample_run(tmp_path / "site", is_lab=False).path).read_text("utf-8")
    assert "not Windows evidence" not in on_windows


def test_a_report_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    """An override that does not work leaves the older report as it was, and says what is wrong in one line."""
    folder = sample_run(tmp_path / "runs")
    before = write_report(folder.path).read_bytes()
    theme = tmp_path / "reports"
    theme.mkdir()
    (theme / "page.html").write_text("{{ page.there_is_no_such_thing }}")
    with pytest.raises(AuthoringError):
        write_report(folder.path, overrides=theme)
    assert folder.report_file.read_bytes() == before
    assert not [file for file in folder.path.iterdir() if file.name.startswith((".", "half"))]


def test_the_journal_alone_is_enough(tmp_path: Path) -> None:
    """Without the plan the page is made all the same, and says that cells that were not run cannot be known."""
    folder = sample_run(tmp_path)
    folder.plan_file.unlink()
    text = write_report(folder.path).read_text("utf-8")
    assert "ninja-msi" in text
    assert re.search(r"plan", text)


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda text: text + '{"cell": 5}\n', "1 line of the journal cannot be read"),
        (
            lambda text: text.replace('"verdict":"passed"', '"verdict":"failed"') + text.splitlines()[1] + "\n",
            "replaced",
        ),
        (lambda text: text + text.splitlines()[1].replace("install", "other") + "\n", "a result that nobody planned"),
        (
            lambda text: text.replace("Windows 11 Enterprise", ""),
            "passed in a guest that never said that it was Windows",
        ),
    ],
    ids=["damaged", "replaced", "unplanned", "silent"],
)
def test_no_page_ships_what_every_gate_holds(tmp_path: Path, spoil: Callable[[str], str], said: str) -> None:
    """All cells passed, but the run's records are in doubt: the page says HOLD and why, also without a policy."""
    folder = run(tmp_path, result())
    assert '<span class="word">SHIP</span>' in write_report(folder.path).read_text("utf-8")
    folder.journal_file.write_text(spoil(folder.journal_file.read_text("utf-8")), "utf-8")
    page = write_report(folder.path).read_text("utf-8")
    assert '<span class="word">HOLD</span>' in page
    assert said in page.partition("</section>")[0]


def test_revisions_of_a_build_are_told_apart(tmp_path: Path) -> None:
    """Where two builds have one name, their numbers stand beside it, in heat maps and times as well."""
    page = write_report(
        run(tmp_path, result(22631), result(22631, cell="other").model_copy(update={"build": "22631.4037"})).path
    ).read_text("utf-8")
    assert '<th scope="col">Windows 11 23H2 (22631.4037)' in page
    assert '<th scope="row">Windows 11 23H2 (22631)\n' in page


def test_cells_from_before_their_run_are_told(tmp_path: Path) -> None:
    """A clock that was set in the middle of a run makes every time between cells meaningless; the page says so."""
    folder = run(tmp_path, result(19044), result(22631, started=DAY - timedelta(days=400)))
    assert "1 cell began before the run did" in write_report(folder.path).read_text("utf-8")


def test_the_page_tells_the_story_of_a_cell(page: str) -> None:
    """A picture of a hung console, the known issue with ticket and expiry, and the command to repeat are all there."""
    assert "data:image/png;base64," in page
    assert ROLLBACK.ticket in page
    assert str(ROLLBACK.expires) in page
    assert "pytest" in page


def test_the_page_can_be_read_without_eyes(page: str) -> None:
    """One main landmark, one first heading, no level skipped, every table heading scoped, every picture described."""
    elements = Elements(page)
    assert len(elements.named("main")) == 1
    levels = [int(name[1]) for name, _ in elements.found if re.fullmatch("h[1-6]", name)]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    assert all(attributes.get("scope") for attributes in elements.named("th"))
    assert all(attributes.get("alt") for attributes in elements.named("img"))
    assert all(attributes.get("lang") for attributes in elements.named("html"))


def test_a_long_line_is_cut_and_its_length_said(tmp_path: Path) -> None:
    """Ten megabytes in one line of a log cost the page next to nothing."""
    folder = sample_run(tmp_path)
    log = next(folder.path.glob("evidence/*/*.log"))
    log.write_text("x" * 10_000_000)
    size = len(write_report(folder.path).read_bytes())
    assert size < 2_000_000
