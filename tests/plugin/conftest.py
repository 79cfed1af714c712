"""Fixtures of the plugin's tests."""

from __future__ import annotations

import pytest

from .project import Project


@pytest.fixture
def project(pytester: pytest.Pytester) -> Project:
    """Make a project with a matrix whose scenarios need no machine."""
    return Project(pytester)
