"""The report on paper: printed by Chromium, as a person would."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

from harness.errors import AuthoringError

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "msedge")
_WITHIN = 180.0  # seconds for a page of a hundred thousand cells on a busy machine


def write_pdf(page: Path, target: Path) -> Path:
    """Print a report; the file is written whole or not at all.

    Raises AuthoringError when no Chromium is found, or when it does not print.
    """
    browser = next(filter(None, map(shutil.which, _NAMES)), None)
    if browser is None:
        raise AuthoringError(
            f"{target.name}: printing needs Chromium, Chrome or Edge, and none of {', '.join(_NAMES)} is on the PATH; "
            "install one, or open the report and print it"
        )
    with tempfile.TemporaryDirectory(prefix="wincompat-pdf-") as scratch:
        printed = Path(scratch) / "report.pdf"
        command = [
            browser,
            *("--headless", "--disable-gpu", "--no-first-run", "--disable-background-networking", "--disable-sync"),
            # the page brings its own policy and a guest's words are text; root cannot have Chromium's sandbox
            "--no-sandbox",
            "--no-pdf-header-footer",
            "--virtual-time-budget=20000",  # the page unfolds first
            f"--user-data-dir={scratch}/profile",
            f"--print-to-pdf={printed}",
            page.resolve().as_uri(),
        ]
        try:
            done = subprocess.run(command, capture_output=True, timeout=_WITHIN, check=False)
        except subprocess.TimeoutExpired:
            raise AuthoringError(f"{page}: {browser} did not print it within {_WITHIN:g} s") from None
        if not printed.is_file():
            said = done.stderr.decode("utf-8", "replace").strip().rpartition("\n")[2]
            raise AuthoringError(f"{page}: {browser} did not print it: {said or f'exit code {done.returncode}'}")
        part = target.with_name(f".{target.name}.part")
        try:
            shutil.copyfile(printed, part)
            part.replace(target)
        except OSError as error:
            part.unlink(missing_ok=True)
            raise AuthoringError(f"{target}: cannot write the PDF: {error.strerror}") from error
    return target
