"""What exit codes mean, and in whose words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.exit_codes import Origin, explain, meaning, shown, signed
from harness.products.exit_code import ExitCode, Response
from harness.results.result import Fault

# the successes of Microsoft's table, and no others
SUCCESSES: dict[Origin, set[int]] = {
    "windows_installer": {0, 1641, 3010},
    "windows": {0, 1641, 3010},
    "xcopy": {0},
    "nsis": {0, 1641, 3010},
    "inno_setup": {0, 1641, 3010},
    "burn": {0, 1641, 3010},
}


@pytest.mark.parametrize("origin", SUCCESSES)
def test_only_the_documented_codes_are_success(origin: Origin) -> None:
    """A code that is taken for success by mistake hides a failure."""
    assert {code for code in range(-10, 20_000) if meaning(code, origin).success} == SUCCESSES[origin]


@given(st.integers(-(2**31), 2**32 - 1), st.sampled_from(sorted(SUCCESSES)))
def test_every_code_has_words_and_a_fault(code: int, origin: Origin) -> None:
    """Also the ones that nobody named; no failure is nobody's, and no success is refused."""
    found = meaning(code, origin)
    assert found.words
    assert found.success == (found.fault is Fault.NOBODY)
    assert not (found.success and found.refused)
    assert found.code == signed(code)


@given(st.integers(-(2**31), 2**31 - 1))
def test_a_code_is_the_same_signed_and_unsigned(code: int) -> None:
    """Tools print both; 3221225477 is -1073741819."""
    assert signed(code) == signed(code & 0xFFFF_FFFF) == code
    assert meaning(code) == meaning(code & 0xFFFF_FFFF)


@pytest.mark.parametrize(
    ("code", "words"),
    [
        (3221225477, "exit code 0xC0000005: crashed: access violation"),
        (-1073741515, "exit code 0xC0000135: did not start: a library (DLL) that it needs was not found"),
        (0xC0000139, "exit code 0xC0000139: did not start: a library (DLL) lacks a function that it needs"),
        (-1, "exit code -1: failed"),
        (1, "exit code 1: failed without saying why"),
        (1603, "exit code 1603: a fatal error during the installation; its log says which"),
        (0x80070643, "exit code 0x80070643: a fatal error during the installation; its log says which"),
        (0x80070661, "exit code 0x80070661: the package is for another processor"),
        (-2147023728, "exit code 0x80070490: error 1168 of Windows"),
        (0x80070BC2, "exit code 0x80070BC2: done, and Windows must be restarted"),
        (0xC0000999, "exit code 0xC0000999: crashed"),
        (0x800B0105, "exit code 0x800B0105: a signature or certificate is not trusted"),
    ],
)
def test_a_code_is_written_as_people_look_it_up(code: int, words: str) -> None:
    """Crashes in hexadecimal, installer codes in decimal."""
    assert str(meaning(code)) == words
    assert shown(code) in words


def test_whose_fault_a_code_is_follows_its_meaning() -> None:
    """A busy installer service is the machine's, a wrong command line ours, a missing right the honest refusal."""
    assert meaning(1618, "windows_installer").fault is Fault.SITE
    assert meaning(1639, "windows_installer").fault is Fault.HARNESS
    assert meaning(1603, "windows_installer").fault is Fault.PRODUCT
    assert meaning(1625, "windows_installer").refused
    assert meaning(740).refused
    assert not meaning(1603).refused
    assert meaning(3010).reboot
    assert not meaning(3017).success


def test_a_success_that_is_wrapped_as_an_error_is_none() -> None:
    """0x80070BC2 carries 3010, and says by its form that something failed."""
    assert not meaning(0x80070BC2).success
    assert meaning(0x80070BC2).fault is Fault.PRODUCT


@pytest.mark.parametrize(
    ("code", "kind", "name"),
    [
        (2, "inno-setup", "cancelled before"),
        (2, "nsis", "aborted"),
        (2, "exe", "FILE_NOT_FOUND"),
        (8, "inno-setup", "cannot proceed before a restart"),
        (1602, "burn", "INSTALL_USEREXIT"),
        (1603, "windows-installer", "INSTALL_FAILURE"),
        (4, "zip", "not copied"),
        (740, "nsis", "ELEVATION_REQUIRED"),
    ],
)
def test_small_codes_mean_what_their_installer_means(code: int, kind: str, name: str) -> None:
    """2 is a missing file for Windows, a person who cancelled for Inno Setup, and a script that gave up for NSIS."""
    assert explain(code, kind).name == name


@pytest.mark.parametrize(
    ("code", "cause"),
    [
        (0xC0000135, "crash at start"),
        (0xC0000005, "crash at start"),
        (1633, "compatibility"),
        (0x80070661, "compatibility"),
        (1925, ""),
        (1625, "permission"),
        (1618, "environment"),
        (0xC0000428, "signature"),
        (3010, "reboot"),
        (1603, ""),
    ],
)
def test_the_class_of_the_cause_is_told_where_the_code_tells_it(code: int, cause: str) -> None:
    """And nothing is guessed where it does not: 1603 may be anything."""
    assert meaning(code, "windows_installer").cause == cause


@pytest.mark.parametrize(
    ("response", "cause", "fault"),
    [
        ("fileInUse", "in use", Fault.PRODUCT),
        ("diskFull", "environment", Fault.SITE),
        ("systemNotSupported", "compatibility", Fault.PRODUCT),
        ("rebootRequiredToFinish", "reboot", Fault.NOBODY),
        ("contactSupport", "", Fault.PRODUCT),
    ],
)
def test_wingets_responses_have_a_cause_and_a_fault(response: Response, cause: str, fault: Fault) -> None:
    """As a product's file gives them for its own codes."""
    told = ExitCode(code=42, response=response).meaning
    assert (told.cause, told.fault) == (cause, fault)
