"""Evidence on the page: excerpts of logs, pictures, and links to the whole files beside the page."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from markupsafe import Markup

from harness.report.excerpt import excerpt, told_lines
from harness.report.view import EvidenceView
from harness.results.result import Evidence, Result, Verdict
from harness.results.run import RunFolder

_TEXTS = frozenset({".log", ".txt", ".json", ".jsonl", ".csv", ".md", ".ini"})
_IMAGES = frozenset({".png", ".jpg", ".jpeg", ".gif", ".bmp", ".webp"})
_PICTURES = {b"\x89PNG\r\n\x1a\n": "image/png", b"\xff\xd8\xff": "image/jpeg"}


@dataclass(slots=True, kw_only=True)
class Shelf:
    """Takes evidence from a run's folder onto a page, as much as there is room for; the rest is linked."""

    folder: RunFolder
    page: Path  # where the page will be: links are relative to it
    text_room: int = 600_000  # characters of logs on the whole page
    cell_room: int = 6_000  # of them for one cell
    picture_room: int = 300_000  # bytes of pictures on the whole page
    largest_picture: int = 500_000

    def views(self, result: Result) -> tuple[EvidenceView, ...]:
        """Lay out a result's evidence; only a cell that did not pass shows more than links."""
        telling = result.verdict not in (Verdict.PASSED, Verdict.SKIPPED, Verdict.NOT_RUN)
        room = min(self.cell_room, self.text_room)
        views = []
        for evidence in sorted(result.evidence, key=_weight) if telling else result.evidence:
            file = self.folder.evidence_file(evidence)
            if file is None:
                note = "the file is gone, or is not in the run's folder"
                views.append(EvidenceView(name=evidence.name, link="", size="", note=note))
                continue
            try:
                view = self._view(evidence, file, room if telling else 0)
            except OSError as error:
                note = f"cannot be read: {error.strerror}"
                view = EvidenceView(name=evidence.name, link="", size="", note=note)
            room -= len(view.excerpt)
            self.text_room -= len(view.excerpt)
            self.picture_room -= len(view.image)
            views.append(view)
        return tuple(views)

    def _view(self, evidence: Evidence, file: Path, room: int) -> EvidenceView:
        size = file.stat().st_size
        link, shown = address(file, self.page), _bytes(size)
        if evidence.kind == "screenshot":
            if not room or size > min(self.largest_picture, self.picture_room * 3 // 4):
                return EvidenceView(name=evidence.name, link=link, size=shown)
            content = file.read_bytes()
            for mark, kind in _PICTURES.items():
                if content.startswith(mark):
                    image = Markup(f"data:{kind};base64,{base64.b64encode(content).decode()}")  # noqa: S704 - base64
                    return EvidenceView(name=evidence.name, link=link, size=shown, image=image)
            return EvidenceView(name=evidence.name, link=link, size=shown, note="not a picture that can be shown")
        if room < 200 or evidence.name.endswith(".json"):
            return EvidenceView(name=evidence.name, link=link, size=shown)
        text, whole = excerpt(file, room, told_lines(file))
        return EvidenceView(name=evidence.name, link=link, size=shown, excerpt=text, whole=whole)


def address(file: Path, page: Path) -> str:
    """Give a file's address relative to the page; "" where there is none, or where it must not be opened with a click.

    Only what a browser shows as text or picture is linked: a file out of a guest could hold a page with scripts.
    """
    if file.suffix.lower() not in _TEXTS | _IMAGES:
        return ""
    try:
        return quote(Path(os.path.relpath(file, Path(os.path.realpath(page)).parent)).as_posix())
    except ValueError:  # another drive
        return ""


def _weight(evidence: Evidence) -> tuple[int, str]:
    # the picture says it fastest; then logs; facts last, they are rarely why
    order = {"screenshot": 0, "log": 1, "text": 2, "facts": 3}
    return order.get(evidence.kind, 2), evidence.name


def _bytes(size: int) -> str:
    if size < 1000:
        return f"{size} B"
    return f"{size / 1000:.0f} KB" if size < 1_000_000 else f"{size / 1_000_000:.1f} MB"
