"""Stock: how many pieces a store may sell on each of its shelves. A STATE effect for each decision of the store's desk.

A figure is of one moment. One that could not be sent for a while is not sent at all: the desk decides anew.
"""

from datetime import datetime

from tallystick.built import Built, Unwanted
from tallystick.canonical.keys import key
from tallystick.contract.document import StockDocument
from tallystick.flows.flow import Direction, Source
from tallystick.flows.marking import built
from tallystick.flows.plan import Plan
from tallystick.ledger.rows import EffectState, Head, Kind, Row
from tallystick.ports import Refused
from tallystick.reasons import NotEligible
from tallystick.settings import FlowName, Mode
from tallystick.v1 import event_pb2, inventory_pb2

ENTITY = "stock"
#: How long a decision may wait before it is sent, in seconds.
FRESH_S = 10.0


class Stock:
    """Figures of an ERP become what a store shows as available."""

    name = FlowName.STOCK
    entity = ENTITY
    direction = Direction.TO_STORE
    topic = None

    def row(self, plan: Plan, event: event_pb2.Event, body: bytes, source: Source | None) -> Row | None:
        """None: what an ERP has is no figure of a store yet; see `decision`."""
        return None

    def build(self, plan: Plan, head: Head, event: event_pb2.Event) -> Built | Refused | Unwanted:
        """The figure as it was decided, while it is of today."""
        if plan.mode(self.name) is not Mode.LIVE:
            return Unwanted(NotEligible.NOT_ROLLED_OUT)
        if head.state is EffectState.QUEUED and head.recorded_for_s > FRESH_S:
            return Unwanted(NotEligible.OUTDATED)
        figure = event.shelf_figure
        document = StockDocument(
            connection=figure.connection,
            sku=figure.sku,
            location=figure.location,
            quantity=figure.quantity,
            expected=figure.expected,
            external_id=figure.external_id,
            contract_version=plan.contract.version,
        )
        return built(head, document, plan.contract.version)


def decision(erp: str, sku: str, figure: inventory_pb2.ShelfFigure, revision: int, now: datetime) -> Row:
    """The effect of a decision about what the ERP calls `sku`, in the lane of its shelf."""
    lane = key(figure.connection, ENTITY, figure.location or "-", sku)
    event = event_pb2.Event(connection=erp, object_id=lane, revision=revision, shelf_figure=figure)
    return Row(
        lane_key=lane,
        connection=erp,
        entity_type=ENTITY,
        entity_id=lane,
        operation="set",
        op_id=str(revision),
        kind=Kind.STATE,
        revision=revision,
        body=event.SerializeToString(),
        external_ref=lane,
        received_at=now,
    )
