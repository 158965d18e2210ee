"""Nothing that the API can say is without words."""

import pytest

from tallystick.reasons import HoldReason, NotEligible, WaitReason, words
from tallystick.v1 import order_sync_pb2 as pb
from tallystick.words import event_words, state_words

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


def test_a_reason_of_another_version_is_shown_as_it_is() -> None:
    assert words("NOT_YET_INVENTED") == "not yet invented"


def test_an_event_about_a_part_of_an_order_says_so() -> None:
    event = pb.OrderEvent(target="erp", kind=pb.ORDER_EVENT_KIND_APPLIED, entity_type="refund", revision=1)
    assert event_words(event) == "refund: revision 1 is in erp"
