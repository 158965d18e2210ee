"""product.product and the pricelists, as far as an order line asks them."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from .model import Model, Values
from .table import Row

_ZERO = Decimal(0)


class Products(Model):
    """Variants. Shown as "[internal reference] name", and found by the reference too."""

    def fill(self, row: Row, given: Values) -> None:
        row.setdefault("uom_id", 1)
        if "taxes_id" not in given:
            default = self.db.models["res.company"].table.rows[1].get("account_sale_tax_id")
            row["taxes_id"] = (default,) if default else ()

    def compute(self, field: str, row: Row) -> Any:
        if field == "lst_price":
            return row.get("list_price")
        if field == "currency_id":
            return self.db.models["res.company"].table.rows[1]["currency_id"]
        return self.display_name(row["id"])

    def display_name(self, row_id: int) -> str:
        row = self.table.rows[row_id]
        code = row.get("default_code")
        return f"[{code}] {row['name']}" if code else str(row["name"])

    def name_search(
        self, name: str = "", args: Sequence[Any] = (), operator: str = "ilike", limit: int = 100
    ) -> list[list[Any]]:
        for field in ("default_code", "barcode"):
            found = self.search([*args, (field, "=", name)], limit=limit) if name else []
            if found:
                return [[row_id, self.display_name(row_id)] for row_id in found]
        return super().name_search(name, args, operator, limit)


class Pricelists(Model):
    """An order takes its currency from one."""

    def display_name(self, row_id: int) -> str:
        row = self.table.rows[row_id]
        currency = self.db.models["res.currency"].table.rows[row["currency_id"]]["name"]
        return f"{row['name']} ({currency})"


class PricelistRules(Model):
    """product.pricelist.item: fixed prices and percentages of variants."""

    rec_name: ClassVar[str] = "applied_on"

    def price(self, pricelist: int | None, product: Row, quantity: Decimal, at: datetime) -> Decimal:
        """What the pricelist asks for a product; its list price where no rule is met."""
        listed: Decimal = product.get("list_price") or _ZERO
        for row_id in self.table.matching("pricelist_id", pricelist) if pricelist else ():
            rule = self.table.rows[row_id]
            if rule["product_id"] == product["id"] and rule["min_quantity"] <= quantity and _holds(rule, at):
                fixed = rule["compute_price"] == "fixed"
                return Decimal(rule["fixed_price"] if fixed else listed - listed * rule["percent_price"] / 100)
        return listed


def _holds(rule: Row, at: datetime) -> bool:
    start, end = rule.get("date_start"), rule.get("date_end")
    return (start is None or start <= at) and (end is None or at <= end)
