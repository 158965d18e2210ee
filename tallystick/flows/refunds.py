"""Refunds: a DELTA effect each, in the lane of its order; a document of its own that never changes the order's."""

from tallystick.built import Built, Unwanted
from tallystick.canonical.keys import key, order_key
from tallystick.canonical.times import to_datetime
from tallystick.contract.document import Hold
from tallystick.flows.flow import Direction, Source
from tallystick.flows.marking import built
from tallystick.flows.plan import Plan
from tallystick.kafka.topics import ORDERS
from tallystick.ledger.rows import Head, Kind, Row
from tallystick.ports import Refused
from tallystick.reasons import HoldReason, NotEligible
from tallystick.settings import FlowName, Mode
from tallystick.v1 import event_pb2

ENTITY = "refund"


class Refunds:
    """Refunds of a store become credit documents of an ERP, each once."""

    name = FlowName.REFUNDS
    entity = ENTITY
    direction = Direction.TO_ERP
    topic = ORDERS

    def row(self, plan: Plan, event: event_pb2.Event, body: bytes, source: Source | None) -> Row | None:
        """One effect for a refund. It makes one only where its order has a lane: a refund of an order that is not for
        the target is not either. One that vanished from its order is an effect of its own, which takes nothing back."""
        if plan.mode(self.name) is not Mode.LIVE or event.type != event_pb2.ENTITY_TYPE_REFUND:
            return None
        lane = order_key(event.connection, event.refund.order_id)
        entity = key(event.connection, event.refund.order_id, ENTITY, event.object_id)
        return Row(
            lane_key=lane,
            connection=event.connection,
            entity_type=ENTITY,
            entity_id=entity,
            operation="withdraw" if event.gone else "credit",
            op_id=event.object_id,
            kind=Kind.DELTA,
            revision=1,
            body=body,
            external_ref=entity,
            received_at=to_datetime(event.received_at),
            object_id=event.object_id,
            source=source,
            part=True,
        )

    def build(self, plan: Plan, head: Head, event: event_pb2.Event) -> Built | Refused | Unwanted:
        """The credit document; or why there is none. What is cancelled as a whole is not credited as well."""
        if event.gone:
            return _vanished(head, event)
        if event.refund.order_cancelled and plan.contract.cancels:
            return Unwanted(NotEligible.ORDER_CANCELLED)
        if event.findings:
            finding = event.findings[0]
            return Refused(HoldReason(finding.reason), finding.detail)
        document = plan.contract.refund(event.refund)
        if isinstance(document, Hold):
            return Refused(document.reason, document.detail)
        return built(head, document, plan.contract.version)


def _vanished(head: Head, event: event_pb2.Event) -> Refused | Unwanted:
    """A credit that is booked is not undone by itself: a person sees both figures."""
    if head.external_id is None:
        return Unwanted(NotEligible.GONE)
    told = event.findings[0].detail if event.findings else "the store deleted this refund"
    detail = f"{told}, and its credit document {head.external_id} stands; undo that in the target, then skip this"
    return Refused(HoldReason.LOCKED, detail)
