"""An Odoo in memory: one database with one company."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

from simulators.faults import FaultScript
from simulators.journal import Journal

from . import errors, models
from .calls import Calls
from .database import Database
from .errors import OdooError
from .fields import Field
from .founding import found, plant
from .models.pickings import Pickings
from .models.quants import Level, Quants
from .records import Credit, Order, Partner, Payment
from .settings import OdooSettings

#: By the key of the order's line.
Quantities = Mapping[str, Decimal | int | str]
#: The administrator's id in every Odoo.
_USER = 2


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Odoo:
    """The double. What took effect is in `journal`; `faults` spoils calls, `down` refuses them all."""

    def __init__(
        self, settings: OdooSettings | None = None, *, seed: int = 1, now: Callable[[], datetime] = _utc_now
    ) -> None:
        self.settings = settings or OdooSettings()
        self.faults = FaultScript(seed=seed)
        self.journal = Journal()
        self.down = False
        self.db = Database(self.settings, now, _USER)
        self.calls = Calls(self.db, self.journal)
        models.install(self.db)
        found(self.db)
        self.db.commit()

    # ---- what stands in it -------------------------------------------------------------------------------------------

    @property
    def orders(self) -> list[Order]:
        """All orders, oldest first."""
        return [Order(self.db, "sale.order", row_id) for row_id in sorted(self.db.models["sale.order"].table.rows)]

    def order(self, external_id: str) -> Order:
        """The order that an External ID names. Raises LookupError."""
        return Order(self.db, "sale.order", self.id_of(external_id))

    @property
    def credits(self) -> list[Credit]:
        """All credit notes of customers, oldest first."""
        moves = self.db.models["account.move"].table
        return [Credit(self.db, "account.move", row_id) for row_id in sorted(moves.matching("move_type", "out_refund"))]

    @property
    def payments(self) -> list[Payment]:
        """All payments of customers, oldest first."""
        rows = self.db.models["account.payment"].table.rows
        return [Payment(self.db, "account.payment", row_id) for row_id in sorted(rows)]

    @property
    def partners(self) -> list[Partner]:
        """All customers, without the company's own contact."""
        return [
            Partner(self.db, "res.partner", row_id) for row_id in sorted(self.db.models["res.partner"].table.rows)[1:]
        ]

    def id_of(self, external_id: str) -> int:
        """The database id of what an External ID names. Raises LookupError."""
        row_id = self.db.external_ids.named(external_id)
        if not row_id:
            raise LookupError(f"this Odoo holds nothing named {external_id!r}")
        return row_id

    # ---- what its people do ------------------------------------------------------------------------------------------

    def add_product(
        self, default_code: str, name: str, price: Decimal | str = "0", *, service: bool = False, **values: Any
    ) -> int:
        """A product; its id. Like any product it comes with the company's default tax."""
        kind = "service" if service else "consu"
        known = {"default_code": default_code, "name": name, "list_price": Decimal(price), "type": kind}
        return self.add("product.product", "", {**known, **values})

    def add(self, model: str, external_id: str, values: Mapping[str, Any]) -> int:
        """A record of any model, with an External ID unless that is empty."""
        self.db.begin({})
        row_id = plant(self.db, model, external_id, values)
        self.db.flush()
        self.calls.commit()
        return row_id

    def add_field(self, model: str, name: str, kind: str = "char", label: str = "") -> None:
        """A custom field, such as `x_mark`."""
        self.db.models[model].fields[name] = Field(name, kind, label or name)

    def act(self, model: str, method: str, *arguments: Any, **named: Any) -> Any:
        """What a person does in the browser: the same methods, at once and without faults. Raises `OdooError`."""
        return self.calls.apply(model, method, arguments, named)

    # ---- goods on the shelf ------------------------------------------------------------------------------------------

    def add_warehouse(self, code: str, name: str = "") -> int:
        """Another warehouse with a stock of its own; its id."""
        return self.add("stock.warehouse", "", {"name": name or code, "code": code})

    def set_stock(self, sku: str, warehouse: str, quantity: Decimal | int | str) -> None:
        """Somebody counts: that many are there, promised or not. The product's stock is kept from now on."""
        self.db.begin({})
        product, place = self._product(sku), self._stock_of(warehouse)
        kept = {"type": "product"} if self.db.version < 17 else {"is_storable": True}
        if not self._quants.counted(product):
            self.db.models["product.product"].table.update(product, {**kept, "write_date": self.db.now})
        self._quants.move(product, place, Decimal(quantity) - self._quants.on_hand(product, place))
        for picking in self._pickings.moves.arrived(product, place):
            self._pickings.settle(picking)
        self.db.flush()
        self.calls.commit()

    def stock(self, sku: str, warehouse: str = "WH") -> Level:
        """What a warehouse has of a product, as it is now."""
        return self._quants.level(self._product(sku), self._warehouse(warehouse))

    @property
    def _quants(self) -> Quants:
        return cast(Quants, self.db.models["stock.quant"])

    def _product(self, sku: str) -> int:
        return next(iter(self.db.models["product.product"].table.matching("default_code", sku)))

    def _warehouse(self, code: str) -> int:
        return next(iter(self.db.models["stock.warehouse"].table.matching("code", code)))

    def _stock_of(self, code: str) -> int:
        return int(self.db.models["stock.warehouse"].table.rows[self._warehouse(code)]["lot_stock_id"])

    # ---- goods that leave and come back ------------------------------------------------------------------------------

    def ship(self, order: str, quantities: Quantities | None = None, *, carrier: str = "", tracking: str = "") -> int:
        """Send off an order's goods, all or by the keys of its lines, the rest as a backorder; the picking's id.

        A key is the end of the line's External ID. Raises LookupError when no delivery is open.
        """
        self.db.begin({})
        order_id = self.id_of(order)
        parcel = {"carrier_id": self._carrier(carrier), "carrier_tracking_ref": tracking or None}
        some = None if quantities is None else self._by_line(order_id, quantities)
        picking_id = self._pickings.ship(order_id, some, **parcel)
        self.db.flush()
        self.calls.commit()
        return picking_id

    def take_back(self, picking_id: int, quantities: Quantities) -> int:
        """Receive goods of a delivery again, by the keys of the order's lines; the id of the return's picking."""
        self.db.begin({})
        order_id = self._pickings.table.rows[picking_id]["sale_id"]
        back_id = self._pickings.take_back(picking_id, self._by_line(order_id, quantities))
        self.db.flush()
        self.calls.commit()
        return back_id

    def receive(self, picking_id: int) -> None:
        """The warehouse takes in all goods of a transfer that a client made."""
        self.db.begin({})
        self._pickings.receive(picking_id)
        self.db.flush()
        self.calls.commit()

    @property
    def _pickings(self) -> Pickings:
        return cast(Pickings, self.db.models["stock.picking"])

    def _by_line(self, order_id: int, quantities: Quantities) -> dict[int, Decimal]:
        lines = {line.external_id.rpartition("__")[2]: line.id for line in Order(self.db, "sale.order", order_id).lines}
        return {lines[key]: Decimal(quantity) for key, quantity in quantities.items()}

    def _carrier(self, name: str) -> int | None:
        carriers = self.db.models["delivery.carrier"]
        known = list(carriers.table.matching("name", name))
        return (known[0] if known else carriers.create_one({"name": name})) if name else None

    # ---- credentials -------------------------------------------------------------------------------------------------

    def authenticate(self, database: str, login: str, password: str) -> int | bool:
        """The user's id, or False."""
        self._know(database)
        return _USER if login == self.settings.login and password == self.settings.key else False

    def authorise(self, database: str, user: Any, password: Any) -> None:
        """Every call brings its credentials. Raises AccessDenied."""
        self._know(database)
        if user != _USER or password != self.settings.key:
            raise errors.access_denied()

    def _know(self, database: str) -> None:
        if database != self.settings.database:
            raise OdooError("psycopg2.OperationalError", f'database "{database}" does not exist')
