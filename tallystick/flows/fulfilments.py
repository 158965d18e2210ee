"""Fulfilments: what an ERP shipped, told to the store, in the store's lane of the order.

A STATE effect for each revision of a shipment, since a tracking number may come or change later.
"""

from tallystick.built import Built, Unwanted
from tallystick.canonical.keys import key, order_key
from tallystick.contract.document import Hold
from tallystick.flows.flow import Direction, Source
from tallystick.flows.marking import built
from tallystick.flows.plan import Plan
from tallystick.flows.revisions import revision_row
from tallystick.kafka.topics import FULFILMENTS
from tallystick.ledger.rows import Head, Row
from tallystick.ports import Refused
from tallystick.settings import FlowName, Mode
from tallystick.v1 import event_pb2

ENTITY = "fulfilment"


class Fulfilments:
    """Shipments of an ERP become fulfilments of the store's order, one each."""

    name = FlowName.FULFILMENTS
    entity = ENTITY
    direction = Direction.TO_STORE
    topic = FULFILMENTS

    def row(self, plan: Plan, event: event_pb2.Event, body: bytes, source: Source | None) -> Row | None:
        """One effect for a revision of a shipment, in the store that sold what was shipped."""
        if plan.mode(self.name) is not Mode.LIVE or event.type != event_pb2.ENTITY_TYPE_FULFILMENT or event.gone:
            return None
        shipped = event.fulfilment
        if shipped.order_connection != plan.route.store:
            return None
        entity = key(event.connection, ENTITY, event.object_id)
        lane = order_key(shipped.order_connection, shipped.order_id)
        return revision_row(ENTITY, entity, event, body, source, lane_key=lane)

    def build(self, plan: Plan, head: Head, event: event_pb2.Event) -> Built | Refused | Unwanted:
        """The fulfilment in the store's terms; or why there is none."""
        document = plan.contract.fulfilment(event.fulfilment)
        if isinstance(document, Hold):
            return Refused(document.reason, document.detail)
        return built(head, document, plan.contract.version)
