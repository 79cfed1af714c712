"""What the guests of a run said that they were, in one sentence."""

from __future__ import annotations

from harness.results.provenance import provenance
from tests.results.made_runs import result


def test_builds_stand_in_their_order_whichever_cell_ended_first() -> None:
    """Machines at work side by side end in any order; the sentence is the same, and sorts as builds do."""
    said = [f"Wine 8.0 presenting as {build}" for build in ("19045.6456", "9200.17", "19045.982", "x", "19044.4529")]
    found = provenance(None, [result(provenance=one) for one in said])
    assert found.is_lab
    assert found.words == "Wine 8.0 presenting as x, 9200.17, 19044.4529, 19045.982 and 19045.6456"
