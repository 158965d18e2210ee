"""A source against the ledger: pages of what it shows are compared by the digest of their content, never by dates.

On a shop with the old order storage most edits move no date (seen on WooCommerce 8.9.3 and 11.0.1), a refund that is
deleted moves none anywhere, and what is deleted for good is told by nobody: it is only no longer shown.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tallystick.canonical.entities import entity_name
from tallystick.canonical.keys import key, order_key
from tallystick.canonical.money import amount
from tallystick.intake.door import content_hash, to_event
from tallystick.ledger.pool import Pool
from tallystick.ledger.queries import queries
from tallystick.ports import Reading, Window
from tallystick.reasons import HoldReason
from tallystick.reconcile.findings import Finding, What
from tallystick.telemetry import flow_of
from tallystick.v1 import event_pb2, refund_pb2, return_pb2

_SQL = queries("reconcile")
_REFUND, _RETURN = "refund", "return"


@dataclass(frozen=True, slots=True)
class Known:
    """An object, or a part of one, as the ledger has it."""

    type: str
    id: str
    parent: str
    content_hash: bytes
    gone: bool


@dataclass(frozen=True, slots=True)
class Compared:
    """One reading of a page: what it disagrees in, and what is to enter by the door for it; None for nothing."""

    findings: tuple[Finding, ...] = ()
    entering: Reading | None = None


class Sources:
    """What the ledger holds of sources, and the comparison with what they show."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def compare(self, connection: str, page: Sequence[Reading]) -> list[Compared]:
        """Parallel to `page`, in which all readings are of one type and each object stands once."""
        if not page:
            return []
        rows = await self._pool.fetch(
            _SQL["known"], connection, entity_name(page[0].type), [one.object_id for one in page]
        )
        known = [Known(*row) for row in rows]
        whole = {one.id: one for one in known if one.type == entity_name(page[0].type)}
        parts: dict[str, list[Known]] = {}
        for one in known:
            parts.setdefault(one.parent, []).append(one)
        compared = [_compared(connection, one, whole.get(one.object_id), parts.get(one.object_id, ())) for one in page]
        return [await self._with_last_content(connection, one) for one in compared]

    async def expected(self, connection: str, kind: str, window: Window) -> list[str]:
        """Ids that were there at our last look and changed last in the window, its end left out."""
        rows = await self._pool.fetch(_SQL["expected"], connection, kind, window.start, window.end)
        return [row["id"] for row in rows]

    async def gone(self, connection: str, kind: str, ids: Collection[str]) -> set[str]:
        """Those of the ids that the ledger has as gone now."""
        rows = await self._pool.fetch(_SQL["known"], connection, kind, list(ids))
        return {row["id"] for row in rows if row["type"] == kind and row["gone"]}

    async def _with_last_content(self, connection: str, compared: Compared) -> Compared:
        """A refund that vanished keeps what it last said, so that whoever looks sees both figures."""
        entering = compared.entering
        lost = [part for part in entering.parts if _is_lost_refund(part)] if entering is not None else []
        if entering is None or not lost:
            return compared
        order_id = entering.object_id
        entities = [key(connection, order_id, _REFUND, part.object_id) for part in lost]
        rows = await self._pool.fetch(_SQL["last_bodies"], [order_key(connection, order_id)], entities)
        last = {event.object_id: event.refund for event in (event_pb2.Event.FromString(row["body"]) for row in rows)}
        shown = _refunded(part.refund for part in entering.parts if not part.gone and part.refund is not None)
        parts = tuple(
            _vanished(part, last.get(part.object_id), shown) if _is_lost_refund(part) else part
            for part in entering.parts
        )
        return replace(compared, entering=replace(entering, parts=parts))


def _compared(connection: str, reading: Reading, whole: Known | None, parts: Sequence[Known]) -> Compared:
    found = [*_disagreement(connection, reading, whole)]
    # A refund and a return may have one number.
    known = {(part.type, part.id): part for part in parts}
    shown = {(entity_name(part.type), part.object_id): part for part in reading.parts}
    for name, part in shown.items():
        found += _disagreement(connection, part, known.get(name), of=reading.object_id)
    lost = [part for name, part in known.items() if part.type in _GONE and not part.gone and name not in shown]
    found += (Finding(flow_of(part.type), What.GONE, key(connection, reading.object_id, part.id)) for part in lost)
    if not found:
        return Compared()
    gone = (_GONE[part.type](connection, reading.object_id, part.id) for part in lost)
    return Compared(tuple(found), replace(reading, parts=(*reading.parts, *gone)))


def _disagreement(connection: str, reading: Reading, known: Known | None, of: str = "") -> Iterable[Finding]:
    flow = flow_of(entity_name(reading.type))
    name = key(connection, of, reading.object_id) if of else key(connection, reading.object_id)
    if known is None:
        yield Finding(flow, What.MISSING, name)
    elif content_hash(to_event(connection, reading)) != known.content_hash:
        yield Finding(flow, What.RETURNED if known.gone else What.DIFFERING, name)


def _gone_refund(connection: str, order_id: str, refund_id: str) -> Reading:
    refund = refund_pb2.Refund(connection=connection, id=refund_id, order_id=order_id)
    return Reading(event_pb2.ENTITY_TYPE_REFUND, refund_id, None, refund=refund, gone=True)


def _gone_return(connection: str, order_id: str, return_id: str) -> Reading:
    returned = return_pb2.Return(connection=connection, id=return_id, order_id=order_id)
    return Reading(event_pb2.ENTITY_TYPE_RETURN, return_id, None, returned=returned, gone=True)


_GONE = {_REFUND: _gone_refund, _RETURN: _gone_return}


def _is_lost_refund(part: Reading) -> bool:
    return part.gone and part.refund is not None


def _vanished(part: Reading, last: refund_pb2.Refund | None, shown: Mapping[str, Decimal]) -> Reading:
    """The refund as it last was, with both figures in words."""
    refund = last if last is not None else part.refund
    assert refund is not None
    was = "an amount that is no longer kept"
    if refund.HasField("total"):
        was = f"{amount(refund.total)} {refund.currency_code}"
    now = ", ".join(f"{total} {currency}" for currency, total in shown.items()) or "none"
    detail = f"the store deleted this refund of {was}; it now shows refunds of {now} for the order"
    return replace(part, refund=refund, findings=(event_pb2.Finding(reason=HoldReason.LOCKED, detail=detail),))


def _refunded(refunds: Iterable[refund_pb2.Refund]) -> dict[str, Decimal]:
    """What the store shows as given back, by currency."""
    totals: dict[str, Decimal] = {}
    for refund in refunds:
        if refund.HasField("total"):
            totals[refund.currency_code] = totals.get(refund.currency_code, Decimal(0)) + amount(refund.total)
    return totals
