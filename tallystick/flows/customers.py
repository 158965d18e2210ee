"""Customers: made if absent for an order, which never updates them; changed by their own revisions only.

Both are effects in the customer's own lane, so they never run beside one another and end on one record.
"""

from tallystick.built import Built, Unwanted
from tallystick.canonical.keys import key
from tallystick.contract.document import CustomerDocument, Hold
from tallystick.flows.flow import Direction, Source
from tallystick.flows.marking import built
from tallystick.flows.plan import Plan
from tallystick.flows.revisions import revision_row
from tallystick.kafka.topics import CUSTOMERS
from tallystick.ledger.rows import Head, Kind, Row
from tallystick.ports import Refused
from tallystick.reasons import NotEligible
from tallystick.settings import FlowName, Mode
from tallystick.v1 import event_pb2

ENTITY = "customer"
#: Below every revision of the customer's own: those are never taken for applied by what an order made.
_ENSURED = 0


class Customers:
    """Customers of a store become contacts of an ERP."""

    name = FlowName.CUSTOMERS
    entity = ENTITY
    direction = Direction.TO_ERP
    topic = CUSTOMERS

    def row(self, plan: Plan, event: event_pb2.Event, body: bytes, source: Source | None) -> Row | None:
        """A STATE effect for a revision. One that is gone or not carried has none: the ERP's contact stays as it is,
        and what an order needs of it goes on."""
        if plan.mode(self.name) is Mode.OFF or event.type != event_pb2.ENTITY_TYPE_CUSTOMER:
            return None
        lane = key(ENTITY, event.connection, event.object_id)
        not_eligible = self._eligibility(plan, event)
        return revision_row(ENTITY, lane, event, body, source, not_eligible=not_eligible, follows=False)

    def _eligibility(self, plan: Plan, event: event_pb2.Event) -> NotEligible | None:
        if plan.mode(self.name) is not Mode.LIVE:
            return NotEligible.NOT_ROLLED_OUT
        return NotEligible.GONE if event.gone else plan.contract.customer_eligibility(event.customer)

    def build(self, plan: Plan, head: Head, event: event_pb2.Event) -> Built | Refused | Unwanted:
        """The customer of the order that named it; or what a revision of its own says."""
        if not event.HasField("customer"):
            return built(head, plan.contract.customer(event.order), plan.contract.version)
        document = plan.contract.customer_revision(event.customer)
        if isinstance(document, Hold):
            return Refused(document.reason, document.detail)
        return built(head, document, plan.contract.version)


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
        revision=_ENSURED,
        body=head.body,
        external_ref=lane,
        received_at=head.received_at,
    )
