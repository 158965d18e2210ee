"""A real Odoo company for the live suite: seeded with what it lacks, and read past the adapter.

All that is seeded has External IDs of the module `tallystick_demo`, so a second run changes nothing.
"""

import itertools
import uuid
from collections.abc import Sequence
from typing import Any, Self

import aiohttp
from yarl import URL

from adapters.odoo.settings import OdooSettings
from tallystick.registry import Pace
from tallystick.secrets import Secret

MUG, DESK, POSTER = "TALLYSTICK-MUG", "TALLYSTICK-DESK", "TALLYSTICK-POSTER"
_PRODUCTS = {MUG: "Mug", DESK: "Desk", POSTER: "Poster", "SHIPPING": "Shipping", "ROUNDING": "Rounding"}
_RATES = ("7", "8", "10", "19", "20")
_CURRENCIES = ("EUR", "JPY", "KWD", "USD")
_TIMEOUT = aiohttp.ClientTimeout(total=120)
Record = dict[str, Any]


class OdooCompany:
    """Plain JSON-RPC as a person's client would speak it. `address` is `http://login@host:port/?db=name`."""

    def __init__(self, address: str, key: str) -> None:
        url = URL(address)
        self._base = str(url.with_user(None).with_query(None)).rstrip("/")
        self._database, self._login, self._key = url.query["db"], url.user or "admin", key
        self._numbers = itertools.count(1)
        self._uid = 0
        self.version = 0

    async def open(self) -> Self:
        """Sign in and seed."""
        told = await self._ask("common", "version", [])
        self.version = int(told["server_version_info"][0])
        self._uid = await self._ask("common", "authenticate", [self._database, self._login, self._key, {}])
        assert self._uid, "the live Odoo refuses the login or the key"
        await self._seed()
        return self

    def settings(self, **options: Any) -> OdooSettings:
        """Of a connection to it."""
        given = {
            "url": self._base,
            "database": self._database,
            "login": self._login,
            "api_key": Secret.of(self._key),
            "private_network": True,
            "pace": Pace(rate_per_s=1000, burst=1000, parallel=4),
        }
        return OdooSettings.model_validate({**given, **options})

    # ---- calls

    async def act(self, model: str, method: str, *args: Any, **kwargs: Any) -> Any:
        """Call a method as a person would. Raises `AssertionError` with Odoo's words."""
        signed = [self._database, self._uid, self._key, model, method, list(args), kwargs]
        return await self._ask("object", "execute_kw", signed)

    async def find(self, model: str, domain: Sequence[Any], *fields: str) -> list[Record]:
        """The records that match, archived ones left out."""
        found: list[Record] = await self.act(model, "search_read", list(domain), list(fields), order="id")
        return found

    async def _ask(self, service: str, method: str, args: list[Any]) -> Any:
        params = {"service": service, "method": method, "args": args}
        body = {"jsonrpc": "2.0", "method": "call", "params": params, "id": next(self._numbers)}
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.post(f"{self._base}/jsonrpc", json=body) as reply,
        ):
            content = await reply.json()
        assert "error" not in content, content["error"]["data"]["message"]
        return content.get("result")

    # ---- what stands in it

    @property
    def taxes(self) -> str:
        """The line's field of taxes."""
        return "tax_id" if self.version < 19 else "tax_ids"

    async def order(self, order_id: str | None) -> Record:
        """A sales order with its `lines`; their `taxes` are names of our External IDs."""
        fields = ("name", "state", "amount_untaxed", "amount_tax", "amount_total", "currency_id", "date_order")
        more = ("origin", "client_order_ref", "partner_id", "payment_term_id")
        (order,) = await self.find("sale.order", [["id", "=", int(order_id or 0)]], *fields, *more)
        order["lines"] = await self._lines(order["id"])
        return order

    async def _lines(self, order_id: int) -> list[Record]:
        fields = ("product_id", "name", "product_uom_qty", "price_unit", "price_total", "qty_delivered", self.taxes)
        lines = await self.find("sale.order.line", [["order_id", "=", order_id]], *fields)
        names = await self._tax_names({tax for line in lines for tax in line[self.taxes]})
        return [{**line, "taxes": [names[tax] for tax in line[self.taxes]]} for line in lines]

    async def _tax_names(self, ids: set[int]) -> dict[int, str]:
        domain = [["module", "=", "tallystick_demo"], ["model", "=", "account.tax"], ["res_id", "in", list(ids)]]
        return {row["res_id"]: row["name"] for row in await self.find("ir.model.data", domain, "res_id", "name")}

    async def id_of(self, external_id: str) -> int:
        """The record that an External ID leads to."""
        module, name = external_id.split(".")
        (row,) = await self.find("ir.model.data", [["module", "=", module], ["name", "=", name]], "res_id")
        return int(row["res_id"])

    async def orders_of(self, number: str) -> list[int]:
        """The orders with that number of the store; more than one is a doubled document."""
        return [row["id"] for row in await self.find("sale.order", [["client_order_ref", "=", number]], "id")]

    async def credit(self, move_id: str | None) -> Record:
        """A credit note with its `lines`; their `taxes` are names of our External IDs."""
        fields = ("name", "state", "move_type", "amount_untaxed", "amount_tax", "amount_total", "currency_id", "ref")
        more = ("invoice_origin", "invoice_date", "partner_id")
        (credit,) = await self.find("account.move", [["id", "=", int(move_id or 0)]], *fields, *more)
        domain = [["move_id", "=", credit["id"]], ["display_type", "=", "product"]]
        lines = await self.find("account.move.line", domain, "product_id", "quantity", "price_unit", "tax_ids")
        names = await self._tax_names({tax for line in lines for tax in line["tax_ids"]})
        credit["lines"] = [{**line, "taxes": [names[tax] for tax in line["tax_ids"]]} for line in lines]
        return credit

    async def credits_of(self, ref: str) -> list[int]:
        """The documents with that reference; more than one is a doubled credit."""
        return [row["id"] for row in await self.find("account.move", [["ref", "=", ref]], "id")]

    async def ship(self, order_id: int, quantity: float | None = None) -> None:
        """All goods leave, or so many pieces of each line and the rest stays open."""
        pickings = await self.find("stock.picking", [["sale_id", "=", order_id], ["state", "=", "assigned"]], "id")
        ids = [row["id"] for row in pickings]
        done = "quantity_done" if self.version < 17 else "quantity"
        for move in await self.find("stock.move", [["picking_id", "in", ids]], "product_uom_qty"):
            wanted = move["product_uom_qty"]
            values = {done: wanted if quantity is None else min(quantity, wanted)}
            values |= {} if self.version < 17 else {"picked": True}
            await self.act("stock.move", "write", [move["id"]], values)
        await self.act("stock.picking", "button_validate", ids, context={"skip_backorder": True})

    async def returns(self, order_id: int) -> list[Record]:
        """Transfers of goods that come back from the order's buyer, each with its `moves`."""
        domain = [["sale_line_id.order_id", "=", order_id], ["origin_returned_move_id", "!=", False]]
        moves = await self.find("stock.move", domain, "picking_id", "product_uom_qty", "to_refund", "state")
        ids = sorted({move["picking_id"][0] for move in moves})
        pickings = await self.find("stock.picking", [["id", "in", ids]], "name", "state", "origin", "sale_id")
        assert {picking["sale_id"][0] for picking in pickings} <= {order_id}
        return [{**one, "moves": [move for move in moves if move["picking_id"][0] == one["id"]]} for one in pickings]

    async def receive(self, picking_id: int) -> None:
        """The warehouse has the goods of a return."""
        if self.version < 17:
            for move in await self.find("stock.move", [["picking_id", "=", picking_id]], "product_uom_qty"):
                await self.act("stock.move", "write", [move["id"]], {"quantity_done": move["product_uom_qty"]})
        await self.act("stock.picking", "button_validate", [picking_id])

    async def stop_delivery(self, order_id: int) -> None:
        """What is open of an order's goods is not to leave any more."""
        rows = await self.find("stock.picking", [["sale_id", "=", order_id], ["state", "=", "assigned"]], "id")
        await self.act("stock.picking", "action_cancel", [row["id"] for row in rows])

    async def invoice(self, order_id: int) -> None:
        """An invoice of what was delivered, posted."""
        context = {"active_model": "sale.order", "active_ids": [order_id], "active_id": order_id}
        values = {"advance_payment_method": "delivered"}
        wizard = await self.act("sale.advance.payment.inv", "create", values, context=context)
        await self.act("sale.advance.payment.inv", "create_invoices", [wizard], context=context)
        (order,) = await self.find("sale.order", [["id", "=", order_id]], "invoice_ids")
        await self.act("account.move", "action_post", order["invoice_ids"])

    async def lock(self, order_id: int) -> None:
        """As a person locks a confirmed order."""
        await self.act("sale.order", "action_done" if self.version < 17 else "action_lock", [order_id])

    async def user(self, *groups: str) -> OdooSettings:
        """A connection as a user of these groups, given by External ID, and of no others."""
        field = "groups_id" if self.version < 19 else "group_ids"
        ids = [await self.id_of(group) for group in ("base.group_user", *groups)]
        login, password = f"tallystick-live-{len(ids)}", uuid.uuid4().hex
        values = {"name": login, "login": login, "password": password, field: [[6, 0, ids]]}
        known = await self.act("res.users", "search", [["login", "=", login]])
        await self.act("res.users", "write" if known else "create", *([known, values] if known else [values]))
        return self.settings(login=login, api_key=Secret.of(password))

    # ---- seed

    async def _seed(self) -> None:
        asleep = await self.act("res.currency", "search", [["name", "in", _CURRENCIES], ["active", "=", False]])
        if asleep:
            await self.act("res.currency", "write", asleep, {"active": True})
        await self._load("account.tax", await self._tax_rows())
        await self._load(
            "product.pricelist",
            [
                {"id": f"pricelist_{code.lower()}", "name": f"Tallystick {code}", "currency_id": code}
                for code in _CURRENCIES
            ],
        )
        await self._load("account.payment.term", [{"id": "term_by_hand", "name": "Tallystick by hand"}])
        await self._load("product.product", await self._product_rows())

    async def _tax_rows(self) -> list[dict[str, str]]:
        """Odoo 17 and later say by a word what 16 says by a yes or no."""
        known = await self.act("account.tax", "fields_get", ["price_include_override"])
        field, words = ("price_include_override", ("tax_included", "tax_excluded"))
        if not known:
            field, words = ("price_include", ("1", "0"))
        return [
            {
                "id": f"tax_{rate}_{basis}",
                "name": f"Tallystick {rate} % {basis}",
                "amount": rate,
                "type_tax_use": "sale",
                field: word,
            }
            for rate in _RATES
            for basis, word in zip(("included", "excluded"), words, strict=True)
        ]

    async def _product_rows(self) -> list[dict[str, str]]:
        """Those that nobody has; a second one with the same reference would be ambiguous."""
        found = await self.find("product.product", [["default_code", "in", list(_PRODUCTS)]], "default_code")
        there = {row["default_code"] for row in found}
        return [
            {"id": f"product_{code.lower()}", "name": name, "default_code": code, "list_price": "5"}
            for code, name in _PRODUCTS.items()
            if code not in there
        ]

    async def _load(self, model: str, rows: Sequence[dict[str, str]]) -> None:
        if not rows:
            return
        columns = list(rows[0])
        cells = [[f"tallystick_demo.{row['id']}", *list(row.values())[1:]] for row in rows]
        answer = await self.act(model, "load", columns, cells)
        assert answer["ids"], answer["messages"]
