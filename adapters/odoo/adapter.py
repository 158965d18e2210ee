"""An Odoo company as an ERP: orders, credit notes, returns, payments, contacts; shipments, stock, prices; look-ups."""

from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence

from adapters.http import HttpDoor
from tallystick.clock import Clock
from tallystick.errors import SetupError, Unauthorised
from tallystick.ports import FoundDocument, Reading, Sink, Window
from tallystick.reconcile.ports import Marked
from tallystick.stock.ports import StockHook, TakesStockAt

from .check import ConnectionCheck
from .customers import CustomerSinkOfOdoo
from .jsonrpc import JsonRpc
from .orders import OrderSinkOfOdoo
from .payments import PaymentSinkOfOdoo
from .prices import Prices
from .push import StockPush
from .records import Records
from .references import References
from .refunds import RefundSinkOfOdoo
from .returns import ReturnSinkOfOdoo
from .settings import OdooSettings
from .shipments import Shipments
from .stock import Stock
from .sweep import Sweep
from .values import link, number, plain, shown, text

_UUID = "database.uuid"


class OdooAdapter:
    """One database and company. Has the abilities `OrderSink`, `RefundSink`, `ReturnSink`, `PaymentSink`,
    `CustomerSink`, `FulfilmentSource`, `StockSource`, `PushesStock`, `PriceSource`, `DuplicateSweep`,
    `ReferenceLookup`, `Identified` and `ConnectionTest`."""

    orders: Sink
    refunds: Sink
    returns: Sink
    payments: Sink
    customers: Sink
    #: An operation type reserves at the order's confirmation unless told otherwise; a draft is promised nothing.
    takes_stock_at = TakesStockAt.CONFIRM

    def __init__(self, connection: str, settings: OdooSettings, clock: Clock) -> None:
        self._settings = settings
        self.pacer = pacer = settings.pacing.pacer(clock)
        self._door = HttpDoor(settings.url, pacer=pacer, clock=clock, private_network=settings.private_network)
        self._transport = JsonRpc(settings, self._door, clock)
        self._records = Records(self._transport, clock, settings.company_id)
        references = References(self._records, clock, settings.references_ttl_s)
        parts = (connection, settings, self._transport, self._records, references, pacer)
        self.orders = OrderSinkOfOdoo(*parts)
        self.refunds = RefundSinkOfOdoo(*parts)
        self.returns = ReturnSinkOfOdoo(*parts)
        self.payments = PaymentSinkOfOdoo(*parts)
        self.customers = CustomerSinkOfOdoo(*parts)
        self._shipments = Shipments(connection, self._records)
        self._stock = Stock(connection, self._records)
        told = settings.stock_hook
        self.stock_hook: StockHook | None = None if told is None else StockPush(told, self._records)
        self._prices = Prices(connection, self._records, references, clock, settings.company_id)
        self._sweep = Sweep(settings, self._records)
        #: A date of change is that of the transaction's begin, and shows when it ends: that long at most.
        self.overlap_s = settings.late_apply_max_s

    def changed_fulfilments(self, window: Window) -> AsyncIterator[Sequence[Reading]]:
        """Pages of what left for the buyers of our orders. Raises `Unavailable`, `Unauthorised`."""
        return self._shipments.changed(window)

    def changed_stock(self, window: Window) -> AsyncIterator[Sequence[Reading]]:
        """Pages of levels of the products that changed. Raises `Unavailable`, `Unauthorised`."""
        return self._stock.changed(window)

    async def read_stock(self, skus: Sequence[str]) -> Sequence[Reading]:
        """Their levels in all warehouses; products that are archived, ambiguous or not counted are left out."""
        return await self._stock.read(skus)

    def changed_prices(self, lists: Sequence[str], window: Window) -> AsyncIterator[Sequence[Reading]]:
        """Pages of products whose prices may differ since the window began. Raises as `Prices` does."""
        return self._prices.changed(lists, window)

    def all_prices(self, lists: Sequence[str]) -> AsyncIterator[Sequence[Reading]]:
        """Pages of all products with an internal reference; likewise."""
        return self._prices.whole(lists)

    def marked_documents(self, window: Window) -> AsyncIterator[Sequence[Marked]]:
        """Pages of orders and credit notes with our marks. Raises `Unavailable`, `Unauthorised`."""
        return self._sweep.marked(window)

    async def identity(self) -> str:
        """Database and company: in another company every document would be new, as in another database."""
        domain = [["login", "=", self._settings.login]]
        users = await self._records.find("res.users", domain, ("company_id",))
        company = self._settings.company_id or (link(users[0]["company_id"]) if users else None)
        return f"{await self._database()}/company-{company}"

    async def _database(self) -> str:
        """Its uuid; its name to a user who may not read that (it takes the right Settings)."""
        try:
            found = await self._records.find("ir.config_parameter", [["key", "=", _UUID]], ("value",))
        except Unauthorised:
            found = []
        return text(found[0]["value"]) if found else self._settings.database

    async def find_orders(self, field_name: str, values: Sequence[str]) -> Mapping[str, Sequence[FoundDocument]]:
        """Orders whose field equals each value, cancelled ones left out. Raises `SetupError` for an unknown field."""
        known = await self._records.fields("sale.order")
        if field_name not in known:
            raise SetupError(f"sale.order has no field {field_name!r} in this Odoo; client_order_ref is a usual one")
        found: dict[str, list[FoundDocument]] = defaultdict(list, {value: [] for value in values})
        domain = [[field_name, "in", sorted(set(values))], ["state", "!=", "cancel"]]
        rows = await self._records.find("sale.order", domain, (field_name, "name", "amount_total", "currency_id"))
        for row in rows:
            total, currency = plain(number(row["amount_total"])), shown(row["currency_id"])
            found[text(row[field_name])].append(FoundDocument(str(row["id"]), text(row["name"]), total, currency))
        return found

    async def check(self) -> Sequence[tuple[str, bool, str]]:
        """What was tried on the real server, whether it is fine, and what to do if not."""
        return await ConnectionCheck(self._transport, self._records, self._settings).run()

    async def close(self) -> None:
        """Give connections back."""
        await self._door.close()
