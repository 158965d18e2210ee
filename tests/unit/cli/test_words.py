"""States and ages in the words of the terminal."""

from datetime import timedelta

import pytest

from tallystick.cli import words
from tallystick.v1 import order_sync_pb2 as pb


@pytest.mark.parametrize(
    ("age", "said"),
    [
        (timedelta(seconds=-5), "0 s ago"),
        (timedelta(seconds=119), "119 s ago"),
        (timedelta(seconds=120), "2 min ago"),
        (timedelta(hours=1, minutes=59), "119 min ago"),
        (timedelta(hours=47), "47 h ago"),
        (timedelta(days=2), "2 d ago"),
        (timedelta(days=400), "400 d ago"),
    ],
)
def test_an_age_is_told_in_its_largest_unit(age: timedelta, said: str) -> None:
    """Clocks of two machines may differ by a little: nothing is read in the future."""
    assert words.ago(age) == said


@pytest.mark.parametrize("state", pb.SyncState.values())
def test_every_state_has_a_cell(state: pb.SyncState.ValueType) -> None:
    assert words.cell(state).plain == words.state(state)
    assert (words.state(state) == "unknown") == (not state)
