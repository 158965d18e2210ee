"""An Odoo in memory: one database with one company, and the calls that clients make."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from iso4217 import Currency

from simulators.faults import FaultScript
from simulators.journal import Journal

from . import errors, geography, records, schema
from .database import Database, Effect
from .errors import OdooError
from .fields import Field
from .records import Document, Order, Partner
from .settings import OdooSettings

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
        self.db = Database(self.settings.major, self.settings.zone, now, _USER)
        self._one_at_a_time = asyncio.Lock()
        schema.install(self.db)
        self._found()

    # ---- what stands in it -------------------------------------------------------------------------------------------

    @property
    def orders(self) -> list[Order]:
        """All orders, oldest first."""
        return [Order(self.db, "sale.order", row_id) for row_id in self.db.models["sale.order"].table.rows]

    @property
    def partners(self) -> list[Partner]:
        """All customers, without the company's own contact."""
        return [Partner(self.db, "res.partner", row_id) for row_id in self.db.models["res.partner"].table.rows][1:]

    def record(self, external_id: str) -> tuple[str, int] | None:
        """Model and id of what an External ID names."""
        module, _, name = external_id.partition(".")
        table = self.db.external_ids.table
        for found in table.matching("name", name):
            row = table.rows[found]
            if row["module"] == module:
                return row["model"], row["res_id"]
        return None

    # ---- what its people do ------------------------------------------------------------------------------------------

    def add_product(
        self, default_code: str, name: str, price: Decimal | str = "0", *, service: bool = False, **values: Any
    ) -> int:
        """A product; its id. Like any product it comes with the company's default tax."""
        return self.add(
            "product.product",
            "",
            {
                "default_code": default_code,
                "name": name,
                "list_price": Decimal(price),
                "type": "service" if service else "consu",
                **values,
            },
        )

    def add(self, model: str, external_id: str, values: Mapping[str, Any]) -> int:
        """A record of any model, with an External ID unless that is empty."""
        self.db.begin({})
        row_id = self.db.models[model].create_one(values)
        if external_id:
            self.db.external_ids.name_record(external_id, model, row_id)
        self._commit()
        return row_id

    def add_field(self, model: str, name: str, kind: str = "char", label: str = "") -> None:
        """A custom field, such as `x_mark`."""
        self.db.models[model].fields[name] = Field(name, kind, label or name)

    def act(self, model: str, method: str, *arguments: Any, **named: Any) -> Any:
        """What a person does in the browser: the same methods, without faults. Raises `OdooError`."""
        return self.apply(model, method, arguments, named)

    # ---- calls -------------------------------------------------------------------------------------------------------

    def authenticate(self, database: str, login: str, password: str) -> int | bool:
        """The user's id, or False."""
        self._know(database)
        known = login == self.settings.login and password == self.settings.key
        return _USER if known else False

    def authorise(self, database: str, user: Any, password: Any) -> None:
        """Every call brings its credentials. Raises AccessDenied."""
        self._know(database)
        if user != _USER or password != self.settings.key:
            raise errors.access_denied()

    def _know(self, database: str) -> None:
        if database != self.settings.database:
            raise OdooError("psycopg2.OperationalError", f'database "{database}" does not exist')

    async def call(self, model: str, method: str, arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """One call of a client, as one transaction after the others."""
        if self.settings.latency_s:
            await asyncio.sleep(self.settings.latency_s)
        async with self._one_at_a_time:
            return self.apply(model, method, arguments, named)

    def apply(self, model: str, method: str, arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
        """Run a method now; it commits, or raises `OdooError` and leaves nothing."""
        named = dict(named)
        self.db.begin(named.pop("context", None) or {})
        try:
            result = self._run(model, method, arguments, named)
            self.db.flush()
        except OdooError:
            self.db.back_to((0, 0))
            raise
        except TypeError as error:
            self.db.back_to((0, 0))
            raise OdooError("builtins.TypeError", str(error)) from error
        self._commit()
        return result

    def _run(self, name: str, method: str, arguments: Sequence[Any], named: Mapping[str, Any]) -> Any:
        model = self.db.models.get(name)
        if model is None:
            raise errors.no_model(name)
        if method.startswith("_"):
            raise errors.private_method(self.db.version, name, method)
        if method in model.on_model:
            return getattr(model, method)(*arguments, **named)
        if method not in model.on_records:
            raise errors.no_method(self.db.version, name, method)
        ids, *rest = arguments
        return getattr(model, method)([ids] if isinstance(ids, int) else ids, *rest, **named)

    def _commit(self) -> None:
        self.db.flush()
        for effect in self.db.commit():
            found = self._described(effect)
            self.journal.note(effect.what, found.external_id or f"{effect.model},{effect.row_id}", found)

    def _described(self, effect: Effect) -> Document:
        row = effect.gone or self.db.models[effect.model].table.rows[effect.row_id]
        return records.document(self.db, effect.model, effect.row_id, row)

    # ---- a new database ----------------------------------------------------------------------------------------------

    def _found(self) -> None:
        """What every database holds from the first day."""
        settings = self.settings
        for currency in Currency:
            self._add_currency(currency)
        for code, name in geography.COUNTRIES.items():
            country = self.add("res.country", geography.external_id(code), {"code": code, "name": name})
            for state, called in geography.STATES.get(code, {}).items():
                values = {"code": state, "name": called, "country_id": country}
                self.add("res.country.state", f"base.state_{code.lower()}_{state.lower()}", values)
        own = self.add("res.partner", "base.main_partner", {"name": settings.company, "is_company": True})
        company: dict[str, Any] = {"name": settings.company, "partner_id": own}
        company["currency_id"] = self._id(f"base.{settings.currency}")
        company["country_id"] = self._id(geography.external_id(settings.country))
        if settings.rounding:
            company["tax_calculation_rounding_method"] = settings.rounding
        self.add("res.company", "base.main_company", company)
        self.add("uom.uom", "uom.product_uom_unit", {"name": "Units"})
        self.add("stock.warehouse", "stock.warehouse0", {"name": settings.company, "code": "WH"})
        for login in ("__system__", settings.login):
            self.add("res.users", "", {"login": login, "name": login, "tz": settings.zone, "lang": "en_US"})
        self.add("ir.config_parameter", "", {"key": "database.uuid", "value": settings.uuid})
        self.journal.entries.clear()

    def _add_currency(self, currency: Currency) -> None:
        if currency.exponent is None:
            return
        values = {
            "name": currency.code,
            "full_name": currency.currency_name,
            "symbol": currency.code,
            "decimal_places": currency.exponent,
            "rounding": Decimal(1).scaleb(-currency.exponent),
            "active": currency.code in ("EUR", "USD", self.settings.currency),
        }
        self.add("res.currency", f"base.{currency.code}", values)

    def _id(self, external_id: str) -> int:
        found = self.record(external_id)
        if found is None:
            raise LookupError(f"the database holds nothing named {external_id!r}")
        return found[1]
