"""A double in the state in which the vendor's server was recorded: the same ids, names and amounts."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from simulators.odoo import Odoo, OdooSettings

#: What the two recorded servers called their things.
_CABINET, _DESK, _DELIVERY = "E-COM07", "DESK0005", "Delivery_009"


@dataclass(frozen=True, slots=True)
class Ids:
    """Database ids of one recorded server."""

    database: str
    pricelist: int
    cabinet: int
    desk: int
    delivery: int
    inside: int
    on_top: int
    partner: int
    desk_name: str
    desk_note: str


IDS = {
    "16.0": Ids("o16", 3, 17, 37, 42, 3, 4, 43, "(Custom, White)", "160x80cm, with large legs."),
    "19.0": Ids("o19", 4, 20, 15, 57, 51, 52, 45, "(White, Custom)", "160x80cm, with large legs"),
}


def server(version: str) -> Odoo:
    """As it was before the first recorded call."""
    ids = IDS[version]
    settings = OdooSettings(
        version=version, database=ids.database, login="admin", key="admin", company="YourCompany", currency="USD"
    )
    odoo = Odoo(settings)
    for name in ("Immediate Payment", "15 Days", "21 Days"):
        odoo.add("account.payment.term", "", {"name": name})
    for name in ("Free delivery", "The Poste"):
        odoo.add("delivery.carrier", "", {"name": name})
    _goods(odoo, ids)
    _money(odoo, ids)
    for number in range(len(odoo.partners) + 2, ids.partner):
        odoo.add("res.partner", "", {"name": f"Contact {number}"})
    fill(odoo, orders=25, lines=50)
    return odoo


def _goods(odoo: Odoo, ids: Ids) -> None:
    known = {
        ids.cabinet: (_CABINET, "Large Cabinet", ""),
        ids.desk: (_DESK, f"Customizable Desk {ids.desk_name}", ids.desk_note),
        ids.delivery: (_DELIVERY, "The Poste", ""),
    }
    for number in range(1, ids.delivery + 1):
        code, name, note = known.get(number, (f"P-{number}", f"Product {number}", ""))
        odoo.add_product(code, name, "1", service=code == _DELIVERY, description_sale=note)
    odoo.act("ir.model.data", "create", _named("sku_E_COM07", "product.product", ids.cabinet))


def _money(odoo: Odoo, ids: Ids) -> None:
    for number in range(1, ids.on_top + 1):
        inside = number == ids.inside
        how: Mapping[str, Any] = {"price_include": inside}
        if odoo.settings.major > 16:
            how = {"price_include_override": "tax_included" if inside else "tax_excluded"}
        odoo.add("account.tax", "", {"name": f"7% {number}", "amount": 7, **how})
    for number in range(1, ids.pricelist + 1):
        name = "THB store" if number == ids.pricelist else f"Pricelist {number}"
        odoo.add("product.pricelist", "", {"name": name, "currency_id": odoo.id_of("base.THB")})
    rule = {"pricelist_id": ids.pricelist, "product_id": ids.cabinet, "fixed_price": 999}
    odoo.add("product.pricelist.item", "", rule)


def _named(name: str, model: str, row_id: int) -> Mapping[str, Any]:
    return {"module": "__import__", "name": name, "model": model, "res_id": row_id}


def name_customer(odoo: Odoo) -> None:
    """The recorded customer got its External ID by hand."""
    partner = IDS[odoo.settings.version].partner
    odoo.act("ir.model.data", "create", _named("cust_B2B_1001", "res.partner", partner))


def fill(odoo: Odoo, *, orders: int, lines: int = 0) -> None:
    """Orders until there are so many, of which the last gets lines until there are so many."""
    table = odoo.db.models["sale.order.line"].table
    while len(odoo.orders) < orders:
        odoo.act("sale.order", "create", {"partner_id": odoo.partners[0].id})
    missing = max(0, lines - len(table.rows))
    commands = [(0, 0, {"product_id": 1})] * missing
    odoo.act("sale.order", "write", [odoo.orders[-1].id], {"order_line": commands})
