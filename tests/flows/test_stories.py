"""One order from its sale to its refund: what the API tells of it, across everything that belongs to it."""

from collections.abc import AsyncIterator
from decimal import Decimal

import grpc
import pytest_asyncio

from service.api import api_server
from simulators.woocommerce import Item
from tallystick.canonical.keys import order_key
from tallystick.canonical.money import amount
from tallystick.stack import Stack
from tallystick.v1 import order_sync_pb2, order_sync_pb2_grpc, record_pb2, record_pb2_grpc
from tests.flows.company import ODOO, WOO, Company, Options
from tests.flows.conftest import new_company

_DEADLINE_S = 30.0
_TOPICS = ("order_transactions/create", "orders/risk_assessment_changed")


@pytest_asyncio.fixture(scope="module")
async def company(stack: Stack) -> AsyncIterator[Company]:
    """A company that carries money there and parcels back."""
    flows = {"refunds": "live", "payments": "live", "fulfilments": "live"}
    options = Options(flows, {"trust_bodies": False}, _TOPICS, poll_every_s=1.0)
    async with new_company(stack, options) as company:
        yield company


async def test_an_order_that_was_paid_shipped_and_given_back_in_part(company: Company) -> None:
    """Everything by its name, its document and its state; the story in the order in which it happened."""
    bought = company.woo.place_order([Item("MUG", 3)])
    name = order_key(WOO, str(bought.id))
    await company.deliver()
    document = await company.document(WOO, bought.id)
    company.odoo.ship(document.external_id, carrier="DHL", tracking="1Z999")
    await _settled(company, name, "fulfilment")
    back = company.woo.refund(bought.id, back={bought.lines[0].id: 1})
    await company.deliver()
    (credit,) = await company.credited(WOO, bought.id)
    await _settled(company, name, "refund")

    async with (
        api_server(company.installation, company.pool, "127.0.0.1:0") as port,
        grpc.aio.insecure_channel(f"127.0.0.1:{port}") as channel,
    ):
        records = {one.kind: one for one in await _records(channel, name)}
        events = await _story(channel, name)
    assert set(records) == {"payment", "fulfilment", "refund"}
    assert {one.state for one in records.values()} == {order_sync_pb2.SYNC_STATE_SYNCED}
    paid, shipped, given = records["payment"], records["fulfilment"], records["refund"]
    assert (paid.connection, paid.target, amount(paid.money.amount)) == (WOO, ODOO, document.amount_total)
    assert (given.source_id, given.document_number) == (str(back.id), credit.name)
    assert amount(given.money.amount) == Decimal(str(back.amount))
    assert (shipped.connection, shipped.target) == (ODOO, WOO)
    assert [(one.carrier, one.number) for one in shipped.shipment.trackings] == [("DHL", "1Z999")]

    times = [event.at.ToNanoseconds() for event in events]
    assert times == sorted(times)
    applied = [one for one in events if one.kind == order_sync_pb2.ORDER_EVENT_KIND_APPLIED]
    first = {one.entity_type: applied.index(one) for one in reversed(applied)}
    assert sorted(first, key=first.__getitem__) == ["order", "payment", "fulfilment", "refund"]
    documents = {one.entity_type: one.document for one in applied}
    assert (documents["order"], documents["refund"]) == (document.name, credit.name)
    assert next(one.content for one in events if one.record == shipped.name and one.content) == "DHL 1Z999"


async def _settled(company: Company, name: str, kind: str) -> None:
    """Until something of that kind is where it belongs, and nothing of the order is under way."""

    async def there() -> bool:
        rows = await company.pool.fetch(
            """SELECT 1 FROM effect e WHERE lane_key = $1 AND entity_type = $2 AND state = 'APPLIED' AND NOT EXISTS (
               SELECT 1 FROM effect o WHERE o.lane_key = $1 AND o.unfinished)""",
            name,
            kind,
        )
        return bool(rows)

    await company.until(there)


async def _records(channel: grpc.aio.Channel, name: str) -> list[record_pb2.Record]:
    stub = record_pb2_grpc.RecordServiceStub(channel)
    answer = await stub.ListRecords(record_pb2.ListRecordsRequest(order=name), timeout=_DEADLINE_S)
    return list(answer.records)


async def _story(channel: grpc.aio.Channel, name: str) -> list[order_sync_pb2.OrderEvent]:
    stub = order_sync_pb2_grpc.OrderSyncServiceStub(channel)
    answer = await stub.ListOrderEvents(order_sync_pb2.ListOrderEventsRequest(name=name), timeout=_DEADLINE_S)
    return list(answer.events)
