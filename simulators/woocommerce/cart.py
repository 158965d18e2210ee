"""From what is ordered to what is charged."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from tallystick.canonical.money import allocate

from .model import Back, Charge, Coupon, Discount, Fee, Item, Line, Order, Product, Sums
from .taxes import Rate, Rounding, Taxes, net_of_gross, of_class, on_net


@dataclass(frozen=True, slots=True)
class Cart:
    """Computes an order's charges by the shop's tax table and settings."""

    rates: Sequence[Rate]
    rounding: Rounding
    products: Mapping[str, Product]
    next_id: Callable[[], int]

    def line(self, item: Item) -> Line:
        """One line at the item's price; an unknown SKU gives a nameless line of nothing, as the real shop does."""
        product = self.products.get(item.sku) or Product(0, "", "", Decimal(0))
        price = product.price if item.price is None else item.price
        net, taxes = self._split(price * item.quantity, product.tax_class)
        return Line(
            id=self.next_id(),
            name=product.name,
            product_id=product.id,
            sku=product.sku or None,
            quantity=item.quantity,
            tax_class=product.tax_class,
            subtotal=net,
            total=net,
            subtotal_taxes=dict(taxes),
            taxes=taxes,
            meta=dict(item.meta),
        )

    def reprice(self, line: Line, subtotal: Decimal, total: Decimal) -> None:
        """Give a line other amounts without tax; its taxes follow."""
        rates = of_class(self.rates, line.tax_class)
        line.subtotal, line.subtotal_taxes = subtotal, on_net(subtotal, rates)
        line.total, line.taxes = total, on_net(total, rates)

    def shipping(self, title: str, net: Decimal) -> Charge:
        """A way of shipping, taxed at the standard rate."""
        rates = [rate for rate in of_class(self.rates, "") if rate.shipping]
        return Charge(self.next_id(), title, net, on_net(net, rates))

    def fee(self, fee: Fee, lines: Sequence[Line]) -> Charge:
        """A fee; a negative one takes its taxes from the lines, even where it is not taxable."""
        if fee.amount < 0:
            taxes = self._spread(fee.amount, lines)
        else:
            taxes = on_net(fee.amount, of_class(self.rates, fee.tax_class)) if fee.taxable else {}
        return Charge(self.next_id(), fee.name, fee.amount, taxes, fee.tax_class, fee.taxable)

    def given_back(self, order: Order, pieces: Mapping[int, int], nets: Mapping[int, Decimal]) -> list[Back]:
        """What a refund gives back, by the id of the charge: so many pieces of it, or an amount without tax."""
        charges: list[Line | Charge] = [*order.lines, *order.shipping, *order.fees]
        named = [charge for charge in charges if charge.id in {*pieces, *nets}]
        return [self._back(charge, pieces.get(charge.id, 0), nets.get(charge.id)) for charge in named]

    def _back(self, charge: Line | Charge, pieces: int, net: Decimal | None) -> Back:
        of = Decimal(charge.quantity) if isinstance(charge, Line) else Decimal(1)
        net = self.rounding.amount(charge.total * pieces / of) if net is None else net
        share = net / charge.total if charge.total else Decimal(0)
        taxes = {rate_id: self.rounding.tax(tax * share) for rate_id, tax in charge.taxes.items()}
        return Back(self.next_id(), charge, pieces if isinstance(charge, Line) else 0, net, taxes)

    def apply(self, coupon: Coupon, lines: Sequence[Line]) -> Discount:
        """Take a coupon off the lines, in the basis in which prices are typed."""
        before = [self._in_basis(line) for line in lines]
        taken = self._taken(coupon, before)
        tax = Decimal(0)
        for line, gross, off in zip(lines, before, taken, strict=True):
            taxed_before = sum(line.taxes.values(), Decimal(0))
            line.total, line.taxes = self._split(gross - off, line.tax_class)
            tax += taxed_before - sum(line.taxes.values(), Decimal(0))
        discount = sum((line.subtotal - line.total for line in lines), Decimal(0))
        return Discount(self.next_id(), coupon, self.rounding.amount(discount), self.rounding.tax(tax))

    def _taken(self, coupon: Coupon, amounts: Sequence[Decimal]) -> list[Decimal]:
        if coupon.kind == "percent":
            return [self.rounding.amount(amount * coupon.amount / 100) for amount in amounts]
        whole = min(coupon.amount, sum(amounts, Decimal(0)))
        return allocate(self.rounding.amount(whole), amounts, self.rounding.decimals)

    def _in_basis(self, line: Line) -> Decimal:
        if not self.rounding.prices_include_tax:
            return line.total
        return self.rounding.amount(line.total + sum(line.taxes.values(), Decimal(0)))

    def _split(self, amount: Decimal, tax_class: str) -> tuple[Decimal, Taxes]:
        rates = of_class(self.rates, tax_class)
        net = net_of_gross(amount, rates) if self.rounding.prices_include_tax else amount
        return net, on_net(net, rates)

    def _spread(self, amount: Decimal, lines: Sequence[Line]) -> Taxes:
        whole, taxes = sum((line.total for line in lines), Decimal(0)) or Decimal(1), Taxes()
        for line in lines:
            for rate_id, tax in on_net(amount * line.total / whole, of_class(self.rates, line.tax_class)).items():
                taxes[rate_id] = taxes.get(rate_id, Decimal(0)) + tax
        return taxes

    def sums(self, order: Order) -> Sums:
        """What the order states, from its charges."""
        rounding, used = self.rounding, _rate_ids(order)
        by_rate = {
            rate_id: (
                rounding.tax_of(_taxes_of(_taxable(order), rate_id)),
                rounding.tax_of(_taxes_of(order.shipping, rate_id)),
            )
            for rate_id in used
        }
        sums = Sums(
            cart_tax=sum((cart for cart, _ in by_rate.values()), Decimal(0)),
            shipping_tax=sum((shipping for _, shipping in by_rate.values()), Decimal(0)),
            shipping=rounding.net_of(charge.total for charge in order.shipping),
            discount=sum(
                (rounding.amount(line.subtotal) - rounding.amount(line.total) for line in order.lines), Decimal(0)
            ),
            discount_tax=rounding.tax(sum((_tax_off(line) for line in order.lines), Decimal(0))),
            by_rate=by_rate,
        )
        net = rounding.net_of(charge.total for charge in _taxable(order))
        sums.total = rounding.amount(net + sums.shipping + sums.cart_tax + sums.shipping_tax)
        return sums


def _taxable(order: Order) -> list[Line | Charge]:
    return [*order.lines, *order.fees]


def _rate_ids(order: Order) -> list[int]:
    return sorted({rate_id for charge in [*_taxable(order), *order.shipping] for rate_id in charge.taxes})


def _taxes_of(charges: Sequence[Line | Charge], rate_id: int) -> list[Decimal]:
    return [charge.taxes[rate_id] for charge in charges if rate_id in charge.taxes]


def _tax_off(line: Line) -> Decimal:
    return sum(line.subtotal_taxes.values(), Decimal(0)) - sum(line.taxes.values(), Decimal(0))
