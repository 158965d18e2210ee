"""A quick look that recognises a plainly sound order, so that the rules need not be asked.

It knows only the simplest case: one currency, whole coins, sums that agree exactly, nothing removed. Whatever else it
meets, it says nothing, and the rules of `checks` decide. A property test holds the two together.
"""

from collections.abc import Iterable

from google.type import money_pb2

from tallystick.canonical.money import NANO_DIGITS, UnknownCurrency, minor_digits
from tallystick.v1 import money_pb2 as taxed_pb2
from tallystick.v1 import order_pb2

_UNIT: int = 10**NANO_DIGITS
_NOTHING_REMOVED = ("", "0")
_PARTS = ("net", "tax", "shipping", "fees", "tips", "duties", "rounding")

Charge = order_pb2.OrderLine | order_pb2.ShippingLine | order_pb2.Fee


class _Unclear(Exception):
    """Not the simplest case."""


def plainly_sound(order: order_pb2.Order) -> bool:
    """True only when no rule would find anything; False says nothing."""
    try:
        return _Look(order).sound()
    except (_Unclear, UnknownCurrency):
        return False


class _Look:
    """One pass over an order, in whole nanos."""

    def __init__(self, order: order_pb2.Order) -> None:
        self._order = order
        self._currency = order.currency_code
        self._coin = 10 ** (NANO_DIGITS - minor_digits(order.currency_code))
        self._tax = 0

    def sound(self) -> bool:
        order = self._order
        if order.state == order_pb2.ORDER_STATE_UNSPECIFIED or not order.HasField("placed_at"):
            return False
        for paid in order.payments:
            if paid.HasField("amount"):
                self._coins(paid.amount)
        for given in order.discounts:
            if given.HasField("amount"):
                self._nanos(given.amount)
        stated = {field.name: self._coins(value) for field, value in order.totals.ListFields()}
        total = stated.pop("total", 0)
        return (
            self._lines() == stated.get("net", 0)
            and self._charges(order.shipping_lines) == stated.get("shipping", 0)
            and self._charges(order.fees) == stated.get("fees", 0)
            and self._tax == stated.get("tax", 0)
            and sum([stated.get(part, 0) for part in _PARTS]) == total >= 0
        )

    def _lines(self) -> int:
        lines, net, ids = self._order.lines, 0, set()
        for line in lines:
            quantity = line.quantity
            if not quantity.ordered.isdecimal() or not quantity.ordered.strip("0"):
                raise _Unclear
            if quantity.removed_by_edit not in _NOTHING_REMOVED:
                raise _Unclear
            if line.HasField("removed_by_edit") or line.HasField("refunded"):
                raise _Unclear
            if line.HasField("discount"):
                self._coins(line.discount)
            if line.HasField("unit_price"):
                self._nanos(line.unit_price)
            ids.add(line.id)
            net += self._charge(line)
        if len(ids) != len(lines) or "" in ids:
            raise _Unclear
        return net

    def _charges(self, charges: Iterable[order_pb2.ShippingLine | order_pb2.Fee]) -> int:
        return sum([self._charge(charge) for charge in charges])

    def _charge(self, charge: Charge) -> int:
        """Its net; its tax is added up."""
        amounts: taxed_pb2.TaxedAmount = charge.amount
        net, tax = self._coins(amounts.net), self._coins(amounts.tax)
        if net + tax != self._coins(amounts.gross):
            raise _Unclear
        stated = [self._nanos(one.amount) for one in charge.taxes if one.HasField("amount")]
        if stated and sum(stated) != tax:
            raise _Unclear
        self._tax += tax
        return net

    def _coins(self, value: money_pb2.Money) -> int:
        nanos = self._nanos(value)
        if nanos % self._coin:
            raise _Unclear
        return nanos

    def _nanos(self, value: money_pb2.Money) -> int:
        if value.currency_code != self._currency:
            raise _Unclear
        return value.units * _UNIT + value.nanos
