"""WooCommerce's amounts: exact texts, whole minor units, and what cannot be read is a finding, never zero."""

from dataclasses import dataclass, field
from decimal import ROUND_HALF_UP, Decimal

from google.type import money_pb2

from tallystick.canonical.money import UnknownCurrency, minor_digits, money, parse_amount, quantise
from tallystick.canonical.quantities import quantity_text
from tallystick.errors import Unreadable
from tallystick.reasons import HoldReason
from tallystick.v1 import event_pb2
from tallystick.v1 import money_pb2 as taxed_pb2

from .fields import Json, text


@dataclass(slots=True)
class Amounts:
    """Reads the amounts of one order.

    A shop may show more decimals than its currency has (yen with two, or the parameter `dp=6`), so each amount is
    brought to whole minor units by the shop's own rule: 0.131774 CHF is 0.13.
    """

    currency: str
    #: The rounding of `decimal` for taxes; everything else goes half up, as PHP's `round` does.
    tax_mode: str
    findings: list[event_pb2.Finding] = field(default_factory=list)

    @property
    def sound(self) -> bool:
        """Whether the currency is one that money can be in."""
        try:
            minor_digits(self.currency)
        except UnknownCurrency:
            return False
        return True

    def exact(self, row: Json, key: str, where: str) -> Decimal | None:
        """The amount as stated; a missing or empty one is zero, an unreadable one None with a finding."""
        stated = row.get(key)
        if stated is None or stated == "":
            return Decimal(0)
        try:
            return parse_amount(stated)
        except Unreadable:
            self.find(f"unreadable money: {where} states {key} as {_shown(stated)}; correct it in the shop")
        return None

    def read(self, row: Json, key: str, where: str) -> Decimal | None:
        """The amount in whole minor units."""
        exact = self.exact(row, key, where)
        rounding = self.tax_mode if "tax" in key else ROUND_HALF_UP
        return None if exact is None or not self.sound else quantise(exact, self.currency, rounding)

    def money(self, value: Decimal | None) -> money_pb2.Money | None:
        """None where there is no readable amount, so that the field stays unset."""
        return None if value is None or not self.sound else money(self.currency, value)

    def taxed(self, net: Decimal | None, tax: Decimal | None) -> taxed_pb2.TaxedAmount:
        """The three readings, as far as they are known."""
        gross = None if net is None or tax is None else net + tax
        return taxed_pb2.TaxedAmount(net=self.money(net), tax=self.money(tax), gross=self.money(gross))

    def quantity(self, row: Json, where: str) -> Decimal | None:
        """The quantity of a line; plugins allow fractions."""
        try:
            return parse_amount(row.get("quantity"))
        except Unreadable:
            self.find(f"{where} states its quantity as {_shown(row.get('quantity'))}; correct it in the shop")
        return None

    def find(self, detail: str) -> None:
        """Something in the order that stops it from being booked."""
        self.findings.append(event_pb2.Finding(reason=HoldReason.DATA, detail=detail))


def quantity(value: Decimal | None) -> str:
    """The canonical text, empty where none could be read."""
    return "" if value is None else quantity_text(value)


def _shown(stated: object) -> str:
    return repr(text(stated)[:40]) if text(stated) else f"a JSON {type(stated).__name__}"
