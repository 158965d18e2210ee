"""Fractions of coins that a store hands out, brought to whole minor units.

A shop in yen whose number of decimals was left at two states 2604.67 JPY, and was paid 2605
(woocommerce/woocommerce issue 8590). Every amount goes to the nearest whole unit, halves away from zero; what the
parts then miss is stated as the order's rounding, never hidden in one of them.
"""

from collections.abc import Iterator
from decimal import Decimal

from google.type import money_pb2

from tallystick.canonical.checks import charges
from tallystick.canonical.money import add, amount, is_whole, money, quantise, subtract
from tallystick.v1 import money_pb2 as taxed_pb2
from tallystick.v1 import order_pb2

_PARTS = ("net", "tax", "shipping", "fees", "tips", "duties", "rounding")


def to_minor_units(order: order_pb2.Order) -> Decimal:
    """Round the order's amounts in place; returns what was added to its `rounding`, zero for a sound order.

    An order whose amounts do not add up to begin with stays so: the checks have to find it.
    """
    if all(is_whole(amount(value), order.currency_code) for value in _amounts(order)):
        return Decimal(0)
    missing_before = _missing(order)
    for _, charge in charges(order):
        _round_taxed(charge.amount)
    for value in _amounts(order):
        value.CopyFrom(_rounded(value))
    return _state_rounding(order) if missing_before == 0 else Decimal(0)


def _amounts(order: order_pb2.Order) -> Iterator[money_pb2.Money]:
    yield from (value for _, value in order.totals.ListFields())
    yield from (payment.amount for payment in order.payments if payment.HasField("amount"))
    yield from (line.discount for line in order.lines if line.HasField("discount"))
    for _, charge in charges(order):
        yield from (value for _, value in charge.amount.ListFields())


def _round_taxed(taxed: taxed_pb2.TaxedAmount) -> None:
    """The gross is what was paid and the tax what was declared: the net gives way."""
    gross, tax = _rounded(taxed.gross), _rounded(taxed.tax)
    taxed.gross.CopyFrom(gross)
    taxed.tax.CopyFrom(tax)
    taxed.net.CopyFrom(subtract(gross, tax))


def _rounded(value: money_pb2.Money) -> money_pb2.Money:
    return money(value.currency_code, quantise(amount(value), value.currency_code))


def _missing(order: order_pb2.Order) -> Decimal:
    parts = sum((amount(getattr(order.totals, part)) for part in _PARTS), Decimal(0))
    return amount(order.totals.total) - parts


def _state_rounding(order: order_pb2.Order) -> Decimal:
    missing = _missing(order)
    if missing:
        stated = money(order.currency_code, amount(order.totals.rounding))
        order.totals.rounding.CopyFrom(add(stated, money(order.currency_code, missing)))
    return missing
