"""What the order adds up to, as the shop states it.

total = Σ line.total + Σ fee.total + shipping_total + total_tax held in every order seen on WooCommerce 11.0.1 and
8.9.3. What the order states (its total, its tax, its shipping) is the truth; lines may be a unit of rounding off.
"""

from collections.abc import Iterable
from decimal import Decimal

from tallystick.canonical.checks import Bounds
from tallystick.canonical.money import is_whole
from tallystick.v1 import order_pb2

from .amounts import Amounts
from .fields import Json, rows


def totals(order: Json, amounts: Amounts) -> order_pb2.OrderTotals:
    """The totals; a difference that rounding explains is stated as `rounding`, any other is left for the checks."""
    parts = {
        "net": _sum(amounts, rows(order.get("line_items"))),
        "tax": amounts.read(order, "total_tax", "the order"),
        "shipping": amounts.read(order, "shipping_total", "the order"),
        "fees": _sum(amounts, rows(order.get("fee_lines"))),
    }
    total = amounts.read(order, "total", "the order")
    cards = gift_cards(order, amounts)
    known = [part for part in parts.values() if part is not None]
    if total is not None and len(known) == len(parts) and amounts.sound:
        total = _before_cards(total, cards, sum(known, Decimal(0)))
        parts["rounding"] = _rounding(order, total - sum(known, Decimal(0)), amounts)
    stated = order_pb2.OrderTotals(total=amounts.money(total))
    for name, part in parts.items():
        value = amounts.money(part)
        if value is not None and (part or name != "rounding"):
            getattr(stated, name).CopyFrom(value)
    if cards and (value := amounts.money(cards)) is not None:
        stated.gift_cards.CopyFrom(value)
    return stated


def gift_cards(order: Json, amounts: Amounts) -> Decimal:
    """What was paid by gift card (plugin Gift Cards, `gift_cards[].amount`)."""
    paid = (amounts.read(row, "amount", "a gift card") for row in rows(order.get("gift_cards")))
    return sum((part for part in paid if part), Decimal(0))


def _sum(amounts: Amounts, charges: Iterable[Json]) -> Decimal | None:
    """The charges without tax; None when one cannot be read (its own reading has the finding)."""
    silent = Amounts(amounts.currency, amounts.tax_mode)
    parts = [silent.read(row, "total", "") for row in charges]
    known = [part for part in parts if part is not None]
    return sum(known, Decimal(0)) if len(known) == len(parts) else None


def _before_cards(total: Decimal, cards: Decimal, charged: Decimal) -> Decimal:
    """The plugin takes gift cards off the order's total, though they are a payment: put back where that adds up."""
    return total + cards if cards and total + cards == charged else total


def _rounding(order: Json, missing: Decimal, amounts: Amounts) -> Decimal:
    """The difference, where the rounding of the parts explains it.

    A total in whole minor units may be off by one unit for each part. A fractional one (a shop in yen with two
    decimals) proves the difference itself: before we rounded, the parts made the total exactly.
    """
    charges = len(rows(order.get("line_items"))) + len(rows(order.get("fee_lines")))
    if abs(missing) > Bounds().of(charges, amounts.currency):
        return Decimal(0)
    stated = amounts.exact(order, "total", "the order")
    if stated is None or is_whole(stated, amounts.currency):
        return missing
    return missing if _adds_up(order, amounts, stated) else Decimal(0)


def _adds_up(order: Json, amounts: Amounts, total: Decimal) -> bool:
    charged = [amounts.exact(row, "total", "") for key in ("line_items", "fee_lines") for row in rows(order.get(key))]
    header = [amounts.exact(order, key, "the order") for key in ("shipping_total", "total_tax")]
    return sum((part for part in charged + header if part), Decimal(0)) == total
