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
)
from tallystick.contract.report import Unresolved
from tallystick.reasons import HoldReason
from tallystick.v1 import event_pb2, order_pb2

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
) -> Preview:
    """Apply the contract. `findings` are those of the adapter that read the order.

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
    body = {
        "canonical": MessageToDict(order),
        "document": None if document is None else document_json(document),
        "balance": _balance(order, proof),
        "unresolved": unresolved,
        "held": held,
    }
    return Preview(body, EXIT_BALANCED if held is None else EXIT_HELD)


def document_json(
    document: OrderDocument | RefundDocument | PaymentDocument | PriceDocument | CustomerDocument,
) -> dict[str, Any]:
    """The document with amounts as decimal texts, dates and times in ISO 8601."""
    found: dict[str, Any] = _plain(asdict(document))
    return found


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


def _balance(order: order_pb2.Order, proof: Balance | None) -> dict[str, str | None]:
    if proof is None:
        total = f"{amount(order.totals.total):f}" if order.totals.total.currency_code else None
        return {
            "store_total": total,
            "document_total": None,
            "difference": None,
            "currency": order.currency_code,
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
