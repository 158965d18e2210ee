"""Amounts of charged things in canonical form: what a line is, what it costs, and which taxes that holds."""

from decimal import Decimal

from adapters.shopify.booking import Part
from adapters.shopify.state import ZERO, Line, ShopifyOrder, Tax
from tallystick.canonical.money import allocate, minor_digits, money
from tallystick.v1 import money_pb2, order_pb2


def kind(line: Line) -> order_pb2.LineKind.ValueType:
    """Goods, a gift card that is sold, or something typed by hand."""
    if line.gift_card:
        return order_pb2.LINE_KIND_GIFT_CARD
    return order_pb2.LINE_KIND_CUSTOM if line.typed_by_hand else order_pb2.LINE_KIND_GOODS


def taxed(source: ShopifyOrder, part: Part) -> money_pb2.TaxedAmount:
    """Net, tax and gross of an amount in the basis of the order's prices."""
    net = part.amount - part.tax if source.taxes_included else part.amount
    currency = source.currency
    return money_pb2.TaxedAmount(
        net=money(currency, net), tax=money(currency, part.tax), gross=money(currency, net + part.tax)
    )


def taxes(source: ShopifyOrder, stated: tuple[Tax, ...], whole: Decimal) -> list[money_pb2.TaxLine]:
    """The taxes as stated; of a line that was split, their shares."""
    amounts = [tax.amount for tax in stated]
    if stated and sum(amounts, ZERO) != whole:
        amounts = allocate(whole, [abs(amount) for amount in amounts], minor_digits(source.currency))
    return [
        money_pb2.TaxLine(title=tax.title, rate_percent=tax.rate_percent, amount=money(source.currency, amount))
        for tax, amount in zip(stated, amounts, strict=True)
    ]
