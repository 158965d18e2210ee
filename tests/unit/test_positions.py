"""Resume tokens: what a reader of the event log keeps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tallystick.errors import Unreadable
from tallystick.ledger.events import Position, after_snapshot, position_of

XID = st.integers(min_value=3, max_value=2**63)


@given(xid=XID, number=st.integers(min_value=0, max_value=2**62), running=st.lists(XID, max_size=5))
def test_a_token_leads_back_to_its_position(xid: int, number: int, running: list[int]) -> None:
    """Also when transactions were running at its beginning."""
    ends = 2**63 + 7
    snapshot = f"3:{ends}:{','.join(map(str, sorted(set(running))))}"
    position = Position(xid, number, snapshot)
    assert position_of(position.token) == position


def test_past_its_last_transaction_a_snapshot_is_forgotten() -> None:
    """Tokens stay short, however many transactions ran at the beginning."""
    begun = Position(120, 5, f"100:120:{','.join(map(str, range(100, 120)))}")
    assert position_of(begun.token) == Position(120, 5, "120:120:")


def test_a_position_after_a_snapshot_begins_at_its_oldest_transaction() -> None:
    assert after_snapshot("90:99:90,95") == Position(90, 0, "90:99:90,95")


@pytest.mark.parametrize("token", ["", "x", "é", "MS4y", "MS4yLjM6NA", "LTEuMi4zOjQ6", "MS4yLjM6NDonOw"])
def test_other_texts_are_refused(token: str) -> None:
    with pytest.raises(Unreadable, match="no resume token"):
        position_of(token)
