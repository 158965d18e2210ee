"""The WooCommerce adapter against a real shop. Run by `make live`.

    TALLYSTICK_LIVE_WOOCOMMERCE=https://trial.example TALLYSTICK_LIVE_WOOCOMMERCE_KEY=ck_… \
    TALLYSTICK_LIVE_WOOCOMMERCE_SECRET=cs_… make live

The key needs the right to read and write: the suite makes a product and orders, and deletes what a case deletes. Use a
shop for trials, with pretty permalinks. WooCommerce takes a key over https only; for a shop at `http://127.0.0.1`
let its `wp-config.php` say `$_SERVER['HTTPS'] = 'on';`.
"""

import uuid
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal

import orjson
import pytest

from adapters.woocommerce.adapter import WooCommerce
from tallystick.canonical import checks
from tallystick.canonical.digest import digest
from tallystick.canonical.money import amount
from tallystick.clock import SystemClock
from tallystick.errors import Unauthorised
from tallystick.ports import Reading, Window
from tallystick.secrets import Secret
from tallystick.v1 import order_pb2

from .conftest import from_environment
from .woocommerce_shop import Json, WooCommerceShop

pytestmark = pytest.mark.live
_MINUTE = timedelta(minutes=1)


@pytest.fixture
def shop() -> WooCommerceShop:
    name = "TALLYSTICK_LIVE_WOOCOMMERCE"
    return WooCommerceShop(*from_environment("WooCommerce", name, f"{name}_KEY", f"{name}_SECRET"))


@pytest.fixture
async def adapter(shop: WooCommerceShop) -> AsyncIterator[WooCommerce]:
    adapter = WooCommerce("woocommerce", shop.settings(), SystemClock())
    yield adapter
    await adapter.close()


async def read(adapter: WooCommerce, order: Json) -> Reading:
    reading = await adapter.read_order(str(order["id"]))
    assert reading.order is not None
    return reading


async def seen(adapter: WooCommerce, window: Window) -> dict[str, list[Reading]]:
    """The readings of a poll by order."""
    found: dict[str, list[Reading]] = {}
    async for page in adapter.changed_orders(window):
        for reading in page:
            assert isinstance(reading, Reading), reading
            found.setdefault(reading.object_id, []).append(reading)
    return found


def around(reading: Reading) -> Window:
    """The minute before and after a change, by the shop's own clock."""
    assert reading.source_modified is not None
    return Window(reading.source_modified - _MINUTE, reading.source_modified + _MINUTE)


async def test_the_connection_is_known_and_fine(adapter: WooCommerce, shop: WooCommerceShop) -> None:
    await shop.buy()
    identity = await adapter.identity()
    assert identity
    assert "://" not in identity
    findings = await adapter.check()
    wrong = [finding for finding in findings if not finding[1] and "webhook" not in finding[0]]
    assert [finding for finding in wrong if "HPOS" not in finding[0]] == []
    assert (f"the shop answers as {identity}", True, "") in findings
    assert ("orders can be filtered by their date of change", True, "") in findings


async def test_a_wrong_secret_is_told(shop: WooCommerceShop) -> None:
    adapter = WooCommerce("woocommerce", shop.settings(consumer_secret=Secret.of("cs_wrong")), SystemClock())
    with pytest.raises(Unauthorised, match="the shop refuses the key"):
        await adapter.read_order("1")
    await adapter.close()


async def test_an_order_is_read_back(adapter: WooCommerce, shop: WooCommerceShop) -> None:
    """Every identity of its money holds, and the answer to the purchase is the same content as the read."""
    bought = await shop.buy()
    reading = await read(adapter, bought)
    assert reading.order is not None
    assert [*reading.findings, *checks.findings(reading.order)] == []
    assert (reading.order.id, reading.order.number) == (str(bought["id"]), bought["number"])
    assert reading.order.payment_state == order_pb2.PAYMENT_STATE_PAID
    assert amount(reading.order.totals.total) == Decimal(bought["total"])
    assert [(line.sku, line.quantity.ordered) for line in reading.order.lines] == [("TALLYSTICK-MUG", "3")]
    answer = adapter.parse_order(orjson.dumps(bought))
    assert answer.order is not None
    assert digest(answer.order) == digest(reading.order)


async def test_a_poll_finds_what_was_placed_and_what_was_edited(adapter: WooCommerce, shop: WooCommerceShop) -> None:
    bought = await shop.buy()
    first = await read(adapter, bought)
    assert str(bought["id"]) in await seen(adapter, around(first))
    line = {"id": bought["line_items"][0]["id"], "quantity": 2, "subtotal": "20.00", "total": "20.00"}
    edited = await read(adapter, await shop.call("PUT", f"orders/{bought['id']}", {"line_items": [line]}))
    (polled,) = (await seen(adapter, around(edited)))[str(bought["id"])]
    assert polled.order is not None
    assert polled.order.lines[0].quantity.ordered == "2"
    assert polled.order == edited.order
    assert edited.source_modified is not None
    before = Window(edited.source_modified - timedelta(days=4), edited.source_modified - timedelta(days=3))
    assert str(bought["id"]) not in await seen(adapter, before)


async def test_an_order_in_the_trash_is_cancelled_and_a_deleted_one_is_gone(
    adapter: WooCommerce, shop: WooCommerceShop
) -> None:
    bought = await shop.buy()
    await shop.call("DELETE", f"orders/{bought['id']}")
    trashed = await read(adapter, bought)
    assert trashed.order is not None
    assert trashed.order.state == order_pb2.ORDER_STATE_CANCELLED
    assert str(bought["id"]) in await seen(adapter, around(trashed))
    await shop.call("DELETE", f"orders/{bought['id']}", force="true")
    assert (await adapter.read_order(str(bought["id"]))).gone


async def test_subscriptions_are_told(adapter: WooCommerce, shop: WooCommerceShop) -> None:
    """A webhook that is made is active, whatever status was asked for; a paused one delivers nothing."""
    address = f"https://shop.example/{uuid.uuid4().hex}"
    body = {"name": "Tallystick trial", "topic": "order.updated", "delivery_url": address, "secret": "trial"}
    made = await shop.call("POST", "webhooks", body)
    try:
        assert await told(adapter, address) == [("order.updated", True)]
        await shop.call("PUT", f"webhooks/{made['id']}", {"status": "paused"})
        assert await told(adapter, address) == [("order.updated", False)]
    finally:
        await shop.call("DELETE", f"webhooks/{made['id']}", force="true")


async def told(adapter: WooCommerce, address: str) -> list[tuple[str, bool]]:
    return [(one.topic, one.active) for one in await adapter.webhooks() if one.address == address]
