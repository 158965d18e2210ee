"""From a payment of an order to the document of the target: which journal, which day."""

from collections.abc import Mapping

from tallystick.canonical.money import UnknownCurrency, amount, is_whole_money, minor_digits
from tallystick.canonical.times import business_date, to_datetime, zone
from tallystick.contract.document import Hold, PaymentDocument, Value
from tallystick.contract.schema import ByCurrency, ContractFile, Payments, UseReference
from tallystick.reasons import HoldReason
from tallystick.v1 import order_pb2


def document(
    order: order_pb2.Order, payment: order_pb2.Payment, file: ContractFile, version: str
) -> PaymentDocument | Hold:
    """The document, or why there is none: MAPPING, DATA or UNBALANCED, with its detail."""
    hold = _unsound(order, payment)
    if hold is not None:
        return hold
    fields = _booked_at(order, payment, file.payments)
    if isinstance(fields, Hold):
        return fields
    paid_at = to_datetime(payment.paid_at)
    return PaymentDocument(
        connection=order.connection,
        order_id=order.id,
        order_number=order.number,
        payment_id=payment.id,
        gateway=payment.gateway,
        reference=payment.reference,
        currency=order.currency_code,
        amount=amount(payment.amount),
        paid_at=paid_at,
        business_date=business_date(paid_at, zone(file.time_zone)),
        fields=fields,
        confirm=file.confirm,
        contract_version=version,
    )


def _unsound(order: order_pb2.Order, payment: order_pb2.Payment) -> Hold | None:
    currency = payment.amount.currency_code
    if not payment.HasField("paid_at"):
        return Hold(HoldReason.DATA, f"the store does not tell when payment {payment.id} was made")
    if currency != order.currency_code:
        words = f"payment {payment.id} is in {currency or 'no currency'}, its order in {order.currency_code}"
        return Hold(HoldReason.UNBALANCED, words)
    try:
        digits = minor_digits(currency)
    except UnknownCurrency as error:
        return Hold(HoldReason.MAPPING, str(error))
    if not is_whole_money(payment.amount):
        words = f"payment {payment.id} is {amount(payment.amount)}, but {currency} has {digits} decimals"
        return Hold(HoldReason.UNBALANCED, words)
    return None


def _booked_at(
    order: order_pb2.Order, payment: order_pb2.Payment, rules: Payments | None
) -> Mapping[str, Value] | Hold:
    """The field of the target with its reference. What no row names is never booked somewhere else."""
    if rules is None:
        return Hold(HoldReason.MAPPING, "the contract has no section `payments`, which tells where payments are booked")
    card = payment.kind == order_pb2.PAYMENT_KIND_GIFT_CARD
    row = rules.gift_card if card else rules.gateways.get(payment.gateway, rules.otherwise)
    reference = row.use if isinstance(row, UseReference) else None if row == "hold" else row
    if isinstance(reference, ByCurrency):
        reference = reference.by_currency.get(order.currency_code, reference.otherwise)
    if not reference:
        return Hold(HoldReason.MAPPING, _no_row(order, payment, rules, card=card))
    return {rules.to: reference}


def _no_row(order: order_pb2.Order, payment: order_pb2.Payment, rules: Payments, *, card: bool) -> str:
    if card:
        return "it was paid by gift card: name under `payments.gift_card` where that is booked"
    gateway = payment.gateway or "without a name"
    known = ", ".join(sorted(rules.gateways)) or "none"
    where = f"the gateway {gateway!r} has no row in `payments.gateways` for {order.currency_code}"
    return f"{where}; there are {known}"
