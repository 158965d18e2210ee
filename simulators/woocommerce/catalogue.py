"""What a shop asks for its products: regular price, sale with its dates, and how the API changes them.

Seen on WooCommerce 11.0.1: entries of a batch are not validated and fail one by one; a comma in a price is dropped, so
that 12,50 becomes 1250; a null is no value at all; each save tells `product.updated`, whether anything changed or not.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING, Any

from .errors import ApiError
from .model import Product

if TYPE_CHECKING:
    from .shop import Shop

Json = dict[str, Any]
BATCH_MAX = 100
_NOT_A_PRICE = re.compile(r"[^0-9.\-]")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the journal keeps of a save."""

    regular: str
    sale: str
    #: Publish, draft or private.
    status: str


class Catalogue:
    """The products of one shop beside what its orders need."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        #: Products that share a SKU with another one, as a plugin allows it.
        self.doubles: list[Product] = []
        #: What a plugin makes of a price before it is kept.
        self.keeps: Callable[[Decimal], Decimal] = lambda price: price

    def add_variation(self, parent: Product, sku: str, price: Decimal | str) -> Product:
        """A variation; its parent is a variable product from now on."""
        made = self._shop.add_product(sku, price)
        made.parent, parent.kind = parent.id, "variable"
        return made

    def add_double(self, sku: str, price: Decimal | str) -> Product:
        """A second product with the SKU of another."""
        first = self._shop.products[sku]
        self.doubles.append(self._shop.add_product(sku, price))
        self._shop.products[sku] = first
        return self.doubles[-1]

    @property
    def products(self) -> list[Product]:
        """All of them, variations too."""
        return [*self._shop.products.values(), *self.doubles]

    # ---- what the API shows ------------------------------------------------------------------------------------------

    def listed(self, query: Mapping[str, str]) -> Sequence[Product]:
        """By SKU, several with commas between them, or all. MySQL's usual collation does not look at case."""
        wanted = [sku.strip().casefold() for sku in query.get("sku", "").split(",") if sku]
        return [product for product in self.products if not wanted or product.sku.strip().casefold() in wanted]

    def batch(self, body: Mapping[str, Any], parent: int = 0) -> Json:
        """`POST /products/batch`, or that of the variations of one product."""
        entries = [entry for kind in ("create", "update", "delete") for entry in body.get(kind) or ()]
        if len(entries) > BATCH_MAX:
            message = f"Unable to accept more than {BATCH_MAX} items for this request."
            raise ApiError(413, "woocommerce_rest_request_entity_too_large", message)
        return {"update": [self._entry(entry, parent) for entry in body.get("update") or ()]}

    def _entry(self, entry: Mapping[str, Any], parent: int) -> Json:
        product = next((one for one in self.products if one.id == entry.get("id") and one.parent == parent), None)
        if product is None:
            kind, status = ("product_variation", 404) if parent else ("product", 400)
            refused = ApiError(status, f"woocommerce_rest_{kind}_invalid_id", "Invalid ID.")
            return {"id": entry.get("id"), "error": refused.body}
        self._change(product, entry)
        return self._shop.shape().product(product)

    def _change(self, product: Product, entry: Mapping[str, Any]) -> None:
        given = {name: value for name, value in entry.items() if value is not None}
        if "regular_price" in given and product.kind != "variable":
            product.price = self._price(given["regular_price"]) or Decimal(0)
        if "sale_price" in given and product.kind != "variable":
            product.sale = self._price(given["sale_price"])
        for name in ("from", "to"):
            if f"date_on_sale_{name}_gmt" in given:
                setattr(product, f"sale_{name}", _moment(given[f"date_on_sale_{name}_gmt"]))
        product.name = str(given.get("name", product.name))
        product.status = str(given.get("status", product.status))
        self._shop.storeroom.save(product, given)
        if product.parent:
            product.barcode = str(given.get("global_unique_id", product.barcode))
        asked = Asked(str(product.price), "" if product.sale is None else str(product.sale), product.status)
        self._shop.journal.note("product saved", product.sku, asked)
        self._shop.outbox.owe("product.updated", product.id)

    def _price(self, value: object) -> Decimal | None:
        text = _NOT_A_PRICE.sub("", str(value))
        try:
            return self.keeps(Decimal(text)) if text else None
        except InvalidOperation:
            return None


def on_sale(product: Product, now: datetime) -> bool:
    """Whether the lower price is in force; the end is in."""
    begun = product.sale_from is None or product.sale_from <= now
    return product.sale is not None and begun and (product.sale_to is None or now <= product.sale_to)


def _moment(value: object) -> datetime | None:
    """UTC without an offset; an empty text clears it."""
    return datetime.fromisoformat(str(value)).replace(tzinfo=UTC) if value else None
