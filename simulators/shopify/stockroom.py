"""What a shop has of each variant at each location: sold by orders, put back, and set by staff and by the app.

Errors and their paths are those of live captures of 2026-04. A variant that nobody put here is sold without end.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from simulators.shopify.fulfilments import MAIN
from simulators.shopify.model import Item
from simulators.shopify.selection import Connection, Malformed

if TYPE_CHECKING:
    from simulators.shopify.shop import Shop

Json = dict[str, Any]
#: Entries of an input array (Shopify, "API limits").
INPUT_MAX = 250
QUANTITY_MAX = 1_000_000_000
#: From this version on the mutation takes no call without a key.
KEYS_FROM = "2026-04"
REASONS = frozenset({"correction", "cycle_count_available", "damaged", "other", "received", "restock", "shrinkage"})
_SKUS = re.compile(r"sku:'((?:[^'\\]|\\.)*)'")


class SoldOut(Exception):
    """The shop refuses a cart: it has not enough of something that may not be sold beyond what is there."""


@dataclass(slots=True)
class Variant:
    """A variant with its inventory item. `levels` by location; where it is not stocked it has none."""

    id: int
    item_id: int
    sku: str
    tracked: bool = True
    #: "deny", or "continue" to be sold beyond what is there.
    policy: str = "deny"
    levels: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Change:
    """What the journal keeps of a figure that changed."""

    sku: str
    location: int
    before: int
    after: int


class Stockroom:
    """The stock of one shop."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self.variants: list[Variant] = []
        self._last_id = 51_000_000_000_000
        #: By idempotency key: the variables and the answer.
        self._answered: dict[str, tuple[str, Json]] = {}
        self.roots: dict[str, Callable[[Mapping[str, Any]], Json]] = {
            "locations": lambda values: _page(self._locations(), values),
            "location": lambda values: self._locations()[0],
            "productVariants": lambda values: _page(self._search(values["query"]), values),
        }

    # ---- what staff does ---------------------------------------------------------------------------------------------

    def add(self, sku: str, levels: Mapping[int, int] | int = 0, **options: Any) -> Variant:
        """A variant, stocked at the main location or at several."""
        self._last_id += 10
        placed = {MAIN: levels} if isinstance(levels, int) else dict(levels)
        made = Variant(self._last_id, self._last_id + 1, sku, levels=placed, **options)
        self.variants.append(made)
        for location in placed:
            self._shop.dispatch.locations.setdefault(location, f"Warehouse {location}")
        return made

    def available(self, sku: str, location: int = MAIN) -> int:
        """What buyers may still have of it there."""
        return self._named(sku).levels[location]

    def count(self, sku: str, quantity: int, location: int = MAIN) -> None:
        """Somebody counts, and puts in what is there."""
        self._set("stock counted", self._named(sku), location, quantity)

    # ---- what buyers do ----------------------------------------------------------------------------------------------

    def sell(self, items: Sequence[Item]) -> None:
        """Take the pieces of a cart, or none of them. Raises `SoldOut`."""
        wanted: dict[str, int] = {}
        for item in items:
            wanted[item.sku] = wanted.get(item.sku, 0) + item.quantity
        kept = {sku: found for sku in wanted if (found := self._find(sku)) is not None and found.tracked}
        for sku, variant in kept.items():
            if variant.policy == "deny" and sum(variant.levels.values()) < wanted[sku]:
                self._shop.journal.note("sold out", sku, wanted[sku])
                raise SoldOut(f"only {sum(variant.levels.values())} of {sku} are left")
        for sku, variant in kept.items():
            place = next(
                (at for at, there in variant.levels.items() if there >= wanted[sku]), next(iter(variant.levels))
            )
            self._set("stock sold", variant, place, variant.levels[place] - wanted[sku])

    def put_back(self, sku: str, pieces: int, location: int = MAIN) -> None:
        """Pieces are for sale again."""
        variant = self._find(sku)
        if variant is not None and variant.tracked and pieces:
            place = location if location in variant.levels else next(iter(variant.levels))
            self._set("stock returned", variant, place, variant.levels[place] + pieces)

    def _set(self, what: str, variant: Variant, location: int, quantity: int) -> None:
        before = variant.levels[location]
        variant.levels[location] = quantity
        self._shop.journal.note(what, variant.sku, Change(variant.sku, location, before, quantity))

    def _find(self, sku: str) -> Variant | None:
        return next((one for one in self.variants if one.sku == sku), None)

    def _named(self, sku: str) -> Variant:
        found = self._find(sku)
        if found is None:
            raise LookupError(f"this shop has nothing with the SKU {sku!r}")
        return found

    # ---- what the API shows ------------------------------------------------------------------------------------------

    def _locations(self) -> list[Json]:
        """All of them; the first is the primary one."""
        return [
            {"__typename": "Location", "id": _gid("Location", one), "name": name, "isActive": True}
            for one, name in self._shop.dispatch.locations.items()
        ]

    def _search(self, query: str) -> list[Json]:
        """Variants by SKU, without regard to case and surrounding space, as an index of words finds them."""
        wanted = {re.sub(r"\\(.)", r"\1", one).strip().casefold() for one in _SKUS.findall(query)}
        return [_node(one) for one in self.variants if one.sku.strip().casefold() in wanted]

    # ---- inventorySetQuantities --------------------------------------------------------------------------------------

    def set_quantities(self, asked: Mapping[str, Any], key: str | None, version: str) -> Json:
        """All of it or nothing; once for a key. Raises `Malformed`."""
        if version >= KEYS_FROM and not key:
            raise Malformed("The @idempotent directive is required for this mutation but was not provided.")
        if len(asked["quantities"]) > INPUT_MAX:
            raise Malformed(f"The input array size of {len(asked['quantities'])} is greater than {INPUT_MAX}.")
        if any("changeFromQuantity" not in one for one in asked["quantities"]):
            raise Malformed("InventoryQuantityInput must include the following argument: changeFromQuantity.")
        variables = json.dumps(asked, sort_keys=True)
        if key in self._answered:
            return self._again(key, variables)
        errors = [
            *self._of_all(asked),
            *(e for at, one in enumerate(asked["quantities"]) for e in self._wrong(at, one)),
        ]
        changes = [] if errors else [self._apply(one) for one in asked["quantities"]]
        group = {"__typename": "InventoryAdjustmentGroup", "id": _gid("InventoryAdjustmentGroup", self._next_id())}
        answer = {"inventoryAdjustmentGroup": None if errors else {**group, "changes": changes}, "userErrors": errors}
        if key:
            self._answered[key] = (variables, answer)
        return answer

    def _again(self, key: str, variables: str) -> Json:
        before, answer = self._answered[key]
        if before == variables:
            self._shop.journal.note("answered again", key)
            return answer
        error = _error("The idempotency key was used with other parameters.", "IDEMPOTENCY_KEY_PARAMETER_MISMATCH")
        return {"inventoryAdjustmentGroup": None, "userErrors": [error]}

    def _of_all(self, asked: Mapping[str, Any]) -> list[Json]:
        errors = []
        if asked["name"] != "available":
            errors.append(_error("The specified quantity name is invalid.", "INVALID_NAME", "name"))
        if asked["reason"] not in REASONS:
            errors.append(_error("The specified reason is invalid.", "INVALID_REASON", "reason"))
        pairs = [(one["inventoryItemId"], one["locationId"]) for one in asked["quantities"]]
        if len(set(pairs)) < len(pairs):
            words = "The combination of inventoryItemId and locationId must be unique."
            errors.append(_error(words, "NO_DUPLICATE_INVENTORY_ITEM_ID_GROUP_ID_PAIR", "quantities"))
        return errors

    def _wrong(self, at: int, one: Mapping[str, Any]) -> list[Json]:
        variant, location = self._by_item(one["inventoryItemId"]), _number(one["locationId"])
        if variant is None:
            return [_entry(at, "inventoryItemId", "could not be found.", "INVALID_INVENTORY_ITEM")]
        if location not in self._shop.dispatch.locations:
            return [_entry(at, "locationId", "could not be found.", "INVALID_LOCATION")]
        if location not in variant.levels:
            return [_entry(at, "locationId", "does not stock the item.", "ITEM_NOT_STOCKED_AT_LOCATION")]
        if one["quantity"] < 0:
            return [_entry(at, "quantity", "can't be negative.", "INVALID_QUANTITY_NEGATIVE")]
        if one["quantity"] > QUANTITY_MAX:
            return [_entry(at, "quantity", "can't be higher than 1,000,000,000.", "INVALID_QUANTITY_TOO_HIGH")]
        expected = one["changeFromQuantity"]
        if expected is not None and expected != variant.levels[location]:
            return [
                _entry(at, "changeFromQuantity", "is not the quantity that is there.", "CHANGE_FROM_QUANTITY_STALE")
            ]
        return []

    def _apply(self, one: Mapping[str, Any]) -> Json:
        variant, location = self._by_item(one["inventoryItemId"]), _number(one["locationId"])
        assert variant is not None
        delta = one["quantity"] - variant.levels[location]
        self._set("stock set", variant, location, one["quantity"])
        return {"name": "available", "delta": delta, "quantityAfterChange": None}

    def _by_item(self, gid: str) -> Variant | None:
        return next((one for one in self.variants if one.item_id == _number(gid)), None)

    def _next_id(self) -> int:
        self._last_id += 10
        return self._last_id


def _node(variant: Variant) -> Json:
    def level(asked: Mapping[str, Any]) -> Json | None:
        there = variant.levels.get(_number(asked["locationId"]))
        return (
            None
            if there is None
            else {"__typename": "InventoryLevel", "quantities": lambda names: _named(names, there)}
        )

    return {
        "__typename": "ProductVariant",
        "id": _gid("ProductVariant", variant.id),
        "sku": variant.sku,
        "inventoryPolicy": variant.policy.upper(),
        "inventoryItem": {
            "__typename": "InventoryItem",
            "id": _gid("InventoryItem", variant.item_id),
            "sku": variant.sku,
            "tracked": variant.tracked,
            "inventoryLevel": level,
        },
    }


def _page(nodes: list[Json], values: Mapping[str, Any]) -> Json:
    return Connection(nodes).page(int(values["first"]), values.get("after"))


def _named(asked: Mapping[str, Any], available: int) -> list[Json]:
    return [{"name": name, "quantity": available} for name in asked["names"] if name == "available"]


def _gid(kind: str, number: int) -> str:
    return f"gid://shopify/{kind}/{number}"


def _number(gid: str) -> int:
    return int(gid.rpartition("/")[2].partition("?")[0])


def _error(message: str, code: str, *field: str) -> Json:
    return {"field": ["input", *field], "message": message, "code": code}


def _entry(at: int, field: str, words: str, code: str) -> Json:
    return _error(f"The specified {field} {words}", code, "quantities", str(at), field)
