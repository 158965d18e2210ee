"""product.product and the pricelists, as far as an order line asks them."""

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from ..fields import ACTIVE, ONE, Field
from ..model import Model, Values
from ..table import Row

_ZERO = Decimal(0)
_TYPES_16 = (("consu", "Consumable"), ("service", "Service"), ("product", "Storable Product"))
_TYPES = (("consu", "Goods"), ("service", "Service"), ("combo", "Combo"))
_PRODUCT = (
    Field("name", "char", "Name", required=True, store=False),
    Field("default_code", "char", "Internal Reference"),
    Field("barcode", "char", "Barcode"),
    Field("type", "selection", "Type", selection=_TYPES_16, store=False, default="consu", only=16),
    Field("type", "selection", "Product Type", required=True, selection=_TYPES, store=False, default="consu", only=19),
    Field("is_storable", "boolean", "Track Inventory", store=False, default=False, only=19),
    Field("list_price", "float", "Sales Price", digits=2, store=False, default=ONE, only=16),
    Field("list_price", "float", "Sales Price", store=False, default=ONE, only=19),
    Field("lst_price", "float", "Sales Price", digits=2, store=False, computed=True, only=16),
    Field("lst_price", "float", "Sales Price", store=False, computed=True, only=19),
    Field("taxes_id", "many2many", "Customer Taxes", "account.tax", store=False, only=16),
    Field("taxes_id", "many2many", "Sales Taxes", "account.tax", store=False, only=19),
    Field("uom_id", "many2one", "Unit of Measure", "uom.uom", required=True, store=False, only=16),
    Field("uom_id", "many2one", "Unit", "uom.uom", required=True, store=False, only=19),
    Field("description_sale", "text", "Sales Description", store=False),
    Field("sale_ok", "boolean", "Can be Sold", store=False, default=True, only=16),
    Field("sale_ok", "boolean", "Sales", store=False, default=True, only=19),
    Field("currency_id", "many2one", "Currency", "res.currency", readonly=True, store=False, computed=True),
    ACTIVE,
)
_PRICELIST = (
    Field("name", "char", "Pricelist Name", required=True),
    Field("currency_id", "many2one", "Currency", "res.currency", required=True),
    Field("company_id", "many2one", "Company", "res.company"),
    Field("item_ids", "one2many", "Pricelist Rules", "product.pricelist.item", "pricelist_id"),
    Field("sequence", "integer", "Sequence", default=16),
    ACTIVE,
)
# The vendor has rules for templates, categories and everything; an order line asks for its variant here.
_APPLIED = (("0_product_variant", "Product Variant"),)
_RULE_KINDS = (("fixed", "Fixed Price"), ("percentage", "Discount"))
_RULE = (
    Field("pricelist_id", "many2one", "Pricelist", "product.pricelist", required=True, only=16),
    Field("pricelist_id", "many2one", "Pricelist", "product.pricelist", only=19),
    Field("applied_on", "selection", "Apply On", required=True, selection=_APPLIED, default="0_product_variant"),
    Field("product_id", "many2one", "Product Variant", "product.product"),
    Field("compute_price", "selection", "Compute Price", required=True, selection=_RULE_KINDS, default="fixed"),
    Field("fixed_price", "float", "Fixed Price", digits=2, default=Decimal(0), only=16),
    Field("fixed_price", "float", "Fixed Price", default=Decimal(0), only=19),
    Field("percent_price", "float", "Percentage Price", default=Decimal(0)),
    Field("min_quantity", "float", "Min. Quantity", digits=2, default=Decimal(0)),
    Field("date_start", "datetime", "Start Date"),
    Field("date_end", "datetime", "End Date"),
)


class Products(Model):
    """Variants. Shown as "[internal reference] name", and found by the reference too."""

    name: ClassVar[str] = "product.product"
    label: ClassVar[str] = "Product Variant"
    order: ClassVar[str] = "default_code, name, id"
    declared: ClassVar[Sequence[Field]] = _PRODUCT

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

    name: ClassVar[str] = "product.pricelist"
    label: ClassVar[str] = "Pricelist"
    order: ClassVar[str] = "sequence, id"
    declared: ClassVar[Sequence[Field]] = _PRICELIST

    def display_name(self, row_id: int) -> str:
        row = self.table.rows[row_id]
        currency = self.db.models["res.currency"].table.rows[row["currency_id"]]["name"]
        return f"{row['name']} ({currency})"


class PricelistRules(Model):
    """product.pricelist.item: fixed prices and percentages of variants."""

    name: ClassVar[str] = "product.pricelist.item"
    label: ClassVar[str] = "Pricelist Rule"
    order: ClassVar[str] = "min_quantity desc, id desc"
    declared: ClassVar[Sequence[Field]] = _RULE
    rec_name: ClassVar[str] = "compute_price"

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
