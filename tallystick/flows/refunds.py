"""Refunds: a DELTA effect each, in the lane of its order; a document of its own that never changes the order's.

What a store gave back it rarely changes afterwards. Where it does, the new revision is an effect of its own: it credits
what its order's end had kept from being credited, settles when nothing that is booked has changed, and is held with
both figures when something has. It never changes a credit document by itself.
"""

from tallystick.built import Built, Unwanted
from tallystick.canonical import refunds
from tallystick.contract.document import Hold
from tallystick.flows import returns
from tallystick.flows.flow import Direction, Source
from tallystick.flows.marking import built
from tallystick.flows.plan import Plan
from tallystick.flows.revisions import part_row
from tallystick.kafka.topics import ORDERS
from tallystick.ledger.rows import Head, Row
from tallystick.ports import Refused
from tallystick.reasons import HoldReason, NotEligible
from tallystick.settings import FlowName, Mode
from tallystick.v1 import event_pb2, refund_pb2

ENTITY = "refund"


class Refunds:
    """Refunds of a store become credit documents of an ERP, each once."""

    name = FlowName.REFUNDS
    entity = ENTITY
    direction = Direction.TO_ERP
    topic = ORDERS

    def row(self, plan: Plan, event: event_pb2.Event, body: bytes, source: Source | None) -> Row | None:
        """One effect for a revision of a refund; a refund of an order that is not for the target makes none. One that
        vanished from its order is an effect of its own, which takes nothing back."""
        if plan.mode(self.name) is not Mode.LIVE or event.type != event_pb2.ENTITY_TYPE_REFUND:
            return None
        operation = "withdraw" if event.gone else "credit"
        return part_row(ENTITY, event.refund.order_id, operation, event, body, source)

    def build(self, plan: Plan, head: Head, event: event_pb2.Event) -> Built | Refused | Unwanted:
        """The credit document; or why there is none. What is cancelled as a whole is not credited as well."""
        if event.gone:
            return _vanished(head, event)
        if event.refund.order_cancelled and plan.contract.cancels:
            return Unwanted(NotEligible.ORDER_CANCELLED)
        if head.settled_body is not None:
            return _changed(event_pb2.Event.FromString(head.settled_body).refund, event.refund)
        if event.findings:
            finding = event.findings[0]
            return Refused(HoldReason(finding.reason), finding.detail)
        document = plan.contract.refund(event.refund, goods=not returns.brings_goods_of(plan, event.refund))
        if isinstance(document, Hold):
            return Refused(document.reason, document.detail)
        return built(head, document, plan.contract.version)


def _vanished(head: Head, event: event_pb2.Event) -> Refused | Unwanted:
    """A credit that is booked is not undone by itself: a person sees both figures."""
    if head.settled_body is None:
        return Unwanted(NotEligible.GONE)
    booked = event_pb2.Event.FromString(head.settled_body).refund
    figures = f"booked was {refunds.in_words(booked)}; the store gives nothing back any more"
    told = event.findings[0].detail if event.findings else f"the store deleted this refund: {figures}"
    detail = f"{told}, and its credit document {head.external_id} stands; undo that in the target, then skip this"
    return Refused(HoldReason.LOCKED, detail)


def _changed(booked: refund_pb2.Refund, now: refund_pb2.Refund) -> Refused | Unwanted:
    """What a newer revision is to a refund that was dealt with."""
    if _given(booked) == _given(now):
        return Unwanted(NotEligible.UNCHANGED)
    words = "the store changed it after it was booked"
    figures = f"booked was {refunds.in_words(booked)}; now it is {refunds.in_words(now)}"
    return Refused(HoldReason.LOCKED, f"{words}: {figures}. Correct the credit document by hand, then mark as applied")


def _given(refund: refund_pb2.Refund) -> refund_pb2.Refund:
    """What was given back, without what follows from the order or is for people."""
    bare = refund_pb2.Refund()
    bare.CopyFrom(refund)
    for name in (
        "order_number",
        "order_placed_at",
        "order_cancelled",
        "order_shares",
        "reason",
        "gateway",
        "tax_exempt",
        "return_id",
    ):
        bare.ClearField(name)
    return bare
