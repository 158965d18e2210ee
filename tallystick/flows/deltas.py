"""Deltas: what an edit changed in an order whose document is locked, as documents of their own beside it.

When the target refuses a revision because the order's document can no longer be changed, that effect is settled by
effects of its own behind it, recorded in the same transaction: one for what is charged more (a supplement, an order)
and one for what is charged less (a reduction, a credit). Each is a DELTA effect with its own reference, so it is made
once. They hold what differs from the revision that our own record says is booked, so a third revision is told apart
from the second and not from the first.
"""

from collections.abc import Iterator
from itertools import chain

from tallystick.built import Built, Unwanted
from tallystick.canonical.deltas import Difference, Inexpressible, Unproved, difference
from tallystick.contract.compile import Contract
from tallystick.contract.document import Document, Hold, OrderDocument
from tallystick.flows import customers
from tallystick.flows.flow import Direction, Source
from tallystick.flows.marking import built
from tallystick.flows.plan import Plan
from tallystick.kafka.topics import ORDERS
from tallystick.ledger.rows import Head, Kind, Row
from tallystick.ports import Refused
from tallystick.reasons import HoldReason
from tallystick.settings import FlowName
from tallystick.v1 import event_pb2, order_pb2, refund_pb2

SUPPLEMENT, REDUCTION = "supplement", "reduction"


class _Delta:
    """What both have in common: no event asks for them, orders do."""

    direction = Direction.TO_ERP
    topic = ORDERS

    def row(self, plan: Plan, event: event_pb2.Event, body: bytes, source: Source | None) -> Row | None:
        """None: see `beside`."""
        return None


class Supplements(_Delta):
    """What an edit charged more becomes an order of its own."""

    #: The ability that takes them is that of orders.
    name = FlowName.ORDERS
    entity = SUPPLEMENT

    def build(self, plan: Plan, head: Head, event: event_pb2.Event) -> Built | Refused | Unwanted:
        """The supplementary order, or why the contract makes none."""
        order = _between(plan.contract, event.base, event.order).raised
        assert order is not None
        document = plan.contract.document(order)
        if isinstance(document, Hold):
            return Refused(document.reason, document.detail)
        return built(head, document, plan.contract.version, customers.ensure(head, document.customer))


class Reductions(_Delta):
    """What an edit charged less becomes a credit."""

    #: The ability that takes them is that of refunds.
    name = FlowName.REFUNDS
    entity = REDUCTION

    def build(self, plan: Plan, head: Head, event: event_pb2.Event) -> Built | Refused | Unwanted:
        """The credit document, or why the contract makes none."""
        refund = _between(plan.contract, event.base, event.order).lowered
        assert refund is not None
        document = plan.contract.refund(_dated(refund, event))
        if isinstance(document, Hold):
            return Refused(document.reason, document.detail)
        return built(head, document, plan.contract.version)


def beside(plan: Plan, head: Head, event: event_pb2.Event) -> tuple[Row, ...] | Refused | None:
    """The effects that settle an order whose document is locked; none where all stands beside it already.

    None where it has to be held as it is: by policy, or because what differs is no charge.
    """
    contract = plan.contract
    if not contract.deltas or head.settled_body is None or event.gone or event.findings:
        return None
    settled = event_pb2.Event.FromString(head.settled_body)
    if settled.revision >= head.revision:
        return () if head.split or head.revision != head.applied_revision else None
    if head.left_out is not None and head.left_out >= settled.revision:
        return Refused(HoldReason.LOCKED, _left_out_words(head.left_out))
    if words := _beyond_charges(contract, settled.order, event.order):
        # The target's own refusal names both values; an order that is split was not sent to it.
        return _unspeakable(words) if head.split else None
    try:
        found = _between(contract, settled.order, event.order)
    except Unproved as error:
        return Refused(HoldReason.UNBALANCED, f"{error}; book the difference by hand, then mark as applied")
    except Inexpressible as error:
        return _unspeakable(str(error))
    if found.raised is None and found.lowered is None:
        # Its document differs from both: from what stands beside it, or from what a person did there.
        return () if head.split else None
    return _refused(contract, found, event) or _rows(head, found, _body(settled, event))


def _left_out_words(revision: int) -> str:
    """Told apart from a revision that stands in no documents as a whole, the next one would be booked wrong."""
    told = f"a person skipped a document that was to stand beside its own for revision {revision}"
    return f"{told}, so what is booked is not known here: book what differs by hand, then mark as applied"


def _unspeakable(what: str) -> Refused:
    return Refused(HoldReason.LOCKED, f"its document is locked, and {what}: no document beside it can say that")


def _between(contract: Contract, base: order_pb2.Order, now: order_pb2.Order) -> Difference:
    return difference(contract.understood(base), contract.understood(now))


def _beyond_charges(contract: Contract, base: order_pb2.Order, now: order_pb2.Order) -> str:
    """What else the documents of two revisions say otherwise, in words; empty for nothing."""
    one, other = contract.build(base).document, contract.build(now).document
    if one is None or other is None:
        return ""
    return next(chain(_of_head(one, other), _of_lines(one, other)), "")


def _of_head(one: OrderDocument, other: OrderDocument) -> Iterator[str]:
    if one.customer.key != other.customer.key:
        yield "its customer is another one"
    for name, value in other.fields.items():
        if name not in other.given_once and one.fields.get(name) != value:
            yield f"its {name} changed"


def _of_lines(one: OrderDocument, other: OrderDocument) -> Iterator[str]:
    """Of the lines that stand on both."""
    before = {line.key: line for line in one.lines}
    for line in other.lines:
        if (was := before.get(line.key)) is None:
            continue
        if was.product != line.product:
            yield f"line {line.key} changed from {was.product!r} to {line.product!r}"
        elif (was.name, was.fields) != (line.name, line.fields):
            yield f"the description of line {line.key} changed"


def _refused(contract: Contract, found: Difference, event: event_pb2.Event) -> Refused | None:
    """Both halves can be booked, or neither is."""
    made: list[Document | Hold] = []
    if found.raised is not None:
        made.append(contract.document(found.raised))
    if found.lowered is not None:
        made.append(contract.refund(_dated(found.lowered, event)))
    return next((Refused(one.reason, one.detail) for one in made if isinstance(one, Hold)), None)


def _dated(refund: refund_pb2.Refund, event: event_pb2.Event) -> refund_pb2.Refund:
    """Named by the revision that it leads to, and dated when that was seen."""
    refund.id = f"edit-{event.revision}"
    refund.refunded_at.CopyFrom(event.received_at)
    return refund


def _body(settled: event_pb2.Event, event: event_pb2.Event) -> bytes:
    whole = event_pb2.Event()
    whole.CopyFrom(event)
    whole.base.CopyFrom(settled.order)
    return whole.SerializeToString()


def _rows(head: Head, found: Difference, body: bytes) -> tuple[Row, ...]:
    name = f"{head.claim.lane_key}/delta/{head.revision}"
    more = [_row(head, SUPPLEMENT, name, body)] if found.raised is not None else []
    less = [_row(head, REDUCTION, f"{name}/credit", body)] if found.lowered is not None else []
    return (*more, *less)


def _row(head: Head, entity: str, name: str, body: bytes) -> Row:
    return Row(
        lane_key=head.claim.lane_key,
        connection=head.connection,
        entity_type=entity,
        entity_id=name,
        operation="add" if entity == SUPPLEMENT else "credit",
        op_id=str(head.revision),
        kind=Kind.DELTA,
        revision=head.revision,
        body=body,
        external_ref=name,
        received_at=head.received_at,
    )
