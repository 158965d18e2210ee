"""Customers as far as orders need them: made if absent, never updated from an order."""

from tallystick.built import Built, Unwanted
from tallystick.canonical.keys import key
from tallystick.contract.document import CustomerDocument
from tallystick.flows.flow import Direction, Source
from tallystick.flows.marking import built
from tallystick.flows.plan import Plan
from tallystick.kafka.topics import ORDERS
from tallystick.ledger.rows import Head, Kind, Row
from tallystick.ports import Refused
from tallystick.settings import FlowName
from tallystick.v1 import event_pb2

ENTITY = "customer"


class Customers:
    """The ensuring of an order's customer. Events of customers of their own are not carried yet."""

    name = FlowName.CUSTOMERS
    entity = ENTITY
    direction = Direction.TO_ERP
    topic = ORDERS

    def row(self, plan: Plan, event: event_pb2.Event, body: bytes, source: Source | None) -> Row | None:
        """None: customers come with their orders."""
        return None

    def build(self, plan: Plan, head: Head, event: event_pb2.Event) -> Built | Refused | Unwanted:
        """The customer of the order that named it."""
        return built(head, plan.contract.customer(event.order), plan.contract.version)


def ensure(head: Head, customer: CustomerDocument) -> Row | None:
    """The effect that makes sure the customer is there; its content is the order that names it."""
    if not customer.key:
        return None
    lane = key(ENTITY, customer.connection, customer.key)
    assert head.body is not None
    return Row(
        lane_key=lane,
        connection=head.connection,
        entity_type=ENTITY,
        entity_id=lane,
        operation="ensure",
        op_id="1",
        kind=Kind.STATE,
        revision=1,
        body=head.body,
        external_ref=lane,
        received_at=head.received_at,
    )
