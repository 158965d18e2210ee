"""What a shop shows of a SKU: one stock for each product, kept by itself or by the parent of a variation."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation

from tallystick.stock.ports import Shelf, Shown

from .api import PER_PAGE, Api
from .fields import Json, flag, reference, text

#: SKUs of one call stand in its address, which common hosts cut at eight thousand characters.
_LETTERS_MAX = 4000
_FIELDS = "id,sku,parent_id,manage_stock,stock_quantity"


class Figures:
    """Reads of one shop. Raises `Unavailable`, `Unauthorised`."""

    def __init__(self, api: Api) -> None:
        self._api = api

    async def shown(self, shelves: Sequence[Shelf]) -> list[Shown]:
        """What buyers may have of each; parallel to `shelves`."""
        found: dict[str, list[Json]] = defaultdict(list)
        for skus in _calls(sorted({shelf.sku for shelf in shelves if _askable(shelf)})):
            for row in await self._products(skus):
                found[_alike(text(row.get("sku")))].append(row)
        return [_shown(shelf, found[_alike(shelf.sku)]) for shelf in shelves]

    async def _products(self, skus: Sequence[str]) -> list[Json]:
        """Variations are found too (seen on WooCommerce 11.0.1)."""
        return await self._api.all("products", {"sku": ",".join(skus), "_fields": _FIELDS})


def _askable(shelf: Shelf) -> bool:
    return bool(shelf.sku) and "," not in shelf.sku and not shelf.location


def _calls(skus: Sequence[str]) -> list[list[str]]:
    """As many in a call as a page shows and an address holds."""
    calls: list[list[str]] = []
    letters = 0
    for sku in skus:
        letters += len(sku) + 3
        if not calls or len(calls[-1]) == PER_PAGE or letters > _LETTERS_MAX:
            calls.append([])
            letters = len(sku) + 3
        calls[-1].append(sku)
    return calls


def _alike(sku: str) -> str:
    """The database of most shops compares without regard to case."""
    return sku.strip().casefold()


def _shown(shelf: Shelf, alike: Sequence[Json]) -> Shown:
    if shelf.location:
        return Shown(shelf, None, why="a WooCommerce shop has one stock: name no location of it", wrong=True)
    if "," in shelf.sku:
        return Shown(shelf, None, why=f"the SKU {shelf.sku!r} holds a comma, by which no shop can be asked", wrong=True)
    same = {reference(row.get("id")): row for row in alike if text(row.get("sku")) == shelf.sku}
    if len(same) > 1:
        return Shown(shelf, None, why=f"{len(same)} products in the shop bear the SKU {shelf.sku!r}", wrong=True)
    if not same and alike:
        spelled = ", ".join(sorted({repr(text(row.get("sku"))) for row in alike}))
        return Shown(shelf, None, why=f"the shop spells the SKU {shelf.sku!r} otherwise: {spelled}", wrong=True)
    if not same:
        return Shown(shelf, None, why=f"the shop has no product with the SKU {shelf.sku!r}")
    ((number, row),) = same.items()
    return _of_product(shelf, number, row)


def _of_product(shelf: Shelf, number: str, row: Json) -> Shown:
    parent = reference(row.get("parent_id"))
    name = f"{parent}/{number}" if parent else number
    managed = row.get("manage_stock")
    if text(managed) == "parent":
        words = f"its stock is kept by product {parent} for all variations together: count it on each variation"
        return Shown(shelf, None, name, why=words, wrong=True)
    if not flag(managed):
        return Shown(shelf, None, name, why="the shop does not count this product: `Track stock quantity` is off")
    quantity = whole(row.get("stock_quantity"))
    if quantity is None:
        return Shown(shelf, None, name, why="the shop shows a stock that is no whole number", wrong=True)
    return Shown(shelf, quantity, name)


def whole(value: object) -> int | None:
    """A number of pieces, which plugins also write as a text; an empty one is 0. None for a fraction or no number."""
    try:
        number = Decimal(text(value) or "0")
    except InvalidOperation:
        return None
    return int(number) if number.is_finite() and number == number.to_integral_value() else None
