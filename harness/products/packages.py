"""A product's package files: here and unchanged before they are used, downloaded where they have an address."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, model_validator

from harness.authoring import Authored, LocalPath, Text, shown
from harness.errors import SiteError
from harness.mistakes import nearest, quoted

CONNECT_SECONDS, READ_SECONDS, TOTAL_SECONDS = 10.0, 30.0, 3600.0
BIGGEST_PACKAGE = 8 * 1024**3  # bytes

Progress = Callable[[int, int | None], None]
"""Called with the bytes so far and, where the server said it, all bytes."""

_hashes: dict[tuple[str, int, int], str] = {}


@dataclass(frozen=True, slots=True)
class Package:
    """A package file on this machine whose SHA-256 (lower-case hexadecimal) was found right."""

    file: Path
    sha256: str


def _is_sha256(text: str) -> str:
    if not re.fullmatch(r"[0-9a-fA-F]{64}", text):
        raise ValueError("should be a SHA-256: 64 hexadecimal digits")
    return text.lower()


def _is_web_address(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and parts.hostname and not parts.username
    except ValueError:
        usable = False
    if not usable or not text.isprintable():
        raise ValueError("should be an address like https://example.com/demo-1.0.msi, without a user name")
    return text


Sha256 = Annotated[Text, AfterValidator(_is_sha256)]
WebAddress = Annotated[Text, AfterValidator(_is_web_address)]


class PackageSource(Authored):
    """Where a package is (``file`` or ``url``) and its SHA-256 (``sha256``, or ``sha256_file``: sha256sum's list)."""

    file: LocalPath | None = None
    url: WebAddress | None = None
    sha256: Sha256 | None = None
    sha256_file: LocalPath | None = None

    @model_validator(mode="after")
    def _one_of_each(self) -> PackageSource:
        if (self.file is None) == (self.url is None):
            raise ValueError("say where the package is in one way: file or url")
        if (self.sha256 is None) == (self.sha256_file is None):
            raise ValueError("say the package's SHA-256 in one way: sha256 or sha256_file")
        return self

    @property
    def file_name(self) -> str:
        """The package's own name, as it is called in the guest too."""
        if self.file is not None:
            return self.file.name
        return urlsplit(self.url or "").path.rpartition("/")[2] or "package"

    def expected_sha256(self) -> str:
        """Find the hash that the package must have; raises ValueError in the author's words."""
        if self.sha256 is not None:
            return self.sha256
        assert self.sha256_file is not None  # noqa: S101 - the validator above left exactly one
        listed = _listed_hashes(self.sha256_file)
        if self.file_name not in listed:
            raise ValueError(
                f"no line for {quoted(self.file_name)} in {shown(self.sha256_file)}; {nearest(self.file_name, listed)}"
            )
        return listed[self.file_name]

    def at_hand(self, downloads: Path | None = None) -> Path | None:
        """Find the package where it is on this machine already, its hash not looked at; None where it is not."""
        place = self.file or _place_of(downloads or cache_folder(), self.expected_sha256(), self.file_name)
        return place if place.is_file() else None

    def check(self, *, hashes: bool = True) -> None:
        """Check what can be checked without a network; raises ValueError in the author's words."""
        expected = self.expected_sha256()
        if self.file is None:
            return
        _require_file(self.file)
        if hashes:
            _require_hash(self.file, expected)

    def package(self, downloads: Path | None = None, progress: Progress | None = None) -> Package:
        """Give the package, downloaded where needed, its hash verified.

        Raises ValueError in the author's words for a missing or changed file, SiteError where the download fails.
        """
        expected = self.expected_sha256()
        if self.file is None:
            return Package(
                _downloaded(self.url or "", self.file_name, expected, downloads or cache_folder(), progress), expected
            )
        _require_file(self.file)
        _require_hash(self.file, expected)
        return Package(self.file, expected)


def _place_of(folder: Path, expected: str, name: str) -> Path:
    # keyed by hash: two addresses of one package are one file, and a changed package is another one
    return folder / "packages" / expected / re.sub(r"[^A-Za-z0-9._ +-]", "_", name)


def cache_folder() -> Path:
    """Name the folder for downloads of this user: ``WINCOMPAT_CACHE``, or what the system provides for it."""
    if named := os.environ.get("WINCOMPAT_CACHE"):
        return Path(named)
    if local := os.environ.get("LOCALAPPDATA"):
        return Path(local) / "pytest-wincompat"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "pytest-wincompat"


def sha256_of(file: Path) -> str:
    """Hash a file; what has kept its size and time in this process is not read again."""
    status = file.stat()
    key = (str(file.absolute()), status.st_size, status.st_mtime_ns)
    if key not in _hashes:
        with file.open("rb") as stream:
            _hashes[key] = hashlib.file_digest(stream, "sha256").hexdigest()
    return _hashes[key]


def _require_file(file: Path) -> None:
    if file.is_file():
        return
    if file.is_dir():
        raise ValueError(f"{shown(file)} is a folder, not a file")
    if not file.parent.is_dir():
        raise ValueError(f"no folder {shown(file.parent)} with {quoted(file.name)} in it; has it been built?")
    siblings = sorted(one.name for one in file.parent.iterdir() if one.is_file())
    raise ValueError(f"no file {quoted(file.name)} in {shown(file.parent)}; {nearest(file.name, siblings)}")


def _require_hash(file: Path, expected: str) -> None:
    try:
        found = sha256_of(file)
    except OSError as error:
        raise ValueError(f"{shown(file)} cannot be read: {error.strerror}") from error
    if found != expected:
        raise ValueError(f"{shown(file)} has SHA-256 {found[:16]}..., not {expected[:16]}...")


def _listed_hashes(file: Path) -> dict[str, str]:
    _require_file(file)
    try:
        if file.stat().st_size > 1_000_000:
            raise ValueError(f"{shown(file)} is too big for a list of hashes")
        lines = file.read_text("utf-8-sig").splitlines()
    except UnicodeDecodeError as error:
        raise ValueError(f"{shown(file)} is not a list of hashes as sha256sum writes it") from error
    except OSError as error:
        raise ValueError(f"{shown(file)} cannot be read: {(error.strerror or '').lower()}") from error
    found = (re.fullmatch(r"([0-9a-fA-F]{64}) [ *](.+)", line.strip()) for line in lines)
    # names may carry folders (sha256sum dir/*): a package is known by its last part
    return {match[2].replace("\\", "/").rpartition("/")[2]: match[1].lower() for match in found if match}


def _downloaded(url: str, name: str, expected: str, folder: Path, progress: Progress | None) -> Path:
    target = _place_of(folder, expected, name)
    if target.is_file() and sha256_of(target) == expected:
        return target
    host = urlsplit(url).hostname or url
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        handle, partial = tempfile.mkstemp(dir=target.parent, prefix=".download-")
        try:
            with os.fdopen(handle, "wb") as file:
                found = _transfer(url, file.write, progress)
            if found != expected:
                raise ValueError(f"{url} has SHA-256 {found[:16]}..., not {expected[:16]}...")
            Path(partial).replace(target)  # a reader sees the whole file or none
        finally:
            Path(partial).unlink(missing_ok=True)
    except OSError as error:  # requests' errors are OSErrors too
        raise SiteError(
            f"{url} cannot be downloaded: {_reason(error)}", machine=host, advice=f"try again, or put it at {target}"
        ) from error
    return target


def _transfer(url: str, write: Callable[[bytes], object], progress: Progress | None) -> str:
    # requests, not urllib: it is here anyway through pywinrm, follows redirects to http and https only, and has a
    # connect time-out of its own. Imported late, for it takes longer than everything else in this file.
    import requests

    digest, so_far = hashlib.sha256(), 0
    asked = requests.get(
        url, stream=True, timeout=(CONNECT_SECONDS, READ_SECONDS), headers={"Accept-Encoding": "identity"}
    )
    with asked as response:
        response.raise_for_status()
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else None
        begun = told = time.monotonic()
        for chunk in response.iter_content(1 << 18):
            so_far += len(chunk)
            if so_far > BIGGEST_PACKAGE:
                raise OSError(f"more than {BIGGEST_PACKAGE:,} bytes")
            if time.monotonic() - begun > TOTAL_SECONDS:
                raise OSError(f"only {so_far:,} bytes after {TOTAL_SECONDS:g} s")
            digest.update(chunk)
            write(chunk)
            if progress is not None and time.monotonic() - told > 0.2:
                told = time.monotonic()
                progress(so_far, total)
        if total is not None and so_far != total:
            raise OSError(f"ended after {so_far:,} of {total:,} bytes")
    if progress is not None:
        progress(so_far, total)
    return digest.hexdigest()


def _reason(error: OSError) -> str:
    import requests

    if isinstance(error, requests.HTTPError) and error.response is not None:
        return f"the server answers {error.response.status_code} {error.response.reason}"
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    if isinstance(error, requests.exceptions.SSLError):
        return "its certificate is not trusted"
    if isinstance(error, requests.ConnectionError):
        return "no connection"
    return error.strerror or str(error) or type(error).__name__
