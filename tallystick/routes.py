"""From canonical events to ledger rows and from ledger heads to documents: where the contract of each route applies."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from decimal import Decimal

import orjson

from tallystick.canonical.keys import key, order_key
from tallystick.canonical.times import to_datetime
from tallystick.contract.compile import Contract
from tallystick.contract.document import CustomerDocument, Hold, OrderDocument
from tallystick.engine import Built, Unwanted
from tallystick.errors import SetupError
from tallystick.ledger.rows import Head, Kind, Row
from tallystick.marks import mark
from tallystick.ports import Refused
from tallystick.reasons import HoldReason, NotEligible
from tallystick.settings import Mode, Route
from tallystick.turn import Document
from tallystick.v1 import event_pb2, order_pb2

Source = tuple[str, int, int]


@dataclass(frozen=True, slots=True)
class Plan:
    """One route with its compiled contract."""

    route: Route
    contract: Contract

    def eligibility(self, event: event_pb2.Event) -> NotEligible | None:
        """Why the order is not for the target; None when it is."""
        if self.route.mode is not Mode.LIVE:
            return NotEligible.NOT_ROLLED_OUT
        if event.gone:
            return NotEligible.GONE
        return self.contract.eligibility(event.order, self.route.since, self.route.only)


class Router:
    """All routes into one target, by the connection they come from."""

    def __init__(self, target: str, plans: Mapping[str, Plan]) -> None:
        for plan in plans.values():
            if plan.route.mode is Mode.SHADOW:
                raise SetupError(
                    f"the route {plan.route.store} -> {target} is set to shadow, which this version does not offer; "
                    "set off, observe or live"
                )
        self.target = target
        self._plans = plans

    # ---- events to rows --------------------------------------------------------------------------------------------

    def row(self, event: event_pb2.Event, body: bytes, source: Source | None) -> Row | None:
        """The effect that an event asks for; None for what no route carries."""
        plan = self._plans.get(event.connection)
        if plan is None or plan.route.mode is Mode.OFF or event.type != event_pb2.ENTITY_TYPE_ORDER:
            return None
        lane = order_key(event.connection, event.object_id)
        return Row(
            lane_key=lane,
            connection=event.connection,
            entity_type="order",
            entity_id=lane,
            operation="upsert",
            op_id=str(event.revision),
            kind=Kind.STATE,
            revision=event.revision,
            body=body,
            external_ref=lane,
            received_at=to_datetime(event.received_at),
            object_id=event.object_id,
            source=source,
            not_eligible=plan.eligibility(event),
        )

    # ---- heads to documents ----------------------------------------------------------------------------------------

    def build(self, head: Head) -> Built | Refused | Unwanted:
        """Apply the contract of the head's route."""
        plan = self._plans.get(head.connection)
        if plan is None:
            return Refused(HoldReason.MAPPING, f"no route leads from {head.connection} to {self.target} any more")
        if head.body is None:
            return Refused(HoldReason.DATA, "the stored content has expired; resync the order to read it anew")
        event = event_pb2.Event.FromString(head.body)
        if head.entity_type == "customer":
            return _built(head, plan.contract.customer(event.order), plan.contract.version, None)
        return self._order(head, plan, event)

    def _order(self, head: Head, plan: Plan, event: event_pb2.Event) -> Built | Refused | Unwanted:
        over = event.gone or event.order.state in _NEVER_BOOKED
        if over and head.external_id is None and head.intents == 0:
            return Unwanted(NotEligible.GONE if event.gone else NotEligible.CANCELLED)
        if over:
            return Refused(HoldReason.LOCKED, _over_words(event))
        if event.findings:
            finding = event.findings[0]
            return Refused(HoldReason(finding.reason), finding.detail)
        document = plan.contract.document(event.order)
        if isinstance(document, Hold):
            return Refused(document.reason, document.detail)
        return _built(head, document, plan.contract.version, customer_row(head, document.customer))


_NEVER_BOOKED = (order_pb2.ORDER_STATE_CANCELLED, order_pb2.ORDER_STATE_FAILED, order_pb2.ORDER_STATE_DRAFT)


def _over_words(event: event_pb2.Event) -> str:
    what = "is no longer in the store" if event.gone else f"is {event.order.store_state or 'cancelled'} in the store"
    return f"the order {what}, but its document is there already; cancel that in the target, then mark it as applied"


def _built(head: Head, document: Document, version: str, customer: Row | None) -> Built:
    text = str(mark(head.external_ref, head.revision, _content(document)))
    return Built(document, text, version, customer)


def _content(document: Document) -> bytes:
    """What the mark is a digest of: all of the document but the name of the contract that made it."""
    content = [getattr(document, name) for name in _CONTENT[type(document)]]
    return orjson.dumps(content, default=_plain, option=orjson.OPT_SORT_KEYS)


_CONTENT = {
    kind: tuple(field.name for field in fields(kind) if field.name != "contract_version")
    for kind in (OrderDocument, CustomerDocument)
}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"a document holds a {type(value).__name__}, which has no plain form")


def customer_row(head: Head, customer: CustomerDocument) -> Row | None:
    """The effect that makes sure the customer is there; its content is the order that names it."""
    if not customer.key:
        return None
    lane = key("customer", customer.connection, customer.key)
    assert head.body is not None
    return Row(
        lane_key=lane,
        connection=head.connection,
        entity_type="customer",
        entity_id=lane,
        operation="ensure",
        op_id="1",
        kind=Kind.STATE,
        revision=1,
        body=head.body,
        external_ref=lane,
        received_at=head.received_at,
    )


def plans_into(target: str, routes: Sequence[Route], contracts: Mapping[Route, Contract]) -> dict[str, Plan]:
    """The plans of all routes that end in `target`."""
    return {route.store: Plan(route, contracts[route]) for route in routes if route.erp == target}
