"""What a refusal of a write means: by its code, not by its status alone; and throttling with its time."""

import pytest

from adapters.woocommerce.adapter import WooCommerce
from simulators.faults import Fault, Rule
from simulators.woocommerce import Item, Shop
from tallystick.clock import Budget, SystemClock
from tallystick.ports import Doubt, NotApplied, Refused
from tallystick.reasons import HoldReason
from tests.conformance.woocommerce_help import connected

_CLOCK = SystemClock()


def budget() -> Budget:
    return Budget(_CLOCK, _CLOCK.monotonic_s() + 30)


@pytest.fixture
def shop() -> Shop:
    shop = Shop()
    shop.add_product("MUG", "11.00", "Mug")
    return shop


async def give_back(adapter: WooCommerce, shop: Shop, amount: str) -> object:
    """A write to the shop as the adapter makes it."""
    order = next(iter(shop.orders.values())) if shop.orders else shop.place_order([Item("MUG")])
    return await adapter._api.change("POST", f"orders/{order.id}/refunds", {"amount": amount}, budget())


@pytest.mark.parametrize("amount", ["9999.00", "-1.00"])
async def test_a_permanent_refusal_that_comes_as_http_500(shop: Shop, amount: str) -> None:
    """FC-122, FC-045: more than is left, and a negative amount; held with its code at once and not sent again."""
    async with connected(shop) as adapter:
        answer = await give_back(adapter, shop, amount)
    assert isinstance(answer, Refused)
    assert answer.reason is HoldReason.DATA
    assert "HTTP 500 woocommerce_rest_" in answer.detail
    assert not next(iter(shop.orders.values())).refunds


async def test_another_http_500_says_nothing_about_the_write(shop: Shop) -> None:
    """FC-046: it is looked up, and neither refused for good nor taken as not applied."""
    shop.faults.rules = [Rule(Fault.SERVER_ERROR, "POST *", status=500)]
    async with connected(shop) as adapter:
        assert isinstance(await give_back(adapter, shop, "1.00"), Doubt)


async def test_a_throttled_write_carries_its_time_and_slows_the_connection(shop: Shop) -> None:
    """FC-037: the write was not applied; for that time nothing else is sent either."""
    shop.faults.rules = [Rule(Fault.THROTTLED, "POST *", first=1, retry_after="7")]
    async with connected(shop) as adapter:
        assert await give_back(adapter, shop, "1.00") == NotApplied("HTTP 429", 7.0, throttled=True)
        assert adapter.pacer.permit() <= -6
        assert adapter.pacer.rate_per_s == pytest.approx(500)
