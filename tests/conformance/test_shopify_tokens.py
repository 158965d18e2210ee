"""FC-042: a token ends in the middle of a batch."""

import asyncio

from simulators.shopify import Cart, Shop
from tallystick.ports import Applied, NotApplied
from tests.conformance.test_shopify_fulfilments import connected, made, shipment, tell
from tests.unit.adapters.shopify.shops import MUG


async def test_a_token_that_ends_in_the_middle_of_a_batch() -> None:
    """FC-042: of fifty shipments told at once some are refused; one new token, the rest goes on, none is told twice."""
    shop = Shop()
    shop.bucket.maximum = shop.bucket.restore_per_s = 40_000.0
    jobs = [shipment(shop.place_order(Cart([MUG])), (0, 1), ref=str(number)) for number in range(50)]

    async def revoke_in_the_middle() -> None:
        while len(made(shop)) < 20:
            await asyncio.sleep(0.001)
        shop.tokens.revoke()

    async with connected(shop) as adapter:
        *answers, _ = await asyncio.gather(*(tell(adapter, job) for job in jobs), revoke_in_the_middle())
        refused = [job for job, answer in zip(jobs, answers, strict=True) if not isinstance(answer, Applied)]
        assert all(isinstance(one, Applied | NotApplied) for one in answers), "none is in doubt"
        again = await asyncio.gather(*(tell(adapter, job) for job in refused))
    assert all(isinstance(one, Applied) for one in again)
    assert shop.journal.of("token refused")
    assert shop.tokens.granted == 2
    assert len(made(shop)) == 50
