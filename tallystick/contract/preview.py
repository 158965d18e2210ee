"""What would become of an order, without a call to anybody: the function behind `tallystick preview`."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from google.protobuf.json_format import MessageToDict

from tallystick.canonical.money import amount
from tallystick.contract.compile import Contract
from tallystick.contract.document import (
    Balance,
    CustomerDocument,
    Hold,
    OrderDocument,
    PaymentDocument,
    PriceDocument,
    RefundDocument,
    ReturnDocument,
)
from tallystick.contract.report import Unresolved
from tallystick.reasons import HoldReason, NotEligible
from tallystick.v1 import event_pb2, order_pb2, refund_pb2

#: It balances.
EXIT_BALANCED = 0
#: Its money or its state would hold it, or it is not for the ERP.
EXIT_HELD = 3


@dataclass(frozen=True, slots=True)
class Preview:
    """The answer as JSON-ready data, and the exit code of the command."""

    body: Mapping[str, Any]
    exit_code: int


def preview(
    order: order_pb2.Order,
    contract: Contract,
    findings: Sequence[event_pb2.Finding] = (),
    since: datetime | None = None,
    parts: Sequence[event_pb2.Event] = (),
    *,
    returns: bool = False,
) -> Preview:
    """Apply the contract. `findings` are those of the adapter that read the order, `parts` its refunds and returns.
    With `returns` these cross, and a refund leaves them the goods that they bring back.

    References that only the ERP or a missing row of a table can resolve are listed and hold nothing here: the
    balance is proved on the amounts all the same.
    """
    built = contract.build(order)
    document = built.document
    unresolved = [_unresolved(item) for item in built.report.unresolved]
    if document is not None:
        unresolved.append({"kind": "customer", "value": document.customer.key, "detail": _CUSTOMER})
    proof = contract.balance(document) if document is not None else None
    held = _held(order, contract, [*findings], built.report.holds, since)
    body: dict[str, Any] = {
        "canonical": MessageToDict(order),
        "document": None if document is None else document_json(document),
        "balance": _balance(order, proof),
        "unresolved": unresolved,
        "held": held,
        "parts": [shown for part in parts if (shown := _part(part, contract, returns)) is not None],
    }
    balanced = held is None and not any(part["held"] for part in body["parts"])
    return Preview(body, EXIT_BALANCED if balanced else EXIT_HELD)


def document_json(
    document: OrderDocument | RefundDocument | ReturnDocument | PaymentDocument | PriceDocument | CustomerDocument,
) -> dict[str, Any]:
    """The document with amounts as decimal texts, dates and times in ISO 8601."""
    found: dict[str, Any] = _plain(asdict(document))
    return found


def _part(part: event_pb2.Event, contract: Contract, returns: bool) -> dict[str, Any] | None:
    """What would become of what stands beside the order."""
    if part.HasField("refund"):
        return _refund(part, contract, goods=not (returns and part.refund.return_id))
    return _return(part, contract) if part.HasField("return") else None


def _return(part: event_pb2.Event, contract: Contract) -> dict[str, Any]:
    """What would become of a return of the order. It has no money, so nothing to balance."""
    returned = getattr(part, "return")
    found = contract.returned(returned)
    held = [{"reason": one.reason, "detail": one.detail} for one in part.findings]
    if isinstance(found, Hold):
        held.append({"reason": found.reason.value, "detail": found.detail})
    return {
        "type": "return",
        "id": returned.id,
        "canonical": MessageToDict(returned),
        "document": document_json(found) if isinstance(found, ReturnDocument) else None,
        "not_eligible": {"reason": found.value, "detail": found.words} if isinstance(found, NotEligible) else None,
        "held": held[0] if held else None,
    }


def _refund(part: event_pb2.Event, contract: Contract, *, goods: bool) -> dict[str, Any]:
    """What would become of a refund of the order."""
    refund = part.refund
    found = contract.refund(refund, goods=goods)
    document = None if isinstance(found, Hold) else found
    holds = [Hold(HoldReason(one.reason), one.detail) for one in part.findings]
    holds += [found] if isinstance(found, Hold) else []
    held = [{"reason": hold.reason.value, "detail": hold.detail} for hold in holds]
    if refund.order_cancelled and contract.cancels:
        reason = NotEligible.ORDER_CANCELLED
        held.insert(0, {"reason": reason.value, "detail": reason.words})
    return {
        "type": "refund",
        "id": refund.id,
        "canonical": MessageToDict(refund),
        "document": None if document is None else document_json(document),
        "balance": _balance(refund, None if document is None else contract.balance(document)),
        "held": held[0] if held else None,
    }


_CUSTOMER = "the customer is looked up in the ERP, and made there when absent"


def _held(
    order: order_pb2.Order,
    contract: Contract,
    findings: Sequence[event_pb2.Finding],
    holds: Sequence[Hold],
    since: datetime | None,
) -> dict[str, str] | None:
    not_eligible = contract.eligibility(order, since)
    if not_eligible is not None:
        return {"reason": not_eligible.value, "detail": not_eligible.words}
    for hold in [*(Hold(HoldReason(one.reason), one.detail) for one in findings), *holds]:
        return {"reason": hold.reason.value, "detail": hold.detail}
    return None


def _balance(sold: order_pb2.Order | refund_pb2.Refund, proof: Balance | None) -> dict[str, str | None]:
    if proof is None:
        stated = sold.totals.total if isinstance(sold, order_pb2.Order) else sold.total
        total = f"{amount(stated):f}" if stated.currency_code else None
        return {
            "store_total": total,
            "document_total": None,
            "difference": None,
            "currency": sold.currency_code,
        }
    return {
        "store_total": f"{proof.store_total:f}",
        "document_total": f"{proof.document_total:f}",
        "difference": f"{proof.difference:f}",
        "currency": proof.currency,
    }


def _unresolved(item: Unresolved) -> dict[str, str]:
    return {"kind": item.kind, "value": item.value, "detail": item.detail}


def _plain(value: Any) -> Any:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, Mapping):
        return {str(key): _plain(one) for key, one in value.items()}
    if isinstance(value, frozenset | set):
        return sorted(value)
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value
