"""Refunds of a WooCommerce shop: told by the order, listed apart, read with it."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest

from adapters.woocommerce.adapter import WooCommerce
from simulators.woocommerce import Item, Shop, ShopSettings
from tallystick.canonical.digest import digest
from tallystick.canonical.money import amount
from tallystick.errors import Unavailable
from tallystick.ports import NeedsRead, Reading
from tests.conformance.woocommerce_help import SECRET, START, Time, changed, connected


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def shop(time: Time) -> Shop:
    shop = Shop(ShopSettings(), now=time)
    shop.add_product("MUG-1", "11.00", "Mug")
    shop.add_product("BOOK-1", "10.70", "Book", tax_class="reduced-rate")
    return shop


@pytest.fixture
async def adapter(shop: Shop) -> AsyncIterator[WooCommerce]:
    async with connected(shop) as adapter:
        yield adapter


async def test_refunds_are_parts_of_their_order(adapter: WooCommerce, shop: Shop, time: Time) -> None:
    """FC-062: the order shows their totals only; what went back is read apart, and comes in with the order."""
    order = shop.place_order([Item("MUG-1", 2), Item("BOOK-1")], shipping=Decimal("5.00"))
    mug, post = order.lines[0], order.shipping[0]
    shop.refund(order.id, back={mug.id: 1, post.id: 1}, reason="broken")
    time.forward()
    shop.refund(order.id, Decimal("2.00"), "goodwill")
    found = await adapter.read_order(str(order.id))
    assert found.order is not None
    parts = {part.refund.reason: part.refund for part in found.parts if part.refund is not None}
    assert sorted(found.order.refund_ids) == sorted(part.object_id for part in found.parts)
    assert [(line.line_id, line.quantity) for line in parts["broken"].lines] == [(str(mug.id), "1")]
    assert [line.id for line in parts["broken"].shipping_lines] == [str(post.id)]
    assert amount(parts["broken"].total) == Decimal("17.60")
    assert amount(parts["goodwill"].adjustment.gross) == Decimal("2.00")
    assert [finding for part in found.parts for finding in part.findings] == []


async def test_a_page_of_changes_carries_refunds_too(adapter: WooCommerce, shop: Shop) -> None:
    """With the same content as a read, so that the two are one sighting."""
    plain, order = (shop.place_order([Item("MUG-1", 2)]) for _ in range(2))
    shop.refund(order.id, back={order.lines[0].id: 1})
    found = {one.object_id: one for one in await changed(adapter, START, START) if isinstance(one, Reading)}
    read = await adapter.read_order(str(order.id))
    assert (len(found[str(plain.id)].parts), len(found[str(order.id)].parts)) == (0, 1)
    assert [digest(part.refund) for part in read.parts if part.refund] == [
        digest(part.refund) for part in found[str(order.id)].parts if part.refund
    ]


async def test_a_delivery_about_a_refund_leads_to_a_read(adapter: WooCommerce, shop: Shop) -> None:
    """There is no topic of refunds: the order's own tells, with a body that shows too little."""
    order = shop.place_order([Item("MUG-1", 2)])
    shop.outbox.subscribe("order.updated", "http://127.0.0.1:9/", SECRET)
    shop.refund(order.id, back={order.lines[0].id: 1})
    (delivery,) = shop.pending_deliveries()
    request = shop.take(delivery)
    headers = {name.lower(): value for name, value in request.headers}
    found = adapter.reading(headers, request.body)
    assert isinstance(found, NeedsRead)
    assert found.object_id == str(order.id)


async def test_more_refunds_than_a_page_holds(adapter: WooCommerce, shop: Shop) -> None:
    order = shop.place_order([Item("MUG-1", 50)])
    for _ in range(120):
        shop.refund(order.id, Decimal("0.50"))
    found = await adapter.read_order(str(order.id))
    assert len(found.parts) == 120


async def test_a_refund_that_comes_while_its_order_is_read(adapter: WooCommerce, shop: Shop) -> None:
    """The list shows one more than the order: both are read again."""
    order = shop.place_order([Item("MUG-1", 2)])
    shop.refund(order.id, Decimal("1.00"))
    late = [Decimal("2.00")]

    def shown(order_row: dict[str, Any]) -> dict[str, Any]:
        if late:
            shop.refund(order.id, late.pop())
        return order_row

    shop.spoiled[order.id] = shown
    found = await adapter.read_order(str(order.id))
    assert sorted(str(amount(part.refund.total)) for part in found.parts if part.refund) == ["1.00", "2.00"]


async def test_refunds_that_never_agree_with_their_order(adapter: WooCommerce, shop: Shop) -> None:
    order = shop.place_order([Item("MUG-1", 2)])
    shop.spoiled[order.id] = lambda shown: {**shown, "refunds": [{"id": 999, "total": "-1.00"}]}
    with pytest.raises(Unavailable, match="changed each time"):
        await adapter.read_order(str(order.id))
    (found,) = await changed(adapter, START, START)
    assert isinstance(found, NeedsRead)
