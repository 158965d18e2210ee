"""Generated sales, as a shop computes them, and their canonical orders. Store adapters write them in their own form.

The shop's arithmetic is not ours: it rounds tax half up or half down, per line or at the subtotal, and its sums show
it.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP, Decimal

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from tallystick.canonical.money import minor_digits, minor_unit, money, unit_price
from tallystick.canonical.quantities import quantity_text
from tallystick.v1 import money_pb2, order_pb2

#: The same examples in every run and on every machine, without a clock.
STEADY = settings(
    derandomize=True,
    deadline=None,
    max_examples=120,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)

CURRENCIES = ("JPY", "THB", "EUR", "KWD")
RATES = ((), ("7",), ("19",), ("8.1",), ("5", "9.975"))


@dataclass(frozen=True, slots=True)
class Sold:
    """One charged thing: goods, shipping or a fee."""

    price: Decimal
    quantity: Decimal
    discount: Decimal
    #: In per cent.
    rates: tuple[str, ...]
    net: Decimal
    tax: Decimal

    @property
    def gross(self) -> Decimal:
        """What the buyer pays for it."""
        return self.net + self.tax


@dataclass(frozen=True, slots=True)
class Sale:
    """One order as the shop computed it."""

    currency: str
    included: bool
    lines: tuple[Sold, ...]
    shipping: tuple[Sold, ...]
    fees: tuple[Sold, ...]
    tip: Decimal
    duties: Decimal
    #: All tax, as the shop's header states it.
    tax: Decimal

    @property
    def charged(self) -> tuple[Sold, ...]:
        """Everything with a tax of its own."""
        return self.lines + self.shipping + self.fees

    @property
    def total(self) -> Decimal:
        """What the buyer pays."""
        return sum((one.net for one in self.charged), self.tax) + self.tip + self.duties


@dataclass(frozen=True, slots=True)
class Shop:
    """How a shop computes."""

    currency: str
    included: bool
    tax_mode: str
    at_subtotal: bool

    def sold(self, coins: int, quantity: Decimal, discount_percent: int, rates: tuple[str, ...]) -> Sold:
        """Charge for something whose price is given in minor units."""
        coin = minor_unit(self.currency)
        price = coins * coin
        before = (price * quantity).quantize(coin, ROUND_HALF_UP)
        discount = (before * discount_percent / 100).quantize(coin, ROUND_HALF_UP)
        after, rate = before - discount, sum(map(Decimal, rates), Decimal(0))
        exact = after * rate / (100 + rate) if self.included else after * rate / 100
        tax = exact.quantize(coin, self.tax_mode)
        return Sold(price, quantity, discount, rates, after - tax if self.included else after, tax)

    def header_tax(self, charged: tuple[Sold, ...]) -> Decimal:
        """The sum of the lines' taxes, or one rounding for each rate over their bases."""
        if not self.at_subtotal or self.included:
            return sum((one.tax for one in charged), Decimal(0))
        bases: dict[str, Decimal] = {}
        for one in charged:
            for rate in one.rates:
                bases[rate] = bases.get(rate, Decimal(0)) + one.net
        coin = minor_unit(self.currency)
        taxes = ((base * Decimal(rate) / 100).quantize(coin, self.tax_mode) for rate, base in bases.items())
        return sum(taxes, Decimal(0))


_shops = st.builds(
    Shop,
    currency=st.sampled_from(CURRENCIES),
    included=st.booleans(),
    tax_mode=st.sampled_from((ROUND_HALF_UP, ROUND_HALF_DOWN)),
    at_subtotal=st.booleans(),
)
_quantities = st.one_of(
    st.integers(1, 12).map(Decimal),
    st.integers(1, 5000).map(Decimal),
    st.integers(1, 400).map(lambda quarters: Decimal(quarters) / 4),
)
#: Most orders are short; some have two hundred lines.
_lengths = st.one_of(st.integers(1, 6), st.integers(1, 200))


@st.composite
def sales(draw: st.DrawFn) -> Sale:
    """Any sale of one to two hundred lines."""
    shop = draw(_shops)
    length = draw(_lengths)
    seed = draw(st.randoms(use_true_random=False))
    drawn = [draw(_charge(shop)) for _ in range(min(length, 6))]
    lines = tuple(drawn[n] if n < len(drawn) else seed.choice(drawn) for n in range(length))
    shipping = tuple(draw(st.lists(_flat(shop, 1), max_size=2)))
    fees = tuple(draw(st.lists(_flat(shop, -1), max_size=1)))
    tip, duties = (draw(st.sampled_from((0, 0, 1, 500))) * minor_unit(shop.currency) for _ in range(2))
    return Sale(
        shop.currency, shop.included, lines, shipping, fees, tip, duties, shop.header_tax(lines + shipping + fees)
    )


def _charge(shop: Shop) -> st.SearchStrategy[Sold]:
    return st.builds(
        shop.sold,
        coins=st.one_of(st.integers(0, 2000), st.integers(0, 5_000_000)),
        quantity=_quantities,
        discount_percent=st.sampled_from((0, 0, 0, 5, 10, 33, 100)),
        rates=st.sampled_from(RATES),
    )


def _flat(shop: Shop, sign: int) -> st.SearchStrategy[Sold]:
    return st.builds(
        lambda coins, rates: shop.sold(sign * coins, Decimal(1), 0, rates),
        coins=st.integers(0, 900),
        rates=st.sampled_from(RATES),
    )


def canonical(sale: Sale) -> order_pb2.Order:
    """The sale as its canonical order; a header tax beside the lines' taxes is carried as it is stated."""
    order = order_pb2.Order(
        connection="shop",
        id="1",
        number="1001",
        state=order_pb2.ORDER_STATE_PLACED,
        payment_state=order_pb2.PAYMENT_STATE_PAID,
        currency_code=sale.currency,
        tax_basis=money_pb2.TAX_BASIS_INCLUDED if sale.included else money_pb2.TAX_BASIS_EXCLUDED,
    )
    order.placed_at.FromSeconds(1_795_176_000)
    for place, line in enumerate(sale.lines, 1):
        order.lines.append(_line(sale, place, line))
    for place, one in enumerate(sale.shipping, 1):
        order.shipping_lines.add(id=str(place), title="Post", amount=_taxed(sale, one), taxes=_taxes(one))
    for place, one in enumerate(sale.fees, 1):
        order.fees.add(id=str(place), title="Voucher", amount=_taxed(sale, one), taxes=_taxes(one))
    order.totals.CopyFrom(_totals(sale))
    return order


def _line(sale: Sale, place: int, line: Sold) -> order_pb2.OrderLine:
    return order_pb2.OrderLine(
        id=str(place),
        kind=order_pb2.LINE_KIND_GOODS,
        sku=f"SKU-{place}",
        title=f"Thing {place}",
        quantity=order_pb2.Quantities(ordered=quantity_text(line.quantity)),
        unit_price=unit_price(sale.currency, line.price),
        amount=_taxed(sale, line),
        discount=money(sale.currency, line.discount),
        taxes=_taxes(line),
    )


def _taxed(sale: Sale, one: Sold) -> money_pb2.TaxedAmount:
    net, tax, gross = (money(sale.currency, value) for value in (one.net, one.tax, one.gross))
    return money_pb2.TaxedAmount(net=net, tax=tax, gross=gross)


def _taxes(one: Sold) -> list[money_pb2.TaxLine]:
    return [money_pb2.TaxLine(title=f"Tax {rate} %", rate_percent=rate) for rate in one.rates]


def _totals(sale: Sale) -> order_pb2.OrderTotals:
    parts = {
        "net": sum((one.net for one in sale.lines), Decimal(0)),
        "tax": sale.tax,
        "shipping": sum((one.net for one in sale.shipping), Decimal(0)),
        "fees": sum((one.net for one in sale.fees), Decimal(0)),
        "tips": sale.tip,
        "duties": sale.duties,
        "total": sale.total,
    }
    digits = minor_digits(sale.currency)
    return order_pb2.OrderTotals(**{name: money(sale.currency, round(value, digits)) for name, value in parts.items()})
