"""Payments: a DELTA effect each, in the lane of its order, behind it.

An order states all its payments at each of its revisions, and each makes its effect at whichever revision first shows
it to the target: the payment's own id is the key, so what is stated again is a duplicate. An order that becomes one
for the target late (paid in two parts, cleared of a suspicion) brings what was paid before with it; an event for each
payment would have passed by then.
"""

from collections.abc import Sequence

from tallystick.built import Built, Unwanted
from tallystick.canonical import payments
from tallystick.canonical.keys import key, order_key
from tallystick.canonical.times import to_datetime
from tallystick.contract.document import Hold
from tallystick.flows.flow import Direction, Source
from tallystick.flows.marking import built
from tallystick.flows.plan import Plan
from tallystick.kafka.topics import ORDERS
from tallystick.ledger.rows import Head, Kind, Row
from tallystick.ports import Refused
from tallystick.settings import FlowName, Mode
from tallystick.v1 import event_pb2, order_pb2

ENTITY = "payment"


class Payments:
    """Money that buyers paid becomes payments of customers in an ERP, each once."""

    name = FlowName.PAYMENTS
    entity = ENTITY
    direction = Direction.TO_ERP
    topic = ORDERS

    def row(self, plan: Plan, event: event_pb2.Event, body: bytes, source: Source | None) -> Row | None:
        """None: payments come with their orders, see `following`."""
        return None

    def following(self, plan: Plan, event: event_pb2.Event, source: Source | None) -> Sequence[Row]:
        """One effect for each payment that the order states; only where the order has a lane, or gets one with it."""
        if plan.mode(self.name) is not Mode.LIVE or event.type != event_pb2.ENTITY_TYPE_ORDER or event.gone:
            return ()
        paid = plan.contract.paid(event.order, plan.route.since)
        return [_row(event, payment, source) for payment in paid]

    def build(self, plan: Plan, head: Head, event: event_pb2.Event) -> Built | Refused | Unwanted:
        """The payment in the target's terms; or why there is none."""
        document = plan.contract.payment(event.order, event.order.payments[0])
        if isinstance(document, Hold):
            return Refused(document.reason, document.detail)
        return built(head, document, plan.contract.version)


def _row(event: event_pb2.Event, payment: order_pb2.Payment, source: Source | None) -> Row:
    lane = order_key(event.connection, event.object_id)
    entity = key(event.connection, event.object_id, ENTITY, payment.id)
    alone = event_pb2.Event(
        connection=event.connection,
        type=event.type,
        object_id=event.object_id,
        revision=event.revision,
        order=payments.alone(event.order, payment),
    )
    return Row(
        lane_key=lane,
        connection=event.connection,
        entity_type=ENTITY,
        entity_id=entity,
        operation="pay",
        op_id=payment.id,
        kind=Kind.DELTA,
        revision=1,
        body=alone.SerializeToString(),
        external_ref=entity,
        received_at=to_datetime(event.received_at),
        source=source,
        part=True,
    )
