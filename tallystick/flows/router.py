"""All routes into one target: events find their flow by what they carry, heads by the entity they are about."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from tallystick.built import Built, Unwanted
from tallystick.flows import deltas, orders
from tallystick.flows.flow import Flow, Following, Source
from tallystick.flows.plan import Plan
from tallystick.flows.table import FLOWS
from tallystick.ledger.rows import Head, Row
from tallystick.ports import Refused
from tallystick.reasons import HoldReason
from tallystick.v1 import event_pb2


class Router:
    """Plans by the connection they come from."""

    def __init__(self, target: str, plans: Mapping[str, Plan], flows: Sequence[Flow] = FLOWS) -> None:
        self.target = target
        self._plans = plans
        self._flows = {flow.entity: flow for flow in flows}
        self._following = [flow for flow in flows if isinstance(flow, Following)]

    def row(self, event: event_pb2.Event, body: bytes, source: Source | None) -> Row | None:
        """The effect that an event asks for; None for what no route carries."""
        plan = self._plans.get(event.connection)
        if plan is None:
            return None
        rows = (flow.row(plan, event, body, source) for flow in self._flows.values())
        found = next((row for row in rows if row is not None), None)
        if found is not None and event.origin == event_pb2.ORIGIN_BACKFILL:
            return replace(found, yields=True)
        return found

    def rows(self, event: event_pb2.Event, body: bytes, source: Source | None) -> list[Row]:
        """As `row`, with the effects that follow from it."""
        own, plan = self.row(event, body, source), self._plans.get(event.connection)
        if own is None or plan is None:
            return []
        return [own, *(row for flow in self._following for row in flow.following(plan, event, source))]

    def beside(self, head: Head) -> tuple[Row, ...] | Refused | None:
        """The effects that settle an order whose document is locked; None where it is to be held."""
        plan = self._plans.get(head.connection)
        if plan is None or head.body is None or head.entity_type != orders.ENTITY:
            return None
        return deltas.beside(plan, head, event_pb2.Event.FromString(head.body))

    def build(self, head: Head) -> Built | Refused | Unwanted:
        """Apply the contract of the head's route."""
        plan = self._plans.get(head.connection)
        if plan is None:
            return Refused(HoldReason.MAPPING, f"no route leads from {head.connection} to {self.target} any more")
        if head.body is None:
            return Refused(HoldReason.DATA, "the stored content has expired; resync the order to read it anew")
        return self._flows[head.entity_type].build(plan, head, event_pb2.Event.FromString(head.body))
