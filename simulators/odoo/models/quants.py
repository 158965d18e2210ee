"""stock.quant: how many pieces of a product lie in a location, and how many of them are promised."""

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar

from ..fields import Field
from ..model import Model
from ..table import Row

if TYPE_CHECKING:
    from ..database import Database

_ZERO = Decimal(0)
_FIELDS = (
    Field("product_id", "many2one", "Product", "product.product", required=True),
    Field("location_id", "many2one", "Location", "stock.location", required=True),
    Field("warehouse_id", "many2one", "Warehouse", "stock.warehouse", readonly=True, store=False, computed=True),
    Field("quantity", "float", "Quantity", readonly=True, digits=2, default=_ZERO),
    Field("reserved_quantity", "float", "Reserved Quantity", readonly=True, required=True, digits=2, default=_ZERO),
    Field("available_quantity", "float", "Available Quantity", readonly=True, store=False, computed=True, digits=2),
)


@dataclass(frozen=True, slots=True)
class Level:
    """What the journal keeps of a product in a warehouse."""

    sku: str
    warehouse: str
    on_hand: Decimal
    reserved: Decimal

    @property
    def available(self) -> Decimal:
        """What nobody was promised."""
        return self.on_hand - self.reserved


class Quants(Model):
    """Without lots, packages and owners: one for a product and a location, and none where nothing is."""

    name: ClassVar[str] = "stock.quant"
    label: ClassVar[str] = "Quants"
    declared: ClassVar[Sequence[Field]] = _FIELDS

    def __init__(self, db: "Database") -> None:
        super().__init__(db)
        self._moved: dict[tuple[int, int], None] = {}
        db.at_the_end.append(self._tell)

    def compute(self, field: str, row: Row) -> Any:
        if field == "warehouse_id":
            return self.db.models["stock.location"].table.rows[row["location_id"]]["warehouse_id"]
        if field == "available_quantity":
            return row["quantity"] - row["reserved_quantity"]
        return self.display_name(row["id"])

    # ---- goods that come, go, and are promised -----------------------------------------------------------------------

    def counted(self, product_id: int) -> bool:
        """Whether stock of the product is kept at all."""
        product = self.db.models["product.product"].table.rows[product_id]
        return bool(product["type"] == "product" if self.db.version < 17 else product.get("is_storable"))

    def on_hand(self, product_id: int, location_id: int) -> Decimal:
        """How many lie there."""
        return self._sum("quantity", product_id, location_id)

    def free(self, product_id: int, location_id: int) -> Decimal:
        """How many lie there and are not promised; below zero when more left than was there."""
        return self.on_hand(product_id, location_id) - self._sum("reserved_quantity", product_id, location_id)

    def move(self, product_id: int, location_id: int, quantity: Decimal, reserved: Decimal = _ZERO) -> None:
        """Add to what is there and to what is promised of it. A quant of nothing is removed, and leaves no trace."""
        if not self.counted(product_id) or not (quantity or reserved):
            return
        self._moved[product_id, location_id] = None
        found = self._at(product_id, location_id)
        if not found:
            place = {"product_id": product_id, "location_id": location_id}
            now = {"create_date": self.db.now, "write_date": self.db.now}
            self.table.insert({**place, **now, "quantity": quantity, "reserved_quantity": reserved})
            return
        row = self.table.rows[found[0]]
        left, promised = row["quantity"] + quantity, row["reserved_quantity"] + reserved
        if left or promised:
            changes = {"quantity": left, "reserved_quantity": promised, "write_date": self.db.now}
            self.table.update(row["id"], changes)
        else:
            self.table.delete(row["id"])

    def _at(self, product_id: int, location_id: int) -> list[int]:
        rows = self.table.rows
        return [one for one in self.table.matching("product_id", product_id) if rows[one]["location_id"] == location_id]

    def _sum(self, field: str, product_id: int, location_id: int) -> Decimal:
        return sum((self.table.rows[one][field] for one in self._at(product_id, location_id)), _ZERO)

    # ---- the truth for the journal -----------------------------------------------------------------------------------

    def level(self, product_id: int, warehouse_id: int) -> Level:
        """All that a warehouse has of a product."""
        places = self.db.models["stock.location"].table.matching("warehouse_id", warehouse_id)
        on_hand = sum((self.on_hand(product_id, place) for place in places), _ZERO)
        free = sum((self.free(product_id, place) for place in places), _ZERO)
        code = self.db.models["stock.warehouse"].table.rows[warehouse_id]["code"]
        sku = self.db.models["product.product"].table.rows[product_id]["default_code"] or ""
        return Level(sku, code, on_hand, on_hand - free)

    def _tell(self) -> None:
        locations = self.db.models["stock.location"].table.rows
        while self._moved:
            (product_id, location_id), _ = self._moved.popitem()
            warehouse_id = locations[location_id]["warehouse_id"]
            if warehouse_id is not None:
                level = self.level(product_id, warehouse_id)
                self.db.note("stock", self.name, product_id, key=f"{level.warehouse}/{level.sku}", detail=level)
