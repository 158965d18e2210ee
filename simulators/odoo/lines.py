"""sale.order.line: what is sold, at what price, with which taxes."""

from collections.abc import Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from . import errors
from .model import Model, Values
from .products import PricelistRules
from .table import Row
from .taxes import Amounts, Arithmetic, Priced, Tax

if TYPE_CHECKING:
    from .sale import SaleOrders

_ONE = Decimal(1)


class SaleOrderLines(Model):
    """Lines. What nobody sends comes from the product."""

    @property
    def orders(self) -> "SaleOrders":
        """The model of the orders."""
        return self.db.models["sale.order"]  # type: ignore[return-value]

    @property
    def tax_field(self) -> str:
        """Renamed in Odoo 17 and later."""
        return "tax_id" if self.db.version < 17 else "tax_ids"

    @property
    def unit_field(self) -> str:
        """Renamed in Odoo 17 and later."""
        return "product_uom" if self.db.version < 17 else "product_uom_id"

    @property
    def _guarded(self) -> frozenset[str]:
        """What a locked order keeps."""
        return frozenset({"product_id", "name", "price_unit", "product_uom_qty", self.tax_field, self.unit_field})

    # ---- values ------------------------------------------------------------------------------------------------------

    def fill(self, row: Row, given: Values) -> None:
        row.setdefault("product_uom_qty", _ONE)
        if row.get("display_type"):
            return
        product = self.db.models["product.product"].table.rows.get(row.get("product_id") or 0)
        if product is None:
            raise errors.validation_error("Missing required fields on accountable sale order line.")
        if not row.get("name"):
            shown = self.db.models["product.product"].display_name(product["id"])
            row["name"] = "\n".join(part for part in (shown, product.get("description_sale")) if part)
        row[self.unit_field] = row.get(self.unit_field) or product["uom_id"]
        if self.tax_field not in given:
            row[self.tax_field] = product.get("taxes_id", ())
        if "price_unit" not in given:
            row["price_unit"] = self._listed(row, product)

    def _listed(self, row: Row, product: Row) -> Decimal:
        rules: PricelistRules = self.db.models["product.pricelist.item"]  # type: ignore[assignment]
        order = self.orders.table.rows.get(row.get("order_id") or 0, {})
        return rules.price(order.get("pricelist_id"), product, row["product_uom_qty"], self.db.now)

    def write_one(self, row_id: int, values: Values) -> None:
        order = self.table.rows[row_id]["order_id"]
        refused = [name for name in self._guarded if name in values and self._differs(row_id, name, values[name])]
        if refused and self.orders.is_locked(order):
            labels = "\n".join(sorted(self.fields[name].label for name in refused))
            raise errors.user_error(f"It is forbidden to modify the following fields in a locked order:\n{labels}")
        super().write_one(row_id, values)
        self.orders.touched(order)

    def changed(self, row_id: int, given: Values, *, new: bool) -> None:
        order = self.table.rows[row_id]["order_id"]
        self.orders.touched(order)
        self.db.note("updated", self.orders.name, order)

    def removing(self, ids: Sequence[int]) -> None:
        for row_id in ids:
            order = self.table.rows[row_id]["order_id"]
            if self.orders.table.rows[order]["state"] in ("sale", "done") and not self._is_text(row_id):
                raise errors.user_error(
                    "You can not remove an order line once the sales order is confirmed.\n"
                    "You should rather set the quantity to 0."
                )
            self.orders.touched(order)
            self.db.note("updated", self.orders.name, order)

    def _is_text(self, row_id: int) -> bool:
        return bool(self.table.rows[row_id].get("display_type"))

    def compute(self, field: str, row: Row) -> Any:
        order = self.orders.table.rows[row["order_id"]]
        if field == "order_partner_id":
            return order["partner_id"]
        if field == "display_name":
            return f"{order['name']} - {str(row['name']).partition(chr(10))[0]}"
        return order.get(field)

    # ---- amounts -----------------------------------------------------------------------------------------------------

    def goods(self, order_id: int) -> list[Row]:
        """Lines that somebody has to pick."""
        products = self.db.models["product.product"].table.rows
        rows = [self.table.rows[row_id] for row_id in self.table.matching("order_id", order_id)]
        return [
            row
            for row in rows
            if row.get("product_id") and row["product_uom_qty"] > 0 and products[row["product_id"]]["type"] != "service"
        ]

    def totals(self, order_id: int) -> Row:
        """Work out every line, and give the sums of the order."""
        arithmetic = self._arithmetic(order_id)
        priced: list[Priced] = []
        for row_id in self.table.matching("order_id", order_id):
            row = self.table.rows[row_id]
            if not row.get("display_type"):
                priced.append(self._priced(row))
                self._keep(row, arithmetic.line(priced[-1]))
        amounts = arithmetic.document(priced)
        return {
            "amount_untaxed": amounts.untaxed,
            "amount_tax": amounts.tax,
            "amount_total": amounts.untaxed + amounts.tax,
        }

    def _arithmetic(self, order_id: int) -> Arithmetic:
        order = self.orders.table.rows[order_id]
        currency = self.db.models["res.currency"].table.rows[order["currency_id"]]
        company = self.db.models["res.company"].table.rows[order["company_id"]]
        globally = company["tax_calculation_rounding_method"] == "round_globally"
        return Arithmetic(self.db.version, Decimal(1).scaleb(-currency["decimal_places"]), globally=globally)

    def _priced(self, row: Row) -> Priced:
        taxes = self.db.models["account.tax"].table.rows
        found = [
            Tax(one, taxes[one]["amount"], bool(taxes[one].get("price_include")))
            for one in self.db.models["account.tax"].sorted(row.get(self.tax_field) or ())
        ]
        return Priced(row["price_unit"], row["product_uom_qty"], row["discount"], found)

    def _keep(self, row: Row, amounts: Amounts) -> None:
        found = {
            "price_subtotal": amounts.untaxed,
            "price_tax": amounts.tax,
            "price_total": amounts.untaxed + amounts.tax,
        }
        if any(row.get(name) != value for name, value in found.items()):
            self.table.update(row["id"], found)

    def _differs(self, row_id: int, name: str, value: Any) -> bool:
        """Whether a written value is another one."""
        given, to_many = self._taken({name: value})
        if to_many:
            field, commands = next(iter(to_many.items()))
            return self._linked(field, row_id, commands or [(5,)]) != self.table.rows[row_id].get(name)
        return bool(given[name] != self.table.rows[row_id].get(name))
