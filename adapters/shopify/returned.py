"""The returns of an order, each a part of its reading: which goods come back, and what became of them.

Shopify says of a return line how much of it was processed, and of the reverse fulfilment order what became of the
pieces; both are by the line of the shipment that the goods left with.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from adapters.shopify.charges import kind
from adapters.shopify.fields import Json, count, identifier, instant, objects, part, text
from adapters.shopify.state import Disposal, Line, ReturnLine, ReturnRecord, ShopifyOrder
from tallystick.canonical.times import to_timestamp
from tallystick.errors import Unreadable
from tallystick.ports import Reading
from tallystick.reasons import HoldReason
from tallystick.v1 import event_pb2, order_pb2, return_pb2

_STATES = {
    "requested": return_pb2.RETURN_STATE_REQUESTED,
    "open": return_pb2.RETURN_STATE_OPEN,
    "closed": return_pb2.RETURN_STATE_CLOSED,
    "canceled": return_pb2.RETURN_STATE_CANCELLED,
    "declined": return_pb2.RETURN_STATE_DECLINED,
}
_DISPOSITIONS = {
    "restocked": return_pb2.RETURN_DISPOSITION_RESTOCKED,
    "not_restocked": return_pb2.RETURN_DISPOSITION_NOT_RESTOCKED,
    "processing_required": return_pb2.RETURN_DISPOSITION_PROCESSING,
    "missing": return_pb2.RETURN_DISPOSITION_MISSING,
}


# ---- in Shopify's own terms --------------------------------------------------------------------------------------


def record(shown: Json) -> ReturnRecord:
    """Read one return node that holds all of it. Raises `Unreadable`, also for a cut list."""
    if "returnLineItems" not in shown:
        raise Unreadable(f"return {identifier(shown.get('id'))} is shown by its id only")
    return ReturnRecord(
        id=identifier(shown.get("id")),
        name=text(shown.get("name")),
        status=text(shown.get("status")).lower(),
        at=instant(shown.get("createdAt")),
        lines=tuple(_line(line) for line in _all(shown["returnLineItems"], "returned lines")),
        disposals=tuple(_disposals(shown)),
        refund_ids=tuple(identifier(one.get("id")) for one in _all(shown.get("refunds"), "refunds of a return")),
    )


def _all(connection: object, what: str) -> list[Json]:
    shown = part(connection)
    if part(shown.get("pageInfo")).get("hasNextPage") is True:
        raise Unreadable(f"the answer shows a part of the {what} only")
    return objects(shown.get("nodes"))


def _line(line: Json) -> ReturnLine:
    shipped = part(line.get("fulfillmentLineItem"))
    return ReturnLine(
        line_id=identifier(part(shipped.get("lineItem")).get("id")),
        shipped_id=identifier(shipped.get("id")),
        quantity=count(line.get("quantity")),
        processed=count(line.get("processedQuantity") or 0),
        reason=text(part(line.get("returnReasonDefinition")).get("handle")),
    )


def _disposals(shown: Json) -> Iterator[Disposal]:
    for reverse in _all(shown.get("reverseFulfillmentOrders"), "reverse fulfilment orders"):
        for line in _all(reverse.get("lineItems"), "lines of a reverse fulfilment order"):
            for told in objects(line.get("dispositions")):
                yield Disposal(
                    shipped_id=identifier(part(line.get("fulfillmentLineItem")).get("id")),
                    quantity=count(told.get("quantity")),
                    kind=text(told.get("type")).lower(),
                    location_id=identifier(part(told.get("location")).get("id")),
                )


# ---- the canonical form ------------------------------------------------------------------------------------------


def readings(source: ShopifyOrder, order: order_pb2.Order) -> tuple[Reading, ...]:
    """The returns with their findings. `order` is the canonical one that they belong to."""
    return tuple(
        Reading(
            event_pb2.ENTITY_TYPE_RETURN,
            one.id,
            one.at,
            returned=_return(source, one, order),
            findings=tuple(_doubts(one)),
        )
        for one in source.returns
    )


def _doubts(record: ReturnRecord) -> Iterator[event_pb2.Finding]:
    if any(not line.line_id for line in record.lines):
        detail = (
            f"the return {record.name} holds goods that the shop never shipped with this order; take them in by hand"
        )
        yield event_pb2.Finding(reason=HoldReason.DATA, detail=detail)


def _return(source: ShopifyOrder, record: ReturnRecord, order: order_pb2.Order) -> return_pb2.Return:
    sold = {line.id: line for line in source.lines}
    message = return_pb2.Return(
        connection=order.connection,
        id=record.id,
        order_id=source.id,
        number=record.name,
        lines=list(_lines(record, sold)),
        refund_ids=sorted(record.refund_ids),
    )
    message.state = _state(record, message.lines)
    if record.at is not None:
        message.requested_at.CopyFrom(to_timestamp(record.at))
    return message


def _state(record: ReturnRecord, lines: Sequence[return_pb2.ReturnLine]) -> return_pb2.ReturnState.ValueType:
    """An open return of which everything was dealt with is received, until somebody closes it."""
    state = _STATES.get(record.status, return_pb2.RETURN_STATE_UNSPECIFIED)
    done = bool(lines) and all(line.received_quantity == line.quantity for line in lines)
    return return_pb2.RETURN_STATE_RECEIVED if done and state == return_pb2.RETURN_STATE_OPEN else state


def _lines(record: ReturnRecord, sold: dict[str, Line]) -> Iterator[return_pb2.ReturnLine]:
    """Two lines of one return may be of one line of a shipment: the first takes what it can of what became of it."""
    told: dict[str, list[Disposal]] = defaultdict(list)
    for one in record.disposals:
        told[one.shipped_id].append(one)
    left = {id(one): one.quantity for one in record.disposals}
    for line in record.lines:
        message = return_pb2.ReturnLine(line_id=line.line_id, quantity=str(line.quantity), reason=line.reason)
        open_pieces = line.quantity
        for one in told[line.shipped_id]:
            pieces = min(open_pieces, left[id(one)])
            open_pieces, left[id(one)] = open_pieces - pieces, left[id(one)] - pieces
            if pieces:
                message.disposals.append(_disposal(one, pieces))
        message.received_quantity = str(max(line.processed, line.quantity - open_pieces))
        if line.line_id in sold:
            of = sold[line.line_id]
            message.kind, message.sku, message.title = kind(of), of.sku, of.title
        yield message


def _disposal(one: Disposal, pieces: int) -> return_pb2.ReturnDisposal:
    return return_pb2.ReturnDisposal(
        quantity=str(pieces),
        disposition=_DISPOSITIONS.get(one.kind, return_pb2.RETURN_DISPOSITION_UNSPECIFIED),
        location_id=one.location_id,
    )
