"""Which of the addresses that VMware Tools tell is the guest's, and when it is believed."""

from __future__ import annotations

from typing import Any

import pytest
from pyVmomi import vim

from harness.machines.addresses import Settling, told


def nic(*addresses: str, device: int = 4000, mac: str = "00:50:56:01:02:03") -> Any:
    """Describe a network adapter as Tools do."""
    return vim.vm.GuestInfo.NicInfo(ipAddress=list(addresses), deviceConfigId=device, macAddress=mac, connected=True)


def guest(*nics: Any, first: str | None = None, tools: str = "guestToolsRunning") -> dict[str, Any]:
    """Describe what Tools tell."""
    return {"guest.net": list(nics), "guest.ipAddress": first, "guest.toolsRunningStatus": tools}


@pytest.mark.parametrize(
    ("seen", "wanted"),
    [
        (guest(nic("10.0.0.5")), ["10.0.0.5"]),
        (guest(nic("fe80::1", "169.254.3.4", "10.0.0.5")), ["10.0.0.5"]),
        (guest(nic("2001:db8::5", "10.0.0.5")), ["10.0.0.5", "2001:db8::5"]),
        (guest(nic("2001:db8::5")), ["2001:db8::5"]),
        (guest(nic("172.17.0.1", device=-1), nic("10.0.0.5"), first="172.17.0.1"), ["10.0.0.5"]),
        (guest(nic("172.17.0.1", mac="02:42:ac:11:00:02"), nic("10.0.0.5")), ["10.0.0.5"]),
        (guest(nic("192.168.96.1", mac="00:15:5D:00:01:02"), nic("10.0.0.5")), ["10.0.0.5"]),
        (guest(nic("10.0.0.5"), nic("10.9.0.5", device=4001), first="10.9.0.5"), ["10.9.0.5", "10.0.0.5"]),
        (guest(nic("10.0.0.5"), tools="guestToolsNotRunning"), []),
        (guest(first="10.0.0.5"), ["10.0.0.5"]),
        (guest(first="169.254.3.4"), []),
        (guest(nic("0.0.0.0", "nonsense")), []),  # noqa: S104 - nobody binds to it
        ({}, []),
    ],
)
def test_only_an_address_that_leads_to_the_guest_counts(seen: dict[str, Any], wanted: list[str]) -> None:
    """Bridges that Docker and Hyper-V make in the guest, and addresses of the link alone, lead nowhere."""
    assert told(seen) == wanted


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def test_a_new_address_is_believed_once_it_has_stayed() -> None:
    """An address of the first moments gives way to the one that stays."""
    clock = Clock()
    settling = Settling(settle=5, report=35, clock=clock)
    assert settling.see(guest(nic("10.0.0.5"))) is None
    clock.now += 4
    assert settling.see(guest(nic("10.0.0.6"))) is None
    clock.now += 4
    assert settling.see(guest(nic("10.0.0.6"))) is None
    assert settling.left() == 1
    clock.now += 1
    assert settling.see(guest(nic("10.0.0.6"))) == "10.0.0.6"


def test_an_address_from_before_the_revert_may_be_the_last_word_of_a_windows_that_is_gone() -> None:
    """It is believed only when Tools must have told it again."""
    clock = Clock()
    settling = Settling(before=["10.0.0.5"], settle=5, report=35, clock=clock)
    assert settling.see(guest(nic("10.0.0.5"))) is None
    clock.now += 34
    assert settling.see(guest(nic("10.0.0.5"))) is None
    clock.now += 1
    assert settling.see(guest(nic("10.0.0.5"))) == "10.0.0.5"


def test_an_address_that_went_and_came_back_is_told_anew() -> None:
    """After a restart the guest may well get the address that it had."""
    clock = Clock()
    settling = Settling(before=["10.0.0.5"], settle=5, report=35, clock=clock)
    settling.see(guest(nic("10.0.0.5")))
    settling.see(guest(tools="guestToolsNotRunning"))
    clock.now += 20
    assert settling.see(guest(nic("10.0.0.5"))) is None
    clock.now += 5
    assert settling.see(guest(nic("10.0.0.5"))) == "10.0.0.5"


def test_the_address_of_another_machine_is_never_believed() -> None:
    """An instant clone begins with its source's address, which stays the source's."""
    clock = Clock()
    settling = Settling(never=["10.0.0.5"], settle=5, report=35, clock=clock)
    clock.now += 500
    assert settling.see(guest(nic("10.0.0.5"))) is None
    assert settling.candidate is None
    assert settling.see(guest(nic("10.0.0.5", "10.0.0.7"))) is None
    clock.now += 5
    assert settling.see(guest(nic("10.0.0.5", "10.0.0.7"))) == "10.0.0.7"
