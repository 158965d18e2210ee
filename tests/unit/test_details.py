"""What a record is about, told from the content that its effect was recorded with."""

from tallystick.canonical import written
from tallystick.ledger.details import content, details
from tallystick.v1 import event_pb2, return_pb2


def test_a_return_tells_its_pieces_and_how_far_it_is() -> None:
    """By its number in the store, with the refunds that name it; no word of why the buyer sends it back."""
    lines = [{"sku": "MUG", "quantity": "1.5", "reason": "too-small"}, {"sku": "TEA", "quantity": 2}]
    event = event_pb2.Event()
    getattr(event, "return").CopyFrom(written.returned({"lines": lines, "number": "#7-R1", "refund_ids": ["9"]}))
    body = event.SerializeToString()
    told = details("return", body)["returned"]
    assert (told.number, told.state, told.pieces) == ("#7-R1", return_pb2.RETURN_STATE_OPEN, "3.5")
    assert list(told.refund_ids) == ["9"]
    assert content("return", body) == "3.5 pieces, open"


def test_where_the_content_has_expired_nothing_is_told() -> None:
    assert details("return", None) == {}
    assert content("return", None) == ""
