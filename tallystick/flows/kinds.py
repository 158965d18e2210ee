"""The kinds of records: what crosses beside orders and shelves, which have lists of their own."""

from dataclasses import dataclass

from tallystick.flows import orders, stock
from tallystick.flows.flow import Direction, Flow
from tallystick.flows.table import FLOWS
from tallystick.settings import FlowName
from tallystick.v1 import event_pb2


@dataclass(frozen=True, slots=True)
class RecordKind:
    """One kind, by the ledger's word for its entity."""

    name: str
    flow: FlowName
    direction: Direction
    #: Stores show it as an object, so that it is known before (and without) any effect.
    shown_by_stores: bool


def _kind(flow: Flow) -> RecordKind:
    objects = event_pb2.EntityType.keys()
    shown = flow.direction is Direction.TO_ERP and f"ENTITY_TYPE_{flow.entity.upper()}" in objects
    return RecordKind(flow.entity, flow.name, flow.direction, shown)


KINDS = tuple(_kind(flow) for flow in FLOWS if flow.entity not in (orders.ENTITY, stock.ENTITY))
