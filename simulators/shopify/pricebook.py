"""What a shop asks for its variants, in its own currency and in price lists of markets and companies.

Error codes are those of the schema of 2026-07; a mutation of several variants is all or nothing.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from simulators.shopify.stockroom import INPUT_MAX, Variant

if TYPE_CHECKING:
    from simulators.shopify.shop import Shop

Json = dict[str, Any]
_VARIANT_ID = re.compile(r"variant_id:(\d+)")


@dataclass(slots=True)
class Product:
    """What variants share."""

    id: int
    title: str
    status: str = "ACTIVE"


@dataclass(slots=True)
class Tag:
    """What one variant shows."""

    product: Product
    price: Decimal = Decimal(0)
    compare_at: Decimal | None = None
    barcode: str = ""


@dataclass(slots=True)
class PriceList:
    """Fixed prices by variant."""

    id: int
    currency: str
    prices: dict[int, Decimal] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the journal keeps of a change."""

    price: str
    compare_at: str
    barcode: str


class PriceBook:
    """The prices of one shop; variants are those of its stockroom."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self._tags: dict[int, Tag] = {}
        self.lists: dict[int, PriceList] = {}
        #: What an app of somebody else makes of a price before it is kept.
        self.keeps: Callable[[Decimal], Decimal] = lambda price: price
        self._last_id = 61_000_000_000_000
        self.roots: dict[str, Callable[[Mapping[str, Any]], Any]] = {
            "priceList": self._shown_list,
            "productVariantsBulkUpdate": self._update_variants,
            "productUpdate": self._update_product,
            "priceListFixedPricesAdd": self._add_fixed,
        }

    # ---- what staff does ---------------------------------------------------------------------------------------------

    def add(self, sku: str, price: str, *, title: str = "", beside: str = "") -> Variant:
        """A variant that is not counted, of a product of its own or of that of another SKU."""
        made = self._shop.stockroom.add(sku, tracked=False)
        product = self.tag(beside).product if beside else Product(self._next_id(), title or sku.title())
        self._tags[made.id] = Tag(product, Decimal(price))
        return made

    def add_list(self, currency: str) -> PriceList:
        """A price list of a market or of companies."""
        made = PriceList(self._next_id(), currency)
        self.lists[made.id] = made
        return made

    def tag(self, sku: str) -> Tag:
        """What the first variant of that SKU shows. Raises LookupError."""
        found = next((one for one in self._shop.stockroom.variants if one.sku == sku), None)
        if found is None:
            raise LookupError(f"this shop has nothing with the SKU {sku!r}")
        return self._tag(found)

    def remove(self, sku: str) -> None:
        """The variant is deleted."""
        room = self._shop.stockroom
        room.variants = [one for one in room.variants if one.sku != sku]

    # ---- what the API shows ------------------------------------------------------------------------------------------

    def _tag(self, variant: Variant) -> Tag:
        if variant.id not in self._tags:
            self._tags[variant.id] = Tag(Product(self._next_id(), variant.sku))
        return self._tags[variant.id]

    def node(self, variant_id: int) -> Json | None:
        variant = self._variant(variant_id)
        if variant is None:
            return None
        tag = self._tag(variant)
        return {
            "__typename": "ProductVariant",
            "id": _gid("ProductVariant", variant.id),
            "sku": variant.sku,
            "price": f"{tag.price:f}",
            "compareAtPrice": None if tag.compare_at is None else f"{tag.compare_at:f}",
            "barcode": tag.barcode or None,
            "product": self._product(tag.product),
        }

    def _product(self, product: Product) -> Json:
        number = sum(self._tag(one).product is product for one in self._shop.stockroom.variants)
        return {
            "__typename": "Product",
            "id": _gid("Product", product.id),
            "title": product.title,
            "status": product.status,
            "variantsCount": {"__typename": "Count", "count": number},
        }

    def _variant(self, variant_id: int) -> Variant | None:
        return next((one for one in self._shop.stockroom.variants if one.id == variant_id), None)

    def _shown_list(self, values: Mapping[str, Any]) -> Json | None:
        found = self.lists.get(_number(values["id"]))
        if found is None:
            return None
        wanted = {int(one) for one in _VARIANT_ID.findall(values["query"])}
        prices = [_fixed(one, found) for one in found.prices if one in wanted]
        return {"__typename": "PriceList", "prices": {"nodes": prices[: values["first"]]}}

    # ---- mutations ---------------------------------------------------------------------------------------------------

    def _update_variants(self, values: Mapping[str, Any]) -> Json:
        asked: Sequence[Json] = values["variants"]
        errors = self._of_product(_number(values["productId"]), asked)
        if errors:
            return {"productVariants": None, "userErrors": errors}
        for one in asked:
            self._apply(one)
        return {"productVariants": [self.node(_number(one["id"])) for one in asked], "userErrors": []}

    def _of_product(self, product_id: int, asked: Sequence[Json]) -> list[Json]:
        if len(asked) > INPUT_MAX:
            return [_error("The input array size is too large.", "INVALID_INPUT", "variants")]
        known = {tag.product.id for tag in map(self._tag, self._shop.stockroom.variants)}
        if product_id not in known:
            return [_error("Product does not exist", "PRODUCT_DOES_NOT_EXIST", "productId")]
        return [error for at, one in enumerate(asked) for error in self._of_variant(product_id, at, one)]

    def _of_variant(self, product_id: int, at: int, one: Json) -> list[Json]:
        variant = self._variant(_number(one["id"]))
        if variant is None or self._tag(variant).product.id != product_id:
            words = "Product variant does not exist"
            return [_error(words, "PRODUCT_VARIANT_DOES_NOT_EXIST", "variants", str(at), "id")]
        if Decimal(one.get("price") or 0) < 0:
            words = "Price must be greater than or equal to 0"
            return [_error(words, "GREATER_THAN_OR_EQUAL_TO", "variants", str(at), "price")]
        return []

    def _apply(self, one: Json) -> None:
        variant = self._variant(_number(one["id"]))
        assert variant is not None
        tag = self._tag(variant)
        if "price" in one:
            tag.price = self.keeps(Decimal(one["price"]))
        if "compareAtPrice" in one:
            tag.compare_at = None if one["compareAtPrice"] is None else Decimal(one["compareAtPrice"])
        if "barcode" in one:
            tag.barcode = one["barcode"] or ""
        shown = Asked(f"{tag.price:f}", "" if tag.compare_at is None else f"{tag.compare_at:f}", tag.barcode)
        self._shop.journal.note("price set", variant.sku, shown)

    def _update_product(self, values: Mapping[str, Any]) -> Json:
        asked = values["product"]
        products = {tag.product.id: tag.product for tag in map(self._tag, self._shop.stockroom.variants)}
        product = products.get(_number(asked["id"]))
        if product is None:
            return {"product": None, "userErrors": [{"field": ["id"], "message": "Product does not exist"}]}
        product.title = asked.get("title", product.title)
        product.status = asked.get("status", product.status)
        self._shop.journal.note("product changed", str(product.id), (product.title, product.status))
        return {"product": self._product(product), "userErrors": []}

    def _add_fixed(self, values: Mapping[str, Any]) -> Json:
        found, asked = self.lists.get(_number(values["priceListId"])), values["prices"]
        if found is None:
            error = _error("Price list does not exist.", "PRICE_LIST_NOT_FOUND", "priceListId")
            return {"prices": None, "userErrors": [error]}
        errors = [error for at, one in enumerate(asked) for error in self._of_fixed(found, at, one)]
        if errors:
            return {"prices": None, "userErrors": errors}
        for one in asked:
            found.prices[_number(one["variantId"])] = Decimal(one["price"]["amount"])
            self._shop.journal.note("fixed price", one["variantId"], (found.id, one["price"]["amount"]))
        return {"prices": [_fixed(_number(one["variantId"]), found) for one in asked], "userErrors": []}

    def _of_fixed(self, found: PriceList, at: int, one: Json) -> list[Json]:
        if one["price"]["currencyCode"] != found.currency:
            words = "The specified currency does not match the price list's currency."
            return [_error(words, "PRICE_LIST_CURRENCY_MISMATCH", "prices", str(at), "price", "currencyCode")]
        if self._variant(_number(one["variantId"])) is None:
            return [_error("Variant does not exist.", "VARIANT_NOT_FOUND", "prices", str(at), "variantId")]
        return []

    def _next_id(self) -> int:
        self._last_id += 10
        return self._last_id


def _fixed(variant_id: int, found: PriceList) -> Json:
    return {
        "__typename": "PriceListPrice",
        "price": {"amount": f"{found.prices[variant_id]:f}", "currencyCode": found.currency},
        "variant": {"__typename": "ProductVariant", "id": _gid("ProductVariant", variant_id)},
    }


def _gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def _number(gid: str) -> int:
    return int(gid.rpartition("/")[2].partition("?")[0])


def _error(message: str, code: str, *path: str) -> Json:
    return {"field": list(path), "message": message, "code": code}
