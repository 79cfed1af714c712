"""Builds as values, and the catalog's names and dates."""

from __future__ import annotations

import tomllib
from datetime import date
from importlib import resources

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.builds import Build, catalog

TUESDAY = 1


def test_every_date_of_the_catalog_is_a_tuesday() -> None:
    """Microsoft releases and ends on Tuesdays: any other day is a slip, often the day after that some lists hold."""
    days = [
        (release.name, day)
        for release in catalog().values()
        for day in (release.released, *release.end_of_service.values())
    ]
    assert [(name, day) for name, day in days if day.weekday() != TUESDAY] == []


def test_the_catalog_is_complete_and_in_order() -> None:
    """Every release from Windows 10 21H2 to Windows 11 25H2, each slug once, each with both usual editions' ends."""
    assert list(catalog()) == [19044, 19045, 22000, 22621, 22631, 26100, 26200]
    assert len({release.slug for release in catalog().values()}) == 7
    for release in catalog().values():
        assert {"home", "enterprise"} <= set(release.end_of_service)
        assert all(end > release.released for end in release.end_of_service.values())
        assert release.end_of_service["home"] <= release.end_of_service["enterprise"]
    assert set(tomllib.loads(resources.files("harness").joinpath("builds.toml").read_text())) == set(
        map(str, catalog())
    )


def test_the_last_day_of_service_is_a_day_of_service() -> None:
    """A build is out of service from the day after."""
    release = catalog()[22631]
    assert release.out_of_service_since(date(2026, 11, 10)) is None
    assert release.out_of_service_since(date(2026, 11, 11)) == date(2026, 11, 10)
    assert release.out_of_service_since(date(2025, 11, 12), edition="home") == date(2025, 11, 11)


@pytest.mark.parametrize(
    ("text", "build"),
    [
        ("22631", Build(22631)),
        (22631, Build(22631)),
        (" 22631.4037 ", Build(22631, 4037)),
        ("10.0.22631.4037", Build(22631, 4037)),
        ("win11-23h2", Build(22631)),
        ("WIN11-23H2", Build(22631)),
        ("win11-23h2.4037", Build(22631, 4037)),
    ],
)
def test_a_build_is_read_from_each_form_that_people_use(text: str | int, build: Build) -> None:
    """Numbers as `ver` prints them and the catalog's slugs."""
    assert Build.parse(text) == build


@pytest.mark.parametrize(
    "text",
    ["", "21H2", "22631.1.2", "-1", "\uff12\uff12\uff16\uff13\uff11", "22631.", "win11-23h2.", "9999999999", "10.0."],
)
def test_anything_else_is_refused_with_the_right_form(text: str) -> None:
    """Above all 21H2, which is two builds."""
    with pytest.raises(ValueError, match=r"is not a Windows build; (did you mean|write it like)"):
        Build.parse(text)


@given(st.integers(1, 99_999), st.integers(0, 99_999))
def test_a_build_reads_back_as_it_is_written(number: int, revision: int) -> None:
    """Its text is its name in files and on command lines."""
    build = Build(number, revision)
    assert Build.parse(str(build)) == build


@given(st.sampled_from(sorted(catalog())), st.integers(0, 99_999))
def test_a_slug_reads_back_too(number: int, revision: int) -> None:
    """It is what node ids and `--build` hold."""
    build = Build(number, revision)
    assert Build.parse(build.slug) == build


@given(st.text(max_size=30).filter(lambda text: not text.strip().removeprefix("10.0.")[:1].isdecimal()))
def test_no_text_crashes_the_reader_of_builds(text: str) -> None:
    """It is a ValueError of one line."""
    with pytest.raises(ValueError, match="is not a Windows build") as caught:
        Build.parse(text)
    assert str(caught.value).isprintable()


def test_builds_sort_by_number_then_revision() -> None:
    """As people mean it: 22631.4037 comes after 22631.999."""
    assert sorted([Build(22631, 4037), Build(26100), Build(22631, 999), Build(22631)]) == [
        Build(22631), Build(22631, 999), Build(22631, 4037), Build(26100),
    ]  # fmt: skip


def test_an_unknown_number_names_the_nearest() -> None:
    """The catalog answers for what it does not know."""
    with pytest.raises(
        ValueError, match=r"^build 22635 is not in the catalog; the nearest is 22631 \(Windows 11 23H2\)$"
    ):
        Build(22635).slug  # noqa: B018 - the property raises
