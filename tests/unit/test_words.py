"""Nothing that the API can say is without words."""

import pytest

from tallystick.reasons import HoldReason, NotEligible, WaitReason, advice, not_eligible, words
from tallystick.v1 import order_sync_pb2 as pb
from tallystick.v1 import record_pb2
from tallystick.words import event_words, record_words, state_words

STATES = [value for value in pb.SyncState.values() if value]
KINDS = [value for value in pb.OrderEventKind.values() if value]


@pytest.mark.parametrize("state", STATES, ids=pb.SyncState.Name)
def test_every_state_is_a_sentence(state: pb.SyncState.ValueType) -> None:
    said = state_words(pb.TargetSync(target="erp", state=state, reason="MAPPING", document_number="S1"))
    assert said.startswith(("it", "somebody"))
    assert "{" not in said
    assert said != state_words(pb.TargetSync())


@pytest.mark.parametrize("kind", KINDS, ids=pb.OrderEventKind.Name)
def test_every_event_is_a_sentence(kind: pb.OrderEventKind.ValueType) -> None:
    said = event_words(pb.OrderEvent(target="erp", kind=kind, revision=3, step="confirm", reason="DATA", actor="Ada"))
    assert "{" not in said
    assert said != event_words(pb.OrderEvent())


@pytest.mark.parametrize("reason", [*HoldReason, *WaitReason, *NotEligible])
def test_every_reason_has_words_of_its_own(reason: str) -> None:
    assert words(reason) not in ("", reason.replace("_", " ").lower())


@pytest.mark.parametrize("reason", HoldReason)
def test_every_hold_says_what_a_person_does(reason: HoldReason) -> None:
    assert advice(reason)
    assert advice(reason) != words(reason)


@pytest.mark.parametrize("reason", NotEligible)
def test_words_of_a_reason_lead_back_to_it(reason: NotEligible) -> None:
    """The log tells some of them in words only."""
    assert not_eligible(reason.words) == reason


def test_what_has_no_words_of_ours_has_no_advice_and_no_reason() -> None:
    assert (advice("NOT_YET_INVENTED"), advice(""), not_eligible("something else")) == ("", "", "")


def test_a_reason_of_another_version_is_shown_as_it_is() -> None:
    assert words("NOT_YET_INVENTED") == "not yet invented"


def test_an_event_about_a_part_of_an_order_says_so() -> None:
    event = pb.OrderEvent(target="erp", kind=pb.ORDER_EVENT_KIND_APPLIED, entity_type="refund", revision=1)
    assert event_words(event) == "refund: revision 1 is in erp"


@pytest.mark.parametrize(
    ("record", "said"),
    [
        ("shop/1/refund/9", "refund 9: "),
        ("erp/fulfilment/31", "refund 31: "),
        ("shop/1/delta/2/credit", "refund 2: "),
        ("shop/1/payment/a%2Fb", "refund a/b: "),
    ],
)
def test_a_part_of_an_order_is_called_by_what_people_know_it_by(record: str, said: str) -> None:
    event = pb.OrderEvent(
        target="erp", kind=pb.ORDER_EVENT_KIND_APPLIED, entity_type="refund", record=record, revision=1, document="S1"
    )
    assert event_words(event) == said + "revision 1 is in erp as S1"


def test_a_part_that_is_seen_is_no_order() -> None:
    event = pb.OrderEvent(kind=pb.ORDER_EVENT_KIND_FIRST_SEEN, entity_type="refund", record="shop/1/refund/9")
    assert event_words(event) == "refund 9: it was seen for the first time"


def test_what_is_not_for_a_target_without_a_known_reason_says_what_was_told() -> None:
    record = record_pb2.Record(target="erp", state=pb.SYNC_STATE_NOT_ELIGIBLE, detail="its shelf was sold")
    assert record_words(record) == "it is not for erp: its shelf was sold"
