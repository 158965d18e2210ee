"""The company and what stands around it: currencies, countries, users, parameters, warehouses."""

from collections.abc import Sequence
from typing import ClassVar, cast

from ..fields import ACTIVE, Field
from ..model import Model, Values
from ..table import Row
from .stock import Locations, PickingTypes

_CURRENCY = (
    Field("name", "char", "Currency", required=True),
    Field("full_name", "char", "Name"),
    Field("symbol", "char", "Symbol", required=True),
    Field("rounding", "float", "Rounding Factor"),
    Field("decimal_places", "integer", "Decimal Places", readonly=True),
    ACTIVE,
)
_ROUNDING_16 = (("round_per_line", "Round per Line"), ("round_globally", "Round Globally"))
_ROUNDING = (("round_globally", "Round per Tax"), ("round_per_line", "Round per Line"))
_COMPANY = (
    Field("name", "char", "Company Name", required=True),
    Field("partner_id", "many2one", "Partner", "res.partner", required=True),
    Field("currency_id", "many2one", "Currency", "res.currency", required=True),
    Field("country_id", "many2one", "Country", "res.country", store=False),
    Field(
        "tax_calculation_rounding_method",
        "selection",
        "Tax Calculation Rounding Method",
        selection=_ROUNDING_16,
        default="round_per_line",
        only=16,
    ),
    Field(
        "tax_calculation_rounding_method",
        "selection",
        "Tax Calculation Rounding Method",
        selection=_ROUNDING,
        default="round_globally",
        only=19,
    ),
    Field("account_sale_tax_id", "many2one", "Default Sale Tax", "account.tax"),
    ACTIVE,
)
_COUNTRY = (Field("name", "char", "Country Name", required=True), Field("code", "char", "Country Code", required=True))
_STATE = (
    Field("name", "char", "State Name", required=True),
    Field("code", "char", "State Code", required=True),
    Field("country_id", "many2one", "Country", "res.country", required=True),
)
_USER = (
    Field("name", "char", "Name", store=False),
    Field("login", "char", "Login", required=True),
    Field("tz", "char", "Timezone", store=False),
    Field("lang", "char", "Language", store=False),
    Field("company_id", "many2one", "Company", "res.company", required=True, default=1),
    ACTIVE,
)
_PARAMETER = (Field("key", "char", "Key", required=True), Field("value", "text", "Value", required=True))
_WAREHOUSE = (
    Field("name", "char", "Warehouse", required=True),
    Field("code", "char", "Short Name", required=True),
    Field("company_id", "many2one", "Company", "res.company", required=True, readonly=True, default=1),
    Field("lot_stock_id", "many2one", "Location Stock", "stock.location", required=True),
    ACTIVE,
)


class Currencies(Model):
    """Active only where somebody switched them on."""

    name: ClassVar[str] = "res.currency"
    label: ClassVar[str] = "Currency"
    order: ClassVar[str] = "active desc, name"
    declared: ClassVar[Sequence[Field]] = _CURRENCY


class Companies(Model):
    """One."""

    name: ClassVar[str] = "res.company"
    label: ClassVar[str] = "Companies"
    order: ClassVar[str] = "name"
    declared: ClassVar[Sequence[Field]] = _COMPANY


class Countries(Model):
    """By ISO code."""

    name: ClassVar[str] = "res.country"
    label: ClassVar[str] = "Country"
    order: ClassVar[str] = "name"
    declared: ClassVar[Sequence[Field]] = _COUNTRY


class States(Model):
    """Of a country."""

    name: ClassVar[str] = "res.country.state"
    label: ClassVar[str] = "Country state"
    order: ClassVar[str] = "code"
    declared: ClassVar[Sequence[Field]] = _STATE


class Warehouses(Model):
    """Where goods lie."""

    name: ClassVar[str] = "stock.warehouse"
    label: ClassVar[str] = "Warehouse"
    order: ClassVar[str] = "id"
    declared: ClassVar[Sequence[Field]] = _WAREHOUSE

    def fill(self, row: Row, given: Values) -> None:
        row["lot_stock_id"] = self._places.create_one({"name": f"{row['code']}/Stock", "usage": "internal"})

    def changed(self, row_id: int, given: Values, before: Row | None) -> None:
        if before is None:
            cast(PickingTypes, self.db.models["stock.picking.type"]).equip(row_id)
            self._places.table.update(self.table.rows[row_id]["lot_stock_id"], {"warehouse_id": row_id})

    @property
    def _places(self) -> Locations:
        return cast(Locations, self.db.models["stock.location"])


class Users(Model):
    """The one that calls, among others."""

    name: ClassVar[str] = "res.users"
    label: ClassVar[str] = "User"
    order: ClassVar[str] = "name, login"
    declared: ClassVar[Sequence[Field]] = _USER
    on_model: frozenset[str] = Model.on_model | {"context_get"}

    def context_get(self) -> dict[str, object]:
        """Language and zone of the caller."""
        return {"lang": "en_US", "tz": self.db.settings.zone, "uid": self.db.user}


class Parameters(Model):
    """System parameters, such as `database.uuid`."""

    name: ClassVar[str] = "ir.config_parameter"
    label: ClassVar[str] = "System Parameter"
    order: ClassVar[str] = "key"
    declared: ClassVar[Sequence[Field]] = _PARAMETER
    on_model: frozenset[str] = Model.on_model | {"get_param"}
    rec_name: ClassVar[str] = "key"

    def get_param(self, key: str, default: object = False) -> object:
        """One value."""
        for row_id in self.table.matching("key", key):
            return self.table.rows[row_id]["value"]
        return default
