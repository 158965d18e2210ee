"""Returns of Shopify: told by topics of their own, read with their order, whole, and in every state."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest

from adapters.shopify import documents
from adapters.shopify.adapter import ShopifyAdapter
from simulators.serving import serve
from simulators.shopify import RETURN_TOPICS, Cart, Item, Shop, application
from simulators.shopify.model import Order
from tallystick.clock import SystemClock
from tallystick.errors import Unauthorised, Unreadable
from tallystick.ports import NeedsRead, Reading, Window
from tallystick.registry import Pace
from tallystick.return_ports import ReturnSource
from tallystick.v1 import event_pb2, order_pb2, return_pb2
from tests.unit.adapters.shopify.shops import CONNECTION, MUG, TEA, VAT7, D, headers, settings


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.bucket.maximum = shop.bucket.restore_per_s = 40_000.0
    return shop


@pytest.fixture
async def adapter(shop: Shop) -> AsyncIterator[ShopifyAdapter]:
    async with serve(application(shop)) as address:
        quick = settings(address, pace=Pace(rate_per_s=1000, burst=1000, parallel=8))
        adapter = ShopifyAdapter(CONNECTION, quick, SystemClock())
        try:
            yield adapter
        finally:
            await adapter.close()


def sold(shop: Shop, *items: Item) -> Order:
    """Everything has left."""
    order = shop.place_order(Cart(list(items or (MUG, TEA)), currency="EUR"))
    shop.dispatch.ship(order.id, {line.id: line.item.quantity for line in order.lines})
    return order


async def parts(adapter: ShopifyAdapter, order: Order) -> list[Reading]:
    return list((await adapter.read_order(str(order.id))).parts)


async def only(adapter: ShopifyAdapter, order: Order) -> return_pb2.Return:
    (found,) = [one.returned for one in await parts(adapter, order) if one.type == event_pb2.ENTITY_TYPE_RETURN]
    assert found is not None
    return found


# ---- how they are told -------------------------------------------------------------------------------------------


def test_a_connection_that_is_not_told_of_returns_says_so() -> None:
    quiet = ShopifyAdapter(CONNECTION, settings(), SystemClock())
    assert isinstance(quiet, ReturnSource)
    assert "add returns/request, returns/approve" in quiet.lacks_returns
    told = settings(topics=("orders/create", *RETURN_TOPICS))
    assert ShopifyAdapter(CONNECTION, told, SystemClock()).lacks_returns == ""


@pytest.mark.parametrize("topic", RETURN_TOPICS)
def test_every_topic_leads_to_a_read_of_the_order(shop: Shop, adapter: ShopifyAdapter, topic: str) -> None:
    """And is kept in the partition of its order, not of its own id."""
    raw = orjson.dumps({"id": 7, "status": "open", "order": {"id": 5}})
    found = adapter.reading(headers(topic, raw), raw)
    assert isinstance(found, NeedsRead)
    assert (found.type, found.object_id) == (event_pb2.ENTITY_TYPE_ORDER, "5")
    assert adapter.hint(headers(topic, raw), raw).object_id == "5"


def test_an_order_whose_body_names_a_return_is_read(shop: Shop, adapter: ShopifyAdapter) -> None:
    """Else a body and a read of one state would be two contents."""
    order = sold(shop)
    raw = orjson.dumps(shop.body(order))
    assert isinstance(adapter.reading(headers("orders/updated", raw), raw), Reading)
    made = shop.counter.open(order.id, {order.lines[0].id: 1})
    raw = orjson.dumps(shop.body(order))
    assert isinstance(adapter.reading(headers("orders/updated", raw), raw), NeedsRead)
    shop.refund(order.id, {order.lines[0].id: 1}, return_id=made.id)
    raw = orjson.dumps({**shop.body(order), "returns": []})
    assert isinstance(adapter.reading(headers("orders/updated", raw), raw), NeedsRead)


async def test_a_poll_brings_the_returns_of_the_orders_that_changed(shop: Shop, adapter: ShopifyAdapter) -> None:
    order, now = sold(shop), SystemClock().now()
    shop.counter.request(order.id, {order.lines[0].id: 1})
    window = Window(now - timedelta(hours=1), now + timedelta(hours=1))
    found = [one async for page in adapter.changed_orders(window) for one in page]
    (whole,) = [one for one in found if isinstance(one, Reading)]
    assert [part.type for part in whole.parts] == [event_pb2.ENTITY_TYPE_RETURN]


# ---- what they carry ---------------------------------------------------------------------------------------------


async def test_a_return_carries_what_its_document_needs(shop: Shop, adapter: ShopifyAdapter) -> None:
    order = sold(shop)
    made = shop.counter.request(order.id, {order.lines[0].id: 2}, "too-large")
    found = await only(adapter, order)
    assert (found.order_id, found.id, found.number) == (str(order.id), str(made.id), f"#{order.number}-R1")
    (line,) = found.lines
    assert (line.line_id, line.quantity, line.reason) == (str(order.lines[0].id), "2", "too-large")
    assert (line.kind, line.sku, line.title) == (order_pb2.LINE_KIND_GOODS, "MUG", "Mug")
    assert found.HasField("requested_at")


async def test_its_life(shop: Shop, adapter: ShopifyAdapter) -> None:
    order = sold(shop)
    line, counter = order.lines[0].id, shop.counter
    made = counter.request(order.id, {line: 2})
    seen = [(await only(adapter, order)).state]
    life: list[Callable[[], None]] = [
        lambda: counter.approve(made),
        lambda: counter.dispose(made, line, 1),
        lambda: counter.dispose(made, line, 1, "NOT_RESTOCKED"),
        lambda: counter.close(made),
        lambda: counter.reopen(made),
        lambda: counter.cancel(made),
    ]
    for happens in life:
        happens()
        seen.append((await only(adapter, order)).state)
    assert seen == [
        return_pb2.RETURN_STATE_REQUESTED,
        return_pb2.RETURN_STATE_OPEN,
        return_pb2.RETURN_STATE_OPEN,
        return_pb2.RETURN_STATE_RECEIVED,
        return_pb2.RETURN_STATE_CLOSED,
        return_pb2.RETURN_STATE_RECEIVED,
        return_pb2.RETURN_STATE_CANCELLED,
    ]


async def test_what_became_of_the_pieces_is_told_by_piece(shop: Shop, adapter: ShopifyAdapter) -> None:
    """FC-086: of what nothing is said, nothing is assumed."""
    order = sold(shop)
    line = order.lines[0].id
    made = shop.counter.open(order.id, {line: 3})
    shop.counter.dispose(made, line, 1, "RESTOCKED", location=17)
    shop.counter.dispose(made, line, 1, "PROCESSING_REQUIRED", location=18)
    (found,) = (await only(adapter, order)).lines
    assert [(one.quantity, one.disposition, one.location_id) for one in found.disposals] == [
        ("1", return_pb2.RETURN_DISPOSITION_RESTOCKED, "17"),
        ("1", return_pb2.RETURN_DISPOSITION_PROCESSING, "18"),
    ]
    assert (found.quantity, found.received_quantity) == ("3", "2")


async def test_a_return_and_its_refund_name_each_other(shop: Shop, adapter: ShopifyAdapter) -> None:
    order = sold(shop)
    made = shop.counter.open(order.id, {order.lines[0].id: 1})
    refund = shop.refund(order.id, {order.lines[0].id: 1}, return_id=made.id)
    found = await parts(adapter, order)
    assert [one.type for one in found] == [event_pb2.ENTITY_TYPE_REFUND, event_pb2.ENTITY_TYPE_RETURN]
    assert found[0].refund is not None
    assert found[0].refund.return_id == str(made.id)
    assert list((await only(adapter, order)).refund_ids) == [str(refund.id)]


async def test_a_return_of_more_lines_than_a_page_shows(shop: Shop, adapter: ShopifyAdapter) -> None:
    """FC-075: and the same variant on all of them."""
    number = documents.RETURN_LINES + 3
    order = sold(shop, *(Item(f"Mug {n}", D("19.99"), 1, sku="MUG", rates=VAT7) for n in range(number)))
    shop.counter.open(order.id, {line.id: 1 for line in order.lines})
    found = await only(adapter, order)
    assert [line.line_id for line in found.lines] == [str(line.id) for line in order.lines]


async def test_goods_that_stand_on_no_line_are_found(shop: Shop, adapter: ShopifyAdapter) -> None:
    order = sold(shop)
    shop.counter.open(order.id, {order.lines[0].id: 1})
    shown = shop.counter.roots["return"]

    def unverified(values: Any) -> Any:
        node = dict(shown(values) or {})
        lines = [{**one, "fulfillmentLineItem": None} for one in node["returnLineItems"].items]
        return {**node, "returnLineItems": type(node["returnLineItems"])(lines)}

    shop.roots["return"] = unverified
    (found,) = await parts(adapter, order)
    assert [one.reason for one in found.findings] == ["DATA"]


async def test_without_the_scope_nothing_is_taken_for_no_return(shop: Shop, adapter: ShopifyAdapter) -> None:
    order = sold(shop)
    shop.counter.open(order.id, {order.lines[0].id: 1})
    shop.denied_fields = {"returns"}
    with pytest.raises(Unauthorised):
        await adapter.read_order(str(order.id))


def test_a_return_by_its_id_only_is_not_taken_for_one(adapter: ShopifyAdapter, shop: Shop) -> None:
    order = sold(shop)
    node = {"id": "gid://shopify/Return/7"}
    shown = {"id": order.gid, "currencyCode": "EUR", "taxesIncluded": True, "lineItems": {"nodes": []}}
    shown |= {"totalPriceSet": {"shopMoney": {"amount": "1.0"}}, "returns": {"nodes": [node]}}
    with pytest.raises(Unreadable, match="return 7 is shown by its id only"):
        adapter.parse_order(orjson.dumps({"data": {"order": shown}}))
