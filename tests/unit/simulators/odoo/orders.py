"""Orders as rows of a load, and a clock that only the test moves."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from simulators.odoo import Odoo, Order

MODULE = "__tallystick__"
BUYER = "customer_1"


class Clock:
    """For the server; two readings never agree, like those of a real one."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 23, 3, 9, 10, 972538, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.moment

    def forward(self, seconds: float = 1) -> None:
        self.moment += timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Sold:
    """One line. `taxes` are those of the demo company, such as "19_included", with commas between them."""

    product: str = "MUG"
    quantity: str = "1"
    price: str = "10"
    taxes: str = "19_excluded"
    discount: str = "0"
    key: str = ""


def load(odoo: Odoo, *orders: tuple[str, Sequence[Sold]], currency: str = "eur", **head: str) -> Any:
    """Load orders by the names `so_<key>`; each line is named by its place unless it has a key."""
    tax_field = "tax_id" if odoo.settings.major == 16 else "tax_ids"
    columns = ["id", "partner_id/id", "client_order_ref", "pricelist_id/id", *head]
    columns += [f"order_line/{name}" for name in ("id", "product_id", "product_uom_qty", "price_unit", "discount")]
    rows = [row for key, lines in orders for row in _rows(key, lines, currency, list(head.values()))]
    return odoo.act("sale.order", "load", [*columns, f"order_line/{tax_field}/id"], rows, context={"tz": "UTC"})


def _rows(key: str, lines: Sequence[Sold], currency: str, head: Sequence[str]) -> list[list[str]]:
    first = [f"{MODULE}.so_{key}", f"{MODULE}.{BUYER}", f"R-{key}", f"tallystick_demo.pricelist_{currency}", *head]
    found = []
    for place, line in enumerate(lines):
        taxes = ",".join(f"tallystick_demo.tax_{tax}" for tax in line.taxes.split(",") if tax)
        name = f"{MODULE}.sol_{key}_{line.key or place}"
        cells = [name, line.product, line.quantity, line.price, line.discount, taxes]
        found.append([*(first if place == 0 else [""] * len(first)), *cells])
    return found


def loaded(odoo: Odoo, key: str = "1", *lines: Sold, **options: str) -> Order:
    """Load one order, which has to succeed."""
    answer = load(odoo, (key, lines or [Sold()]), **options)
    assert isinstance(answer["ids"], list), answer
    return odoo.order(f"{MODULE}.so_{key}")


def sums(order: Order) -> tuple[Decimal, Decimal, Decimal]:
    """Untaxed, tax, total."""
    return order.amount_untaxed, order.amount_tax, order.amount_total


def money(*amounts: str) -> tuple[Decimal, ...]:
    return tuple(Decimal(amount) for amount in amounts)
