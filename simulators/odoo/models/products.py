"""product.product, as far as orders, stock and prices ask it."""

from collections.abc import Sequence
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
    Field("price_extra", "float", "Variant Price Extra", readonly=True, store=False, default=_ZERO),
    Field("lst_price", "float", "Sales Price", digits=2, store=False, computed=True, only=16),
    Field("lst_price", "float", "Sales Price", store=False, computed=True, only=19),
    Field("product_tmpl_id", "many2one", "Product Template", "product.template", required=True),
    Field(
        "categ_id", "many2one", "Product Category", "product.category", required=True, store=False, computed=True,
        only=16,
    ),
    Field("categ_id", "many2one", "Product Category", "product.category", store=False, computed=True, only=19),
    Field("taxes_id", "many2many", "Customer Taxes", "account.tax", store=False, only=16),
    Field("taxes_id", "many2many", "Sales Taxes", "account.tax", store=False, only=19),
    Field("uom_id", "many2one", "Unit of Measure", "uom.uom", required=True, store=False, only=16),
    Field("uom_id", "many2one", "Unit", "uom.uom", required=True, store=False, only=19),
    Field("description_sale", "text", "Sales Description", store=False),
    Field("sale_ok", "boolean", "Can be Sold", store=False, default=True, only=16),
    Field("sale_ok", "boolean", "Sales", store=False, default=True, only=19),
    Field("currency_id", "many2one", "Currency", "res.currency", readonly=True, store=False, computed=True),
    ACTIVE,
)  # fmt: skip


class Products(Model):
    """Variants. Shown as "[internal reference] name", and found by the reference too."""

    name: ClassVar[str] = "product.product"
    label: ClassVar[str] = "Product Variant"
    order: ClassVar[str] = "default_code, name, id"
    declared: ClassVar[Sequence[Field]] = _PRODUCT

    def fill(self, row: Row, given: Values) -> None:
        row.setdefault("uom_id", 1)
        if not row.get("product_tmpl_id"):
            row["product_tmpl_id"] = self.db.models["product.template"].create_one({"name": row["name"]})
        if "taxes_id" not in given:
            default = self.db.models["res.company"].table.rows[1].get("account_sale_tax_id")
            row["taxes_id"] = (default,) if default else ()

    def changed(self, row_id: int, given: Values, before: Row | None) -> None:
        """What variants share is written to their template."""
        if before is not None:
            template = self.db.models["product.template"].table
            template.update(self.table.rows[row_id]["product_tmpl_id"], {"write_date": self.db.now})

    def compute(self, field: str, row: Row) -> Any:
        if field == "lst_price":
            return row["list_price"] + row["price_extra"]
        if field == "categ_id":
            return self.db.models["product.template"].table.rows[row["product_tmpl_id"]]["categ_id"]
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
