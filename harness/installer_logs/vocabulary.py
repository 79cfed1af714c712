"""The words that verbose Windows Installer logs are read with, from vocabulary.toml."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from importlib import resources
from typing import get_args

from harness.installer_logs.reading import Severity

_READ = tomllib.loads(resources.files("harness.installer_logs").joinpath("vocabulary.toml").read_text("utf-8"))

STANDARD_ACTIONS: frozenset[str] = frozenset(_READ["standard_actions"])
"""The actions that Windows Installer itself brings."""

OF_INTEREST: frozenset[str] = frozenset(_READ["properties"])
"""The properties that explain results and hold no secrets."""

SEVERITIES: Mapping[str, Severity] = {
    word: severity for severity in get_args(Severity) for word in _READ["severities"].get(severity, ())
}
"""How bad a message is by its first word, in the languages of Windows."""
