"""What a product costs: templates and categories, pricelists and their rules.

Rules are looked at in the vendor's order, and the first that holds decides (card of Odoo, section 8).
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, ClassVar

from ..fields import ACTIVE, Field
from ..model import Model, Values
from ..table import Row

_ZERO = Decimal(0)
_HUNDRED = Decimal(100)
_APPLIED = (
    ("0_product_variant", "Product Variant"),
    ("1_product", "Product"),
    ("2_product_category", "Product Category"),
    ("3_global", "All Products"),
)
_KINDS = (("fixed", "Fixed Price"), ("percentage", "Discount"), ("formula", "Formula"))
_BASES = (("list_price", "Sales Price"), ("standard_price", "Cost"), ("pricelist", "Other Pricelist"))
_SHOWN_ON = (("1_product", "Product"), ("2_product_category", "Category"))
_PRICELIST = (
    Field("name", "char", "Pricelist Name", required=True),
    Field("currency_id", "many2one", "Currency", "res.currency", required=True),
    Field("company_id", "many2one", "Company", "res.company"),
    Field("item_ids", "one2many", "Pricelist Rules", "product.pricelist.item", "pricelist_id"),
    Field("sequence", "integer", "Sequence", default=16),
    ACTIVE,
)
_AMOUNTS = ("price_surcharge", "price_round", "price_min_margin", "price_max_margin")
_RULE = (
    Field("pricelist_id", "many2one", "Pricelist", "product.pricelist", required=True, only=16),
    Field("pricelist_id", "many2one", "Pricelist", "product.pricelist", only=19),
    Field("applied_on", "selection", "Apply On", required=True, selection=_APPLIED, default="3_global"),
    Field(
        "display_applied_on", "selection", "Display Applied On", required=True, selection=_SHOWN_ON,
        default="1_product", only=19,
    ),
    Field("product_id", "many2one", "Product Variant", "product.product"),
    Field("product_tmpl_id", "many2one", "Product", "product.template"),
    Field("categ_id", "many2one", "Product Category", "product.category"),
    Field("compute_price", "selection", "Compute Price", required=True, selection=_KINDS, default="fixed"),
    Field("fixed_price", "float", "Fixed Price", digits=2, default=_ZERO, only=16),
    Field("fixed_price", "float", "Fixed Price", default=_ZERO, only=19),
    Field("percent_price", "float", "Percentage Price", default=_ZERO),
    Field("base", "selection", "Based on", required=True, selection=_BASES, default="list_price"),
    Field("base_pricelist_id", "many2one", "Other Pricelist", "product.pricelist"),
    Field("price_discount", "float", "Price Discount", digits=2, default=_ZERO),
    *(Field(name, "float", name.replace("_", " ").title(), digits=2, default=_ZERO, only=16) for name in _AMOUNTS),
    *(Field(name, "float", name.replace("_", " ").title(), default=_ZERO, only=19) for name in _AMOUNTS),
    Field("min_quantity", "float", "Min. Quantity", digits=2, default=_ZERO),
    Field("date_start", "datetime", "Start Date"),
    Field("date_end", "datetime", "End Date"),
)  # fmt: skip


class Categories(Model):
    """product.category: a tree."""

    name: ClassVar[str] = "product.category"
    label: ClassVar[str] = "Product Category"
    declared: ClassVar[Sequence[Field]] = (
        Field("name", "char", "Name", required=True),
        Field("parent_id", "many2one", "Parent Category", "product.category"),
        Field("complete_name", "char", "Complete Name", readonly=True, computed=True),
        Field("parent_path", "char", "Parent Path", readonly=True, computed=True),
    )

    def path(self, row_id: int | None) -> list[int]:
        """From the root down to the category."""
        found: list[int] = []
        while row_id is not None:
            found.insert(0, row_id)
            row_id = self.table.rows[row_id].get("parent_id")
        return found

    def compute(self, field: str, row: Row) -> Any:
        path = self.path(row["id"])
        if field == "parent_path":
            return "".join(f"{one}/" for one in path)
        return " / ".join(self.table.rows[one]["name"] for one in path)

    def display_name(self, row_id: int) -> str:
        return str(self.compute("complete_name", self.table.rows[row_id]))


class Templates(Model):
    """product.template: what variants share. The double keeps all of it but the category on the variants."""

    name: ClassVar[str] = "product.template"
    label: ClassVar[str] = "Product"
    declared: ClassVar[Sequence[Field]] = (
        Field("name", "char", "Name", required=True),
        Field("categ_id", "many2one", "Product Category", "product.category", required=True, only=16),
        Field("categ_id", "many2one", "Product Category", "product.category", only=19),
        ACTIVE,
    )

    def fill(self, row: Row, given: Values) -> None:
        row.setdefault("categ_id", next(iter(self.db.models["product.category"].table.rows)))


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
    """product.pricelist.item."""

    name: ClassVar[str] = "product.pricelist.item"
    label: ClassVar[str] = "Pricelist Rule"
    order: ClassVar[str] = "applied_on, min_quantity desc, categ_id desc, id desc"
    declared: ClassVar[Sequence[Field]] = _RULE
    rec_name: ClassVar[str] = "compute_price"

    def fill(self, row: Row, given: Values) -> None:
        if row.get("product_id") and "applied_on" not in given:
            row["applied_on"] = "0_product_variant"
        if self.db.version >= 17 and row.get("product_id") and not row.get("product_tmpl_id"):
            row["product_tmpl_id"] = self.db.models["product.product"].table.rows[row["product_id"]]["product_tmpl_id"]

    def price(self, pricelist: int | None, product: Row, quantity: Decimal, at: datetime) -> Decimal:
        """What the pricelist asks for a product; its list price where no rule is met."""
        for rule in self._rules(pricelist):
            if rule["min_quantity"] <= quantity and _holds(rule, at) and self._meets(rule, product):
                return self._asked(rule, product, quantity, at)
        return _listed(product)

    def _rules(self, pricelist: int | None) -> Iterator[Row]:
        if pricelist is not None:
            for row_id in self.sorted(self.table.matching("pricelist_id", pricelist)):
                yield self.table.rows[row_id]

    def _meets(self, rule: Row, product: Row) -> bool:
        match rule["applied_on"]:
            case "0_product_variant":
                return bool(rule["product_id"] == product["id"])
            case "1_product":
                return bool(rule["product_tmpl_id"] == product["product_tmpl_id"])
            case "2_product_category":
                categories = self.db.models["product.category"]
                assert isinstance(categories, Categories)
                template = self.db.models["product.template"].table.rows[product["product_tmpl_id"]]
                return rule["categ_id"] in categories.path(template["categ_id"])
        return True

    def _asked(self, rule: Row, product: Row, quantity: Decimal, at: datetime) -> Decimal:
        if rule["compute_price"] == "fixed":
            return Decimal(rule["fixed_price"])
        base = _listed(product)
        if rule["base"] == "pricelist":
            base = self.price(rule["base_pricelist_id"], product, quantity, at)
        if rule["compute_price"] == "percentage":
            return base - base * Decimal(rule["percent_price"]) / _HUNDRED
        return _formula(rule, base)


def _listed(product: Row) -> Decimal:
    return Decimal(product.get("list_price") or _ZERO) + Decimal(product.get("price_extra") or _ZERO)


def _formula(rule: Row, base: Decimal) -> Decimal:
    """Discount, rounding to a multiple, surcharge, and what is earned at least and at most on the base."""
    amounts = ("price_discount", *_AMOUNTS)
    discount, surcharge, multiple, at_least, at_most = (Decimal(rule[name]) for name in amounts)
    price = base - base * discount / _HUNDRED
    if multiple:
        price = (price / multiple).quantize(Decimal(1), ROUND_HALF_UP) * multiple
    price = max(price + surcharge, base + at_least) if at_least else price + surcharge
    return min(price, base + at_most) if at_most else price


def _holds(rule: Row, at: datetime) -> bool:
    """Both ends are in, to the second."""
    start, end, second = rule.get("date_start"), rule.get("date_end"), at.replace(microsecond=0)
    return (start is None or start <= second) and (end is None or second <= end)
