"""Prices: what an ERP asks for a product, told to the store, in a lane of its own for each SKU.

A STATE effect for each revision of a product. Scheduled prices need nothing beside it: the source shows what is in
force when it is read, and reads again what begins or ends, so that the passing of a date is a revision like any other.
"""

from tallystick.built import Built, Unwanted
from tallystick.canonical.keys import key
from tallystick.contract.document import Hold, PriceDocument
from tallystick.flows.flow import Direction, Source
from tallystick.flows.marking import built
from tallystick.flows.plan import Plan
from tallystick.flows.revisions import revision_row
from tallystick.kafka.topics import PRICES
from tallystick.ledger.rows import Head, Row
from tallystick.ports import Refused
from tallystick.reasons import HoldReason, NotEligible
from tallystick.settings import FlowName, Mode
from tallystick.v1 import event_pb2

ENTITY = "price"


class Prices:
    """Products of an ERP become prices of a store, and what else of them the contract says that the ERP owns."""

    name = FlowName.PRICES
    entity = ENTITY
    direction = Direction.TO_STORE
    topic = PRICES

    def row(self, plan: Plan, event: event_pb2.Event, body: bytes, source: Source | None) -> Row | None:
        """One effect for a revision of a product. A product that is gone from the ERP leaves the store as it is."""
        if plan.mode(self.name) is not Mode.LIVE or event.type != event_pb2.ENTITY_TYPE_PRODUCT or event.gone:
            return None
        lane = key(plan.route.store, ENTITY, event.object_id)
        return revision_row(ENTITY, lane, event, body, source)

    def build(self, plan: Plan, head: Head, event: event_pb2.Event) -> Built | Refused | Unwanted:
        """What the store is told; or why nothing."""
        told: PriceDocument | Hold | NotEligible
        if event.findings:
            told = Hold(HoldReason(event.findings[0].reason), event.findings[0].detail)
        else:
            told = plan.contract.price(event.product)
        if isinstance(told, NotEligible):
            return Unwanted(told)
        if isinstance(told, Hold):
            # An ERP has many products that a store does not sell: only the store knows whether this one matters.
            told = plan.contract.held_price(event.product, told)
        return built(head, told, plan.contract.version)
