"""Everything in an order or a refund that becomes a line, in one form: goods, shipping, fees, tips, duties …"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal

from tallystick.canonical.money import amount
from tallystick.canonical.quantities import booked, parse_quantity
from tallystick.contract.document import LineRole
from tallystick.v1 import money_pb2, order_pb2, refund_pb2

_ONE = Decimal(1)
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Tax:
    """One tax of a charge as the store states it."""

    title: str
    code: str
    #: In per cent; None when the store states none.
    rate: Decimal | None
    #: None when the store states only the charge's tax in all.
    amount: Decimal | None
    compound: bool


@dataclass(frozen=True, slots=True)
class Charge:
    """One thing that is charged for."""

    key: str
    role: LineRole
    name: str
    quantity: Decimal
    net: Decimal
    tax: Decimal
    gross: Decimal
    taxes: tuple[Tax, ...] = ()
    #: The store's code of a shipping method or fee.
    code: str = ""
    line: order_pb2.OrderLine | refund_pb2.RefundLine | None = None
    #: A product that is decided already.
    product: str = ""

    def part(self, *, included: bool) -> Decimal:
        """The amount in the basis of the prices."""
        return self.gross if included else self.net


def charges(order: order_pb2.Order) -> list[Charge]:
    """What is booked. Left out: lines removed by an edit, shipping and fees of zero."""
    pieces = [(line, booked(line)) for line in order.lines]
    found = [_goods(line, quantity) for line, quantity in pieces if quantity > 0]
    others = [_other("shipping", LineRole.SHIPPING, n, line) for n, line in enumerate(order.shipping_lines, 1)]
    others += [_other("fee", LineRole.FEE, n, fee) for n, fee in enumerate(order.fees, 1)]
    found += [charge for charge in others if charge.net or charge.tax]
    totals = order.totals
    for role, name, value in (
        (LineRole.TIP, "Tip", totals.tips),
        (LineRole.DUTY, "Duties", totals.duties),
        (LineRole.ROUNDING, "Rounding", totals.rounding),
    ):
        if value.units or value.nanos:
            found.append(untaxed(role.value, role, name, amount(value)))
    return found


def of_refund(refund: refund_pb2.Refund) -> list[Charge]:
    """What a refund gives back of the order; a line that it names twice gets two keys."""
    found = [_given_back(line) for line in refund.lines]
    others = [_other("shipping", LineRole.SHIPPING, n, line) for n, line in enumerate(refund.shipping_lines, 1)]
    others += [_other("fee", LineRole.FEE, n, fee) for n, fee in enumerate(refund.fees, 1)]
    found += [charge for charge in others if charge.net or charge.tax]
    if amount(refund.duties):
        found.append(untaxed("duty", LineRole.DUTY, "Duties", amount(refund.duties)))
    return list(_with_own_keys(found))


def untaxed(key: str, role: LineRole, name: str, value: Decimal, product: str = "") -> Charge:
    """One piece of something that carries no tax."""
    return Charge(key, role, name, _ONE, net=value, tax=_ZERO, gross=value, product=product)


def _goods(line: order_pb2.OrderLine, quantity: Decimal) -> Charge:
    net, tax, gross = _amounts(line.amount)
    name = line.title or line.sku or line.id
    return Charge(line.id, LineRole.GOODS, name, quantity, net, tax, gross, stated_taxes(line.taxes), line=line)


def _given_back(line: refund_pb2.RefundLine) -> Charge:
    """Money without a piece is one piece of it."""
    net, tax, gross = _amounts(line.amount)
    name, pieces = line.title or line.sku or line.line_id, parse_quantity(line.quantity)
    return Charge(
        line.line_id, LineRole.GOODS, name, pieces or _ONE, net, tax, gross, stated_taxes(line.taxes), line=line
    )


def _with_own_keys(found: list[Charge]) -> Iterator[Charge]:
    times: Counter[str] = Counter()
    for charge in found:
        times[charge.key] += 1
        yield charge if times[charge.key] == 1 else replace(charge, key=f"{charge.key}-{times[charge.key]}")


def _other(prefix: str, role: LineRole, place: int, part: order_pb2.ShippingLine | order_pb2.Fee) -> Charge:
    net, tax, gross = _amounts(part.amount)
    key, name = f"{prefix}-{part.id or place}", part.title or part.code or prefix.capitalize()
    return Charge(key, role, name, _ONE, net, tax, gross, stated_taxes(part.taxes), code=part.code)


def _amounts(taxed: money_pb2.TaxedAmount) -> tuple[Decimal, Decimal, Decimal]:
    return amount(taxed.net), amount(taxed.tax), amount(taxed.gross)


def stated_taxes(taxes: Iterable[money_pb2.TaxLine]) -> tuple[Tax, ...]:
    """Taxes as the store states them."""
    return tuple([_tax(tax) for tax in taxes])


def _tax(tax: money_pb2.TaxLine) -> Tax:
    rate = parse_quantity(tax.rate_percent) if tax.rate_percent else None
    return Tax(tax.title, tax.code, rate, amount(tax.amount) if tax.HasField("amount") else None, tax.compound)


def fees_out_of_taxes(found: list[Charge], as_fees: Mapping[str, str]) -> list[Charge]:
    """Levies that the store reports among its taxes become charges of their own, one for each product."""
    levies: dict[str, Charge] = {}

    def is_tax(tax: Tax) -> bool:
        product = as_fees.get(tax.title) or as_fees.get(tax.code)
        if product is None:
            return True
        so_far = levies.get(product, untaxed(f"levy-{product}", LineRole.FEE, tax.title or tax.code, _ZERO, product))
        value = so_far.net + (tax.amount or _ZERO)
        levies[product] = replace(so_far, net=value, gross=value)
        return False

    kept = [_without(charge, is_tax) for charge in found] if as_fees else found
    return kept + [levy for levy in levies.values() if levy.gross]


def _without(charge: Charge, is_tax: Callable[[Tax], bool]) -> Charge:
    """The charge with only its true taxes; what is taken out stands on top of the net in every basis."""
    kept = tuple(tax for tax in charge.taxes if is_tax(tax))
    taken = sum((tax.amount or _ZERO for tax in charge.taxes if tax not in kept), _ZERO)
    return replace(charge, taxes=kept, tax=charge.tax - taken, gross=charge.gross - taken)
