"""The hooks that this plugin offers to others."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import pytest


def pytest_wincompat_scenarios(config: pytest.Config) -> Mapping[str, Callable[..., None]]:  # type: ignore[empty-body]
    """Scenarios of your own: a name for the matrix, and a function that takes fixtures and reads as its story.

    Implement it in the ``conftest.py`` at the project's root or beside the matrix; a name that exists already replaces
    the built-in scenario of that name.
    """
    # the body is pluggy's business: a hook's specification is never called, hence the ignored "empty-body"
