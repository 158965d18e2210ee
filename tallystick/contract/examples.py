"""The examples inside a contract: orders, refunds, returns, customers, products, and what has to become of them.

They run whenever it is loaded.
"""

from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from tallystick.canonical import written
from tallystick.contract.compile import Contract
from tallystick.contract.document import Hold, OrderDocument, PaymentDocument, RefundDocument
from tallystick.contract.preview import document_json
from tallystick.contract.schema import Example
from tallystick.errors import TallystickError
from tallystick.reasons import NotEligible
from tallystick.v1 import customer_pb2


def failures(contract: Contract, examples: Sequence[Example]) -> Iterator[tuple[int, str]]:
    """The number of each example that fails, and in which way."""
    for number, example in enumerate(examples):
        try:
            found = outcome(contract, example)
        except TallystickError as error:
            yield number, f"example {example.name!r} cannot be read: {error}"
            continue
        for difference in _differences(example.expect, found, ""):
            yield number, f"example {example.name!r}: {difference}"


def outcome(contract: Contract, example: Example) -> dict[str, Any]:
    """What becomes of what is written by hand: its document, or `held`, or `not_eligible`."""
    if example.refund is not None:
        return _shown(contract, contract.refund(written.refund(example.refund)))
    if example.returned is not None:
        return _returned(contract, example.returned)
    if example.product is not None:
        return _priced(contract, example.product)
    if example.customer is not None:
        return _customer(contract, written.customer(example.customer))
    order = written.order(example.order or {})
    not_eligible = contract.eligibility(order)
    if not_eligible is not None:
        return {"not_eligible": not_eligible.value}
    payments = [_payment(contract.payment(order, one)) for one in contract.paid(order)]
    return {**_shown(contract, contract.document(order)), "payments": payments}


def _payment(document: PaymentDocument | Hold) -> dict[str, Any]:
    return _held(document) if isinstance(document, Hold) else dict(document_json(document))


def _held(hold: Hold) -> dict[str, Any]:
    return {"held": hold.reason.value, "detail": hold.detail}


def _returned(contract: Contract, returned: Mapping[str, Any]) -> dict[str, Any]:
    document = contract.returned(written.returned(returned))
    if isinstance(document, NotEligible):
        return {"not_eligible": document.value}
    return _held(document) if isinstance(document, Hold) else document_json(document)


def _priced(contract: Contract, product: Mapping[str, Any]) -> dict[str, Any]:
    told = contract.price(written.product(product))
    if isinstance(told, NotEligible):
        return {"not_eligible": told.value}
    return _held(told) if isinstance(told, Hold) else document_json(told)


def _customer(contract: Contract, customer: customer_pb2.Customer) -> dict[str, Any]:
    not_eligible = contract.customer_eligibility(customer)
    if not_eligible is not None:
        return {"not_eligible": not_eligible.value}
    document = contract.customer_revision(customer)
    if isinstance(document, Hold):
        return {"held": document.reason.value, "detail": document.detail}
    return document_json(document)


def _shown(contract: Contract, document: OrderDocument | RefundDocument | Hold) -> dict[str, Any]:
    if isinstance(document, Hold):
        return _held(document)
    return {**document_json(document), "document_total": contract.balance(document).document_total}


def _differences(expected: object, found: object, place: str) -> Iterator[str]:
    """Every difference in what was expected; what was not mentioned may be anything."""
    if isinstance(expected, Mapping) and isinstance(found, Mapping):
        for name, value in expected.items():
            inner = f"{place}.{name}" if place else str(name)
            if name not in found:
                yield f"{inner} is not there; there are {', '.join(map(str, found)) or 'no fields'}"
            else:
                yield from _differences(value, found[name], inner)
    elif isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            yield f"{place} has {len(found)} entries, {len(expected)} were expected"
        for number, (one, other) in enumerate(zip(expected, found, strict=False)):
            yield from _differences(one, other, f"{place}[{number}]")
    elif not _same(expected, found):
        yield f"{place} is {found!r}, {expected!r} was expected"


def _same(expected: object, found: object) -> bool:
    """Numbers are compared by value: 107, 107.0 and "107.00" are one amount."""
    if expected is None or isinstance(expected, bool) or isinstance(found, bool):
        return expected is found
    try:
        return Decimal(str(expected)) == Decimal(str(found))
    except InvalidOperation:
        return str(expected) == str(found)
