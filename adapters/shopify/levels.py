"""What a shop shows of a SKU at a location, and what is asked for that.

A variant is found by its SKU, which nothing keeps unique; the search knows neither case nor surrounding space, so what
it finds is compared. Figures are read from the item itself, not from the search's index, which lags.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from adapters.shopify.client import ShopifyClient
from adapters.shopify.fields import Json, count, identifier, objects, part, text
from tallystick.clock import Clock
from tallystick.stock.ports import Shelf, Shown

#: SKUs of one search, and variants of one page: twice as many, so that doubled SKUs rarely need another one. A variant
#: costs 4 points, which are asked for whether or not it is there: a page is as long as its search.
SKUS = 100
VARIANTS = 2 * SKUS
_LOCATION_TTL_S = 300.0

READ_LOCATIONS = """query ReadLocations($first: Int!) {
  locations(first: $first) { nodes { id } }
  location { id }
}
"""

READ_LEVELS = """query ReadLevels($query: String!, $location: ID!, $first: Int!, $after: String) {
  productVariants(first: $first, after: $after, query: $query) {
    nodes {
      sku
      inventoryItem {
        id tracked
        inventoryLevel(locationId: $location) { quantities(names: ["available"]) { name quantity } }
      }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""

#: The directive is wanted from 2026-04 on, as is `changeFromQuantity`.
SET_QUANTITIES = """mutation SetQuantities($input: InventorySetQuantitiesInput!, $key: String!) {
  inventorySetQuantities(input: $input) @idempotent(key: $key) {
    inventoryAdjustmentGroup { id }
    userErrors { field message code }
  }
}
"""

ALL = (READ_LOCATIONS, READ_LEVELS, SET_QUANTITIES)


def item_gid(number: str) -> str:
    """The global id of an inventory item."""
    return f"gid://shopify/InventoryItem/{number}"


def location_gid(number: str) -> str:
    """The global id of a location."""
    return f"gid://shopify/Location/{number}"


class Levels:
    """Reads of one shop. Raises `Unavailable` (also `Throttled`), `Unauthorised`, `Unreadable`."""

    def __init__(self, client: ShopifyClient, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._own: tuple[float, str] = (0.0, "")

    async def location(self, named: str) -> str:
        """The number of the location that is named, or of the one that the shop falls back to; empty for none."""
        if named:
            return identifier(named)
        now_s = self._clock.monotonic_s()
        if self._own[0] <= now_s:
            self._own = (now_s + _LOCATION_TTL_S, await self._only())
        return self._own[1]

    async def _only(self) -> str:
        """The shop's only active location, else its primary one."""
        data = await self._client.query(READ_LOCATIONS, {"first": 2})
        active = [identifier(one.get("id")) for one in objects(part(data.get("locations")).get("nodes"))]
        return active[0] if len(active) == 1 else identifier(part(data.get("location")).get("id"))

    async def shown(self, shelves: Sequence[Shelf]) -> list[Shown]:
        """What buyers may have of each; parallel to `shelves`."""
        places = {name: await self.location(name) for name in {shelf.location for shelf in shelves}}
        wanted: dict[str, set[str]] = defaultdict(set)
        for shelf in shelves:
            wanted[places[shelf.location]].add(shelf.sku)
        items = {place: await self._items(place, sorted(skus - {""})) for place, skus in wanted.items() if place}
        return [_shown(shelf, places[shelf.location], items.get(places[shelf.location], {})) for shelf in shelves]

    async def _items(self, location: str, skus: Sequence[str]) -> dict[str, list[Json]]:
        """Variants by how their SKU is compared."""
        found: dict[str, list[Json]] = defaultdict(list)
        for start in range(0, len(skus), SKUS):
            for node in await self._variants(location, skus[start : start + SKUS]):
                found[_alike(text(node.get("sku")))].append(node)
        return found

    async def _variants(self, location: str, skus: Sequence[str]) -> list[Json]:
        query = " OR ".join(f"sku:'{_quoted(sku)}'" for sku in skus)
        variables: dict[str, Any] = {"query": query, "location": location_gid(location), "first": 2 * len(skus)}
        found: list[Json] = []
        after: str | None = None
        while True:
            data = await self._client.query(READ_LEVELS, {**variables, "after": after})
            page = part(data.get("productVariants"))
            found += objects(page.get("nodes"))
            if part(page.get("pageInfo")).get("hasNextPage") is not True:
                return found
            after = text(part(page["pageInfo"]).get("endCursor"))


def _alike(sku: str) -> str:
    """How the search compares; two SKUs that differ in less are one for nobody but us."""
    return sku.strip().casefold()


def _quoted(sku: str) -> str:
    return sku.replace("\\", "\\\\").replace("'", "\\'")


def _shown(shelf: Shelf, location: str, items: dict[str, list[Json]]) -> Shown:
    if not location:
        return Shown(shelf, None, why="the shop has several locations: name one in the contract", wrong=True)
    alike = items.get(_alike(shelf.sku), [])
    same = {identifier(part(one.get("inventoryItem")).get("id")): one for one in alike if one.get("sku") == shelf.sku}
    if len(same) > 1:
        return Shown(shelf, None, why=f"{len(same)} variants in the store bear the SKU {shelf.sku!r}", wrong=True)
    if not same and alike:
        spelled = ", ".join(sorted({repr(text(one.get("sku"))) for one in alike}))
        return Shown(shelf, None, why=f"the store spells the SKU {shelf.sku!r} otherwise: {spelled}", wrong=True)
    if not same:
        return Shown(shelf, None, why=f"the store has no variant with the SKU {shelf.sku!r}")
    ((number, variant),) = same.items()
    item = part(variant.get("inventoryItem"))
    if item.get("tracked") is not True:
        return Shown(shelf, None, number, why="the store does not count this product: its inventory is not tracked")
    level = part(item.get("inventoryLevel"))
    figures = {text(one.get("name")): one.get("quantity") for one in objects(level.get("quantities"))}
    if "available" not in figures:
        return Shown(shelf, None, number, why=f"the product is not stocked at location {location}")
    return Shown(shelf, count(figures["available"]), number)
