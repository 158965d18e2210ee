"""What a shop asks for a SKU, and what is asked for that.

A variant is found by its SKU, which nothing keeps unique; the search knows neither case nor surrounding space, and its
index lags. So what it finds is compared, and its prices are read from the variants themselves.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from adapters.shopify.client import ShopifyClient
from adapters.shopify.fields import Json, count, decimal, identifier, objects, part, text
from tallystick.clock import Clock

#: SKUs of one search, and variants of one page: twice as many, so that doubled SKUs rarely need another one.
SKUS = 100
VARIANTS = 200
#: Entries of an input array (Shopify, "API limits").
IDS = 250
_CURRENCY_TTL_S = 600.0

READ_CURRENCY = """query ReadCurrency {
  shop { currencyCode }
}
"""

FIND_VARIANTS = """query FindVariants($query: String!, $first: Int!, $after: String) {
  productVariants(first: $first, after: $after, query: $query) {
    nodes { id sku }
    pageInfo { hasNextPage endCursor }
  }
}
"""

READ_VARIANTS = """query ReadVariants($ids: [ID!]!) {
  nodes(ids: $ids) {
    ... on ProductVariant {
      id sku price compareAtPrice barcode
      product { id title status variantsCount { count } }
    }
  }
}
"""

READ_FIXED_PRICES = """query ReadFixedPrices($id: ID!, $query: String!, $first: Int!) {
  priceList(id: $id) {
    prices(first: $first, originType: FIXED, query: $query) {
      nodes { price { amount currencyCode } variant { id } }
    }
  }
}
"""

#: All of the variants or none: `allowPartialUpdates` is left out.
UPDATE_VARIANTS = """mutation UpdateVariants($productId: ID!, $variants: [ProductVariantsBulkInput!]!) {
  productVariantsBulkUpdate(productId: $productId, variants: $variants) {
    productVariants { id price compareAtPrice barcode }
    userErrors { field message code }
  }
}
"""

UPDATE_PRODUCT = """mutation UpdateProduct($product: ProductUpdateInput!) {
  productUpdate(product: $product) { product { id title status } userErrors { field message } }
}
"""

ADD_FIXED_PRICES = """mutation AddFixedPrices($priceListId: ID!, $prices: [PriceListPriceInput!]!) {
  priceListFixedPricesAdd(priceListId: $priceListId, prices: $prices) {
    prices { price { amount currencyCode } variant { id } }
    userErrors { field message code }
  }
}
"""

ALL = (
    READ_CURRENCY,
    FIND_VARIANTS,
    READ_VARIANTS,
    READ_FIXED_PRICES,
    UPDATE_VARIANTS,
    UPDATE_PRODUCT,
    ADD_FIXED_PRICES,
)


@dataclass(frozen=True, slots=True)
class Variant:
    """A variant with what of its product matters here."""

    id: str
    sku: str
    price: Decimal
    compare_at: Decimal | None
    barcode: str
    product: str
    title: str
    status: str
    #: It is the product's only one, so that title and status are its own.
    alone: bool


def gid(kind: str, number: str) -> str:
    """A global id."""
    return f"gid://shopify/{kind}/{number}"


class PriceBook:
    """Reads of one shop. Raises `Unavailable` (also `Throttled`), `Unauthorised`, `Unreadable`."""

    def __init__(self, client: ShopifyClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._currency: tuple[float, str] = (0.0, "")

    async def currency(self) -> str:
        """The shop's own."""
        now_s = self._clock.monotonic_s()
        if self._currency[0] <= now_s:
            shop = part((await self._client.query(READ_CURRENCY, {})).get("shop"))
            self._currency = (now_s + _CURRENCY_TTL_S, text(shop.get("currencyCode")))
        return self._currency[1]

    async def variants(self, skus: Collection[str]) -> dict[str, list[Variant]]:
        """Variants by how the search compares SKUs, see `alike`."""
        wanted, ids = sorted(set(skus) - {""}), []
        for start in range(0, len(wanted), SKUS):
            ids += await self._search(wanted[start : start + SKUS])
        found: dict[str, list[Variant]] = defaultdict(list)
        for start in range(0, len(ids), IDS):
            data = await self._client.query(READ_VARIANTS, {"ids": ids[start : start + IDS]})
            for node in objects(data.get("nodes")):
                found[alike(text(node.get("sku")))].append(_variant(node))
        return found

    async def _search(self, skus: Sequence[str]) -> list[str]:
        query = " OR ".join(f"sku:'{_quoted(sku)}'" for sku in skus)
        found: dict[str, None] = {}
        after: str | None = None
        while True:
            data = await self._client.query(FIND_VARIANTS, {"query": query, "first": VARIANTS, "after": after})
            page = part(data.get("productVariants"))
            found |= dict.fromkeys(text(node.get("id")) for node in objects(page.get("nodes")))
            if part(page.get("pageInfo")).get("hasNextPage") is not True:
                return list(found)
            after = text(part(page["pageInfo"]).get("endCursor"))

    async def fixed(self, price_list: str, variants: Collection[str]) -> Mapping[str, tuple[Decimal, str]]:
        """(price, currency) by variant, of those that have a price of their own in the list."""
        wanted, found = sorted(variants), {}
        for start in range(0, len(wanted), IDS):
            ids = wanted[start : start + IDS]
            query = " OR ".join(f"variant_id:{one}" for one in ids)
            variables: dict[str, Any] = {"id": gid("PriceList", price_list), "query": query, "first": len(ids)}
            shown = part((await self._client.query(READ_FIXED_PRICES, variables)).get("priceList"))
            for node in objects(part(shown.get("prices")).get("nodes")):
                price = part(node.get("price"))
                variant = identifier(part(node.get("variant")).get("id"))
                found[variant] = (decimal(price.get("amount")), text(price.get("currencyCode")))
        return found


def alike(sku: str) -> str:
    """How the search compares; two SKUs that differ in less are one for nobody but us."""
    return sku.strip().casefold()


def _quoted(sku: str) -> str:
    return sku.replace("\\", "\\\\").replace("'", "\\'")


def _variant(node: Json) -> Variant:
    product = part(node.get("product"))
    return Variant(
        id=identifier(node.get("id")),
        sku=text(node.get("sku")),
        price=decimal(node.get("price")),
        compare_at=None if node.get("compareAtPrice") is None else decimal(node.get("compareAtPrice")),
        barcode=text(node.get("barcode")),
        product=identifier(product.get("id")),
        title=text(product.get("title")),
        status=text(product.get("status")),
        alone=count(part(product.get("variantsCount")).get("count")) == 1,
    )
