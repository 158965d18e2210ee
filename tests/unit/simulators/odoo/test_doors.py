"""The HTTP doors: what each answers, in which form, and what an outage or a fault makes of it."""

from collections.abc import AsyncIterator
from typing import Any
from xmlrpc import client

import aiohttp
import pytest

from simulators.faults import Fault, Rule
from simulators.odoo import Odoo, OdooSettings, application
from simulators.serving import serve

from .orders import BUYER, MODULE, Sold, load, loaded


class Doors:
    """Calls over HTTP, with the right credentials."""

    def __init__(self, odoo: Odoo, address: str, session: aiohttp.ClientSession) -> None:
        self.odoo = odoo
        self.address = address
        self.session = session

    async def post(self, path: str, body: Any, **headers: str) -> tuple[int, str, Any]:
        """Status, content type, body."""
        found = {"Content-Type": "application/json", **headers}
        data = body if isinstance(body, bytes) else aiohttp.payload.JsonPayload(body)
        async with self.session.post(self.address + path, data=data, headers=found) as response:
            is_json = response.content_type == "application/json"
            return response.status, response.content_type, await (response.json() if is_json else response.text())

    async def rpc(self, service: str, method: str, *arguments: Any) -> Any:
        """The JSON-RPC envelope."""
        params = {"service": service, "method": method, "args": list(arguments)}
        status, _, body = await self.post("/jsonrpc", {"jsonrpc": "2.0", "method": "call", "params": params, "id": 7})
        assert status == 200
        return body

    async def call(self, model: str, method: str, *arguments: Any, **named: Any) -> Any:
        """The envelope of a method's answer."""
        settings = self.odoo.settings
        who = (settings.database, 2, settings.key)
        return await self.rpc("object", "execute_kw", *who, model, method, list(arguments), named)

    async def json2(self, path: str, body: Any, **headers: str) -> tuple[int, str, Any]:
        key = {"Authorization": f"bearer {self.odoo.settings.key}"}
        return await self.post(f"/json/2/{path}", body, **{**key, **headers})

    async def xml(self, service: str, method: str, *arguments: Any) -> Any:
        """The value, or the raised `Fault`."""
        text = client.dumps(arguments, method)
        _, _, body = await self.post(f"/xmlrpc/2/{service}", text.encode(), **{"Content-Type": "text/xml"})
        return client.loads(body)[0][0]


@pytest.fixture
async def doors(odoo: Odoo) -> AsyncIterator[Doors]:
    async with serve(application(odoo)) as address, aiohttp.ClientSession() as session:
        yield Doors(odoo, address, session)


@pytest.fixture
async def doors_19(odoo_19: Odoo) -> AsyncIterator[Doors]:
    async with serve(application(odoo_19)) as address, aiohttp.ClientSession() as session:
        yield Doors(odoo_19, address, session)


# ---- JSON-RPC ------------------------------------------------------------------------------------------------------


async def test_version_and_credentials(doors: Doors) -> None:
    settings = doors.odoo.settings
    body = await doors.rpc("common", "version")
    assert body["result"]["server_version_info"] == [settings.major, 0, 0, "final", 0, ""]
    assert (body["jsonrpc"], body["id"]) == ("2.0", 7)
    assert (await doors.rpc("common", "authenticate", "demo", "tallystick", settings.key, {}))["result"] == 2
    assert (await doors.rpc("common", "authenticate", "demo", "tallystick", "wrong", {}))["result"] is False
    body = await doors.rpc("object", "execute_kw", "demo", 2, "wrong", "res.partner", "search", [[]])
    assert body["error"]["data"]["name"] == "odoo.exceptions.AccessDenied"
    body = await doors.rpc("common", "authenticate", "other", "tallystick", settings.key, {})
    assert body["error"]["data"]["message"] == 'database "other" does not exist'
    assert "Method not available" in (await doors.rpc("db", "list"))["error"]["data"]["message"]


async def test_the_code_of_an_error_differs_and_its_name_does_not(doors: Doors) -> None:
    error = (await doors.call("sale.order", "create", {"nope": 1}))["error"]
    assert error["code"] == (200 if doors.odoo.settings.major == 16 else 0)
    assert error["message"] == "Odoo Server Error"
    assert error["data"]["name"] == "builtins.ValueError"
    assert set(error["data"]) == {"name", "message", "arguments", "context", "debug"}


async def test_a_method_without_a_result_has_none_in_its_answer(doors: Doors) -> None:
    order = loaded(doors.odoo)
    assert await doors.call("sale.order", "action_quotation_sent", [order.id]) == {"jsonrpc": "2.0", "id": 7}
    assert order.state == "sent"


async def test_private_methods_are_refused(doors: Doors) -> None:
    error = (await doors.call("sale.order", "_action_confirm", [1]))["error"]["data"]
    assert error["name"] == "odoo.exceptions.AccessError"
    shown = "_action_confirm" if doors.odoo.settings.major == 16 else "'sale.order._action_confirm'"
    assert error["message"] == f"Private methods (such as {shown}) cannot be called remotely."


async def test_a_load_over_http(doors: Doors) -> None:
    fields = ["id", "partner_id/id", "order_line/product_id", "order_line/price_unit"]
    rows = [["so_1", f"{MODULE}.{BUYER}", "MUG", "10.5"], ["", "", "DESK", "20"]]
    assert (await doors.call("sale.order", "load", fields, rows))["result"] == {
        "ids": [1],
        "messages": [],
        "nextrow": 0,
    }
    assert (await doors.call("sale.order", "read", 1, ["amount_untaxed"]))["result"] == [
        {"id": 1, "amount_untaxed": 30.5}
    ]


async def test_other_bodies_and_paths(doors: Doors) -> None:
    old = doors.odoo.settings.major == 16
    status, kind, _ = await doors.post("/jsonrpc", b"{}", **{"Content-Type": "text/plain"})
    assert (status, kind) == (400 if old else 415, "text/html")
    assert (await doors.post("/jsonrpc", b"{nope"))[:2] == (400, "text/html")
    assert (await doors.post("/jsonrpc", b"[]"))[:2] == (400, "text/html")
    assert (await doors.post("/nowhere", b"{}"))[:2] == (404, "text/html")
    async with doors.session.get(doors.address + "/web/version") as response:
        if old:
            assert (response.status, response.content_type) == (404, "text/html")
        else:
            assert await response.json() == {"version_info": [19, 0, 0, "final", 0, ""], "version": "19.0"}


# ---- outages and faults --------------------------------------------------------------------------------------------


async def test_an_outage_cuts_or_shows_a_page(doors: Doors) -> None:
    doors.odoo.down = True
    with pytest.raises(aiohttp.ClientError):
        await doors.call("res.partner", "search", [])
    doors.odoo.settings.behind_proxy = True
    assert (await doors.post("/jsonrpc", {}))[:2] == (502, "text/html")
    doors.odoo.down = False
    assert (await doors.call("res.partner", "search", []))["result"]


async def test_a_lost_reply_is_applied(doors: Doors) -> None:
    doors.odoo.faults.rules.append(Rule(Fault.LOST_REPLY, "sale.order.action_confirm", first=1))
    order = loaded(doors.odoo)
    with pytest.raises(aiohttp.ClientError):
        await doors.call("sale.order", "action_confirm", [order.id])
    assert order.state == "sale"
    assert len(doors.odoo.journal.of("confirmed")) == 1


async def test_a_late_call_is_applied_after_it_was_given_up(doors: Doors) -> None:
    doors.odoo.faults.rules.append(Rule(Fault.LATE_APPLY, "sale.order.*", first=1, seconds=0.05))
    order = loaded(doors.odoo)
    with pytest.raises(aiohttp.ClientError):
        await doors.call("sale.order", "action_confirm", [order.id])
    assert order.state == "draft"
    await doors.odoo.faults.settle()
    assert order.state == "sale"


async def test_operations_of_faults_have_names(doors: Doors) -> None:
    rules = [Rule(Fault.SERVER_ERROR, name, first=1, status=503) for name in ("common.version", "res.partner.search")]
    doors.odoo.faults.rules += rules
    assert (await doors.post("/jsonrpc", {"params": {"service": "common", "method": "version"}}))[0] == 503
    with pytest.raises(AssertionError):
        await doors.call("res.partner", "search", [])
    assert [rule.struck for rule in rules] == [1, 1]


# ---- XML-RPC -------------------------------------------------------------------------------------------------------


async def test_xml_rpc_answers_and_faults(doors: Doors) -> None:
    settings = doors.odoo.settings
    assert (await doors.xml("common", "version"))["server_serie"] == settings.version
    who = (settings.database, 2, settings.key)
    assert await doors.xml("object", "execute_kw", *who, "sale.order", "search", [[]], {}) == []
    for method, arguments, code in (
        ("write", [[99], {"origin": "x"}], 2),
        ("_write", [[99]], 4),
        ("create", [{"nope": 1}], 1),
    ):
        with pytest.raises(client.Fault) as raised:
            await doors.xml("object", "execute_kw", *who, "sale.order", method, arguments)
        assert raised.value.faultCode == code
    with pytest.raises(client.Fault) as raised:
        await doors.xml("object", "execute_kw", "demo", 2, "wrong", "sale.order", "search", [[]])
    assert (raised.value.faultCode, raised.value.faultString) == (3, "Access Denied")


async def test_an_xml_rpc_fault_may_follow_a_commit(doors: Doors) -> None:
    order = loaded(doors.odoo)
    who = ("demo", 2, doors.odoo.settings.key)
    with pytest.raises(client.Fault, match="cannot marshal None unless allow_none is enabled") as raised:
        await doors.xml("object", "execute_kw", *who, "sale.order", "action_quotation_sent", [[order.id]])
    assert raised.value.faultCode == 1
    assert order.state == "sent"


# ---- JSON-2 --------------------------------------------------------------------------------------------------------


async def test_json2_takes_names_and_answers_bare_values(doors_19: Doors) -> None:
    status, _, made = await doors_19.json2("res.partner/create", {"vals_list": [{"name": "Bea", "ref": "B"}]})
    assert (status, made) == (200, [doors_19.odoo.partners[-1].id])
    _, _, found = await doors_19.json2("res.partner/search_read", {"domain": [["ref", "=", "B"]], "fields": ["name"]})
    assert found == [{"id": made[0], "name": "Bea"}]
    assert (await doors_19.json2("res.partner/write", {"ids": made, "vals": {"ref": "C"}}))[2] is True
    assert (await doors_19.json2("res.partner/toggle_active", {"ids": made}))[::2] == (200, None)


@pytest.mark.parametrize(
    ("path", "body", "headers", "status", "kind"),
    [
        ("res.partner/search", {"domain": []}, {"X-Odoo-Database": "other"}, 404, "text/html"),
        ("res.partner/search", {"domain": []}, {"Content-Type": "text/plain"}, 415, "text/html"),
        ("res.partner/search", {"domain": []}, {"Authorization": ""}, 401, "application/json"),
        ("res.partner/search", {"domain": []}, {"Authorization": "bearer nope"}, 401, "application/json"),
        ("res.partner/search", {"domain": [], "ids": [1]}, {}, 422, "application/json"),
        ("res.partner/search", {}, {}, 422, "application/json"),
        ("sale.order/write", {"ids": [1], "vals": {"picking_policy": "zzz"}}, {}, 500, "application/json"),
        ("sale.order/_write", {"ids": [1]}, {}, 403, "application/json"),
        ("sale.order/nope", {}, {}, 404, "application/json"),
        ("no.such/search", {}, {}, 404, "application/json"),
    ],
)
async def test_json2_refuses_with_a_status(
    doors_19: Doors, path: str, body: Any, headers: dict[str, str], status: int, kind: str
) -> None:
    loaded(doors_19.odoo)
    assert (await doors_19.json2(path, body, **headers))[:2] == (status, kind)


async def test_json2_is_not_in_16(odoo_16: Odoo) -> None:
    async with serve(application(odoo_16)) as address, aiohttp.ClientSession() as session:
        assert (await Doors(odoo_16, address, session).json2("res.partner/search", {"domain": []}))[:2] == (
            404,
            "text/html",
        )


def test_other_versions_are_not_known() -> None:
    with pytest.raises(ValueError, match=r"knows Odoo 16\.0 and 19\.0"):
        OdooSettings(version="17.0")


def test_a_company_may_have_any_currency_and_zone() -> None:
    odoo = Odoo(OdooSettings(currency="THB", country="TH", zone="Asia/Bangkok"))
    company = odoo.act("res.company", "read", [1], ["currency_id", "country_id", "tax_calculation_rounding_method"])[0]
    assert company["currency_id"][1] == "THB"
    assert company["country_id"][1] == "Thailand"
    assert company["tax_calculation_rounding_method"] == "round_globally"
    assert odoo.act("res.users", "context_get")["tz"] == "Asia/Bangkok"


async def test_fifty_orders_in_one_call(doors: Doors) -> None:
    """As the adapter sends them; the answer names one id for each, in their order."""
    answer = load(doors.odoo, *((str(number), [Sold(), Sold("DESK"), Sold("SHIPPING")]) for number in range(50)))
    assert answer["ids"] == list(range(1, 51))
    read = await doors.call("sale.order", "read", answer["ids"], ["client_order_ref"])
    assert [row["client_order_ref"] for row in read["result"]] == [f"R-{number}" for number in range(50)]
