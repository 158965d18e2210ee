"""Recorded calls of real servers, sent to the double word by word; its answers are the real ones.

Left out of the comparison: moments, names of orders, ids of pickings and of currencies, and tracebacks.
"""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from xmlrpc import client

import aiohttp
import pytest

from simulators.odoo import Odoo, application
from simulators.serving import serve
from tests.shared import shared

from .recorded import fill, name_customer, server

_SAMPLES = "vendors/odoo/samples"
_VOLATILE = {"write_date", "date_order", "picking_ids", "debug", "currency_id"}
Step = str | Callable[[Odoo], None]

#: In the order of the recording; a function is what happened in between.
_JSON_RPC: Sequence[Step] = (
    "jsonrpc_version",
    "jsonrpc_authenticate_ok",
    "jsonrpc_authenticate_wrong_password",
    "jsonrpc_err_unknown_model",
    "jsonrpc_err_unknown_method",
    "jsonrpc_err_unknown_field",
    "jsonrpc_err_missing_required",
    "jsonrpc_err_bad_selection",
    "jsonrpc_err_bad_datetime",
    "partner_create_b2b",
    "partner_read_b2b",
    name_customer,
    "err_duplicate_external_id",
    "sale_order_create",
    "sale_order_read_draft",
    "sale_order_line_search_read",
    lambda odoo: _same_reference(odoo),
    "sale_order_find_by_client_order_ref",
    "sale_order_action_confirm",
    "sale_order_read_confirmed",
    "err_unlink_confirmed",
    "sale_order_load_first",
    "ir_model_data_lookup",
    "sale_order_load_again",
    lambda odoo: fill(odoo, orders=37, lines=61),
    lambda odoo: fill(odoo, orders=38, lines=62),
    "sale_order_write_lines",
    "sale_order_action_cancel_draft",
)
_JSON_2: Sequence[Step] = (
    "json2_context_get",
    "json2_fields_get",
    "json2_load",
    "json2_search_read",
    "json2_err_no_key",
    "json2_err_bad_key",
    "json2_err_malformed_json",
    "json2_err_missing_arg",
    "json2_err_unknown_kwarg",
    "json2_err_unknown_model",
    "json2_err_unknown_method",
    "json2_err_private_method",
    "json2_err_missing_required",
    "json2_err_missing_record_write",
    lambda odoo: fill(odoo, orders=39),
    "json2_sale_order_create",
    "json2_sale_order_read",
    "json2_write",
    "json2_action_confirm",
    "json2_err_user_error",
)
_XML_RPC = ("missing_record", "missing_required", "private", "unknown_model", "user_error", "wrong_password")


def _same_reference(odoo: Odoo) -> None:
    odoo.act("sale.order", "create", {"partner_id": odoo.partners[0].id, "client_order_ref": "SHOP-100045"})


def sample(name: str) -> dict[str, Any]:
    """One recorded call."""
    found: dict[str, Any] = json.loads(shared(f"{_SAMPLES}/{name}.json").read_text(encoding="utf-8"))
    return found


async def send(odoo: Odoo, address: str, request: Mapping[str, Any]) -> tuple[int, dict[str, str], Any]:
    """The double's answer to a recorded request: status, headers, body."""
    body, headers = request["body"], dict(request["headers"])
    if "bad" not in request["sample"] and "Authorization" in headers:
        headers["Authorization"] = f"bearer {odoo.settings.key}"
    data = body if isinstance(body, str) else json.dumps(body)
    url = address + request["path"]
    async with (
        aiohttp.ClientSession() as session,
        session.request(request["method"], url, data=data.encode(), headers=headers) as response,
    ):
        is_json = response.content_type == "application/json"
        return response.status, dict(response.headers), await (response.json() if is_json else response.text())


def comparable(content: Any, name: str = "") -> Any:
    """Without what no two servers share."""
    if name == "currency_id" and isinstance(content, list):
        return content[1]
    if name in _VOLATILE:
        return type(content).__name__
    if isinstance(content, dict):
        return {key: comparable(value, key) for key, value in content.items()}
    if isinstance(content, list):
        return [comparable(value) for value in content]
    return "S#####" if isinstance(content, str) and re.fullmatch(r"S\d{5}", content) else content


async def replay(odoo: Odoo, address: str, name: str) -> None:
    """Send one recorded request and compare."""
    recorded = sample(name)
    status, headers, body = await send(odoo, address, {**recorded["request"], "sample": name})
    response = recorded["response"]
    assert status == response["status"], name
    for header, value in response["headers"].items():
        assert headers[header].strip() == value.strip(), name
    expected, found = comparable(response["body"]), comparable(body)
    if name in _NEW_IDS:
        expected, found = _shape(expected), _shape(found)
    if "ir_model_data" in name:
        expected["result"][0].pop("id"), found["result"][0].pop("id")
    assert found == expected, name


#: They made records of which the recorded server had many more.
_NEW_IDS = ("19.0_json2_load",)


def _shape(content: Any) -> Any:
    if isinstance(content, dict):
        return {key: _shape(value) for key, value in content.items()}
    return [_shape(value) for value in content] if isinstance(content, list) else type(content)


async def replay_all(odoo: Odoo, steps: Sequence[Step]) -> None:
    """One conversation from its beginning."""
    async with serve(application(odoo)) as address:
        for step in steps:
            if isinstance(step, str):
                await replay(odoo, address, f"{odoo.settings.version}_{step}")
            else:
                step(odoo)


@pytest.mark.parametrize("version", ["16.0", "19.0"])
async def test_a_recorded_conversation(version: str) -> None:
    """From the first look at the version to the cancelled order, 25 calls."""
    shared(_SAMPLES)
    await replay_all(server(version), _JSON_RPC)


async def test_a_recorded_conversation_over_json2() -> None:
    """Which found the customer and the pricelist of the other conversation there."""
    shared(_SAMPLES)
    odoo = server("19.0")
    await replay_all(odoo, ["partner_create_b2b", *_JSON_2])


@pytest.mark.parametrize("version", ["16.0", "19.0"])
@pytest.mark.parametrize("name", _XML_RPC)
async def test_recorded_faults(version: str, name: str) -> None:
    """Code and words of each fault; how the XML is written is the library's affair."""
    recorded = sample(f"{version}_xmlrpc_{name}")
    odoo = server(version)
    fill(odoo, orders=26)
    odoo.act("sale.order", "action_confirm", [26])
    async with serve(application(odoo)) as address:
        status, headers, body = await send(odoo, address, {**recorded["request"], "sample": name})
    assert (status, headers["Content-Type"]) == (200, "text/xml; charset=utf-8")
    assert _fault(body) == _fault(recorded["response"]["body"])


def _fault(text: str) -> tuple[int, str]:
    with pytest.raises(client.Fault) as raised:
        client.loads(text)
    return raised.value.faultCode, raised.value.faultString
