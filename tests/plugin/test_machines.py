"""How many machines of each build the embedded lab is started with."""

from __future__ import annotations

import pytest

from harness.plugin.start import MOST_MACHINES, machines_for


@pytest.mark.parametrize("workers", [1, 2, 4, 7, 200])
@pytest.mark.parametrize("builds", [1, 2, 5, 30])
def test_every_worker_finds_a_machine_and_none_is_made_for_nobody(workers: int, builds: int) -> None:
    """Together there are as many as workers, with one to spare of each build where workers may meet; never more."""
    machines = machines_for(workers, builds)
    assert 1 <= machines <= min(workers, MOST_MACHINES)
    assert machines * builds >= min(workers, MOST_MACHINES * builds)
    if workers > 1:
        assert machines * builds > workers or machines in (workers, MOST_MACHINES)
