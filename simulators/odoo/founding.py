"""What every database holds from the first day: currencies, countries, the company, a warehouse, the user."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from iso4217 import Currency

from . import geography
from .database import Database
from .settings import OdooSettings


def found(db: Database) -> None:
    """Fill a new database, in one transaction."""
    for currency in _currencies():
        active = currency["name"] in ("EUR", "USD", db.settings.currency)
        plant(db, "res.currency", f"base.{currency['name']}", {**currency, "active": active})
    for code, name in geography.COUNTRIES.items():
        _add_country(db, code, name)
    _add_company(db, db.settings)
    plant(db, "account.journal", "", {"name": "Customer Invoices", "code": "INV", "type": "sale"})
    plant(db, "product.category", "product.product_category_all", {"name": "All"})
    plant(db, "uom.uom", "uom.product_uom_unit", {"name": "Units"})
    plant(db, "stock.location", "stock.stock_location_customers", {"name": "Customers", "usage": "customer"})
    warehouse = plant(db, "stock.warehouse", "stock.warehouse0", {"name": db.settings.company, "code": "WH"})
    stock = db.models["stock.warehouse"].table.rows[warehouse]["lot_stock_id"]
    db.external_ids.name_record("stock.stock_location_stock", "stock.location", stock)
    for login in ("__system__", db.settings.login):
        plant(db, "res.users", "", {"login": login, "name": login, "tz": db.settings.zone, "lang": "en_US"})
    plant(db, "ir.config_parameter", "", {"key": "database.uuid", "value": db.settings.uuid})


def plant(db: Database, model: str, external_id: str, values: Mapping[str, Any]) -> int:
    """A record, with an External ID unless that is empty; its id."""
    row_id = db.models[model].create_one(values)
    if external_id:
        db.external_ids.name_record(external_id, model, row_id)
    return row_id


@cache
def _currencies() -> list[dict[str, Any]]:
    """All that have coins."""
    return [
        {
            "name": currency.code,
            "full_name": currency.currency_name,
            "symbol": currency.code,
            "decimal_places": currency.exponent,
            "rounding": Decimal(1).scaleb(-currency.exponent),
        }
        for currency in Currency
        if currency.exponent is not None
    ]


def _add_country(db: Database, code: str, name: str) -> None:
    country = plant(db, "res.country", geography.external_id(code), {"code": code, "name": name})
    for state, called in geography.STATES.get(code, {}).items():
        values = {"code": state, "name": called, "country_id": country}
        plant(db, "res.country.state", f"base.state_{code.lower()}_{state.lower()}", values)


def _add_company(db: Database, settings: OdooSettings) -> None:
    values: dict[str, Any] = {
        "name": settings.company,
        "partner_id": plant(db, "res.partner", "base.main_partner", {"name": settings.company, "is_company": True}),
        "currency_id": db.external_ids.named(f"base.{settings.currency}"),
        "country_id": db.external_ids.named(geography.external_id(settings.country)),
    }
    if settings.rounding:
        values["tax_calculation_rounding_method"] = settings.rounding
    plant(db, "res.company", "base.main_company", values)
