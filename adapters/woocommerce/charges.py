"""Lines, shipping and fees: everything that is charged, each with its own stated taxes.

`subtotal` and `total` of a line are always without tax, before and after discounts, even where the merchant types
prices with tax (WooCommerce REST API, "Order properties"). `price` is a rounded JSON number and never used.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

from tallystick.canonical.money import EXACT, minor_unit, money, unit_price
from tallystick.v1 import money_pb2, order_pb2

from .amounts import Amounts, quantity
from .fields import Json, flag, meta, reference, rows, text, visible


@dataclass(frozen=True, slots=True)
class Charges:
    """How to read what one order charges."""

    amounts: Amounts
    prices_include_tax: bool
    #: `tax_lines` by `rate_id`: the rates that the order's `taxes` refer to.
    rates: Mapping[str, Json]

    @classmethod
    def of(cls, order: Json, amounts: Amounts) -> "Charges":
        """The reader for this order."""
        rates = {text(rate.get("rate_id")): rate for rate in rows(order.get("tax_lines"))}
        return cls(amounts, flag(order.get("prices_include_tax")), rates)

    def lines(self, order: Json, ships: bool) -> Iterable[order_pb2.OrderLine]:
        """The order's lines. A removed line vanishes from the order, so what is here is both ordered and booked."""
        found = rows(order.get("line_items"))
        parents = {_parent(row) for row in found}
        return [self._line(row, text(row.get("id")) in parents, ships) for row in found]

    def _line(self, row: Json, groups: bool, ships: bool) -> order_pb2.OrderLine:
        where = f"line {text(row.get('id'))}"
        read, pieces = self.amounts.read, self.amounts.quantity(row, where)
        before = self._in_basis(read(row, "subtotal", where), read(row, "subtotal_tax", where))
        net, tax = read(row, "total", where), read(row, "total_tax", where)
        after = self._in_basis(net, tax)
        line = order_pb2.OrderLine(
            id=text(row.get("id")),
            kind=_kind(row, groups and not before and not after),
            sku=text(row.get("sku")),
            product_id=reference(row.get("product_id")),
            variant_id=reference(row.get("variation_id")),
            title=text(row.get("name")),
            parent_id=_parent(row),
            quantity=order_pb2.Quantities(ordered=quantity(pieces)),
            amount=self.amounts.taxed(net, tax),
            taxes=self._taxes(row, tax),
            requires_shipping=ships,
            attributes=visible(meta(row.get("meta_data"))),
        )
        if before is not None:
            line.unit_price.CopyFrom(unit_price(self.amounts.currency, EXACT.divide(before, pieces or Decimal(1))))
        if before is not None and after is not None and before != after:
            line.discount.CopyFrom(money(self.amounts.currency, before - after))
        return line

    def shipping(self, order: Json) -> Iterable[order_pb2.ShippingLine]:
        """The ways of shipping that the order charges."""
        for row in rows(order.get("shipping_lines")):
            net, tax = self._charged(row, f"shipping {text(row.get('id'))}")
            yield order_pb2.ShippingLine(
                id=text(row.get("id")),
                title=text(row.get("method_title")),
                code=text(row.get("method_id")),
                amount=self.amounts.taxed(net, tax),
                taxes=self._taxes(row, tax),
            )

    def fees(self, order: Json) -> Iterable[order_pb2.Fee]:
        """Fees; tips, surcharges and gift wrap of plugins come as fees too, discounts of plugins as negative ones."""
        for row in rows(order.get("fee_lines")):
            net, tax = self._charged(row, f"fee {text(row.get('id'))}")
            yield order_pb2.Fee(
                id=text(row.get("id")),
                title=text(row.get("name")),
                amount=self.amounts.taxed(net, tax),
                taxes=self._taxes(row, tax),
            )

    def discounts(self, order: Json) -> Iterable[money_pb2.Discount]:
        """Coupons. Their amounts are already in the lines, may be a cent off them, and come unformatted ("3")."""
        for row in rows(order.get("coupon_lines")):
            amount = self.amounts.read(row, "discount", f"coupon {text(row.get('id'))}")
            yield money_pb2.Discount(
                code=text(row.get("code")),
                title=text(row.get("discount_type")),
                basis=money_pb2.DISCOUNT_BASIS_NET,
                amount=self.amounts.money(amount),
            )

    def _charged(self, row: Json, where: str) -> tuple[Decimal | None, Decimal | None]:
        return self.amounts.read(row, "total", where), self.amounts.read(row, "total_tax", where)

    def _in_basis(self, net: Decimal | None, tax: Decimal | None) -> Decimal | None:
        if net is None or tax is None:
            return None
        return net + tax if self.prices_include_tax else net

    def _taxes(self, row: Json, tax: Decimal | None) -> list[money_pb2.TaxLine]:
        """The stated taxes of one charge. Old versions state six decimals; rounded, they still make the whole tax."""
        stated = [entry for entry in rows(row.get("taxes")) if text(entry.get("total"))]
        shares = [self.amounts.read({"tax": entry.get("total")}, "tax", "a single tax") for entry in stated]
        amounts = _made_whole([share or Decimal(0) for share in shares], tax, self.amounts)
        return [self._tax(entry, amount) for entry, amount in zip(stated, amounts, strict=True)]

    def _tax(self, entry: Json, amount: Decimal) -> money_pb2.TaxLine:
        rate = self.rates.get(text(entry.get("id")), {})
        return money_pb2.TaxLine(
            title=text(rate.get("label")),
            rate_percent=_rate(rate.get("rate_percent")),
            amount=self.amounts.money(amount),
            code=text(rate.get("rate_code")) or text(entry.get("id")),
            compound=flag(rate.get("compound")),
        )


def _made_whole(shares: list[Decimal], tax: Decimal | None, amounts: Amounts) -> list[Decimal]:
    """The rounded shares, with what rounding them lost or won given to the largest; anything more stays as stated."""
    if not shares or tax is None or not amounts.sound:
        return shares
    lost = tax - sum(shares)
    if abs(lost) <= minor_unit(amounts.currency) * (len(shares) - 1):
        shares[max(range(len(shares)), key=lambda index: abs(shares[index]))] += lost
    return shares


def _rate(stated: object) -> str:
    """10, "10.0000" and 10.00 are one rate."""
    rate = text(stated)
    return rate.rstrip("0").rstrip(".") if "." in rate else rate


def _parent(row: Json) -> str:
    """The line of the bundle or composite (plugins Product Bundles, Composite Products) that this one belongs to."""
    return reference(row.get("bundled_by")) or reference(row.get("composite_parent"))


def _kind(row: Json, only_groups: bool) -> order_pb2.LineKind.ValueType:
    if only_groups:
        return order_pb2.LINE_KIND_BUNDLE
    return order_pb2.LINE_KIND_GOODS if reference(row.get("product_id")) else order_pb2.LINE_KIND_CUSTOM
