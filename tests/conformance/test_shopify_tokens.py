"""Tokens that end: in the middle of a batch, or for several replicas at once."""

import asyncio
from pathlib import Path

import adapters
from simulators.faults import Fault, Rule
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


async def test_two_replicas_that_renew_at_the_same_moment_shut_neither_out() -> None:
    """FC-043: the client credentials grant has no refresh token that could be spent twice, so each replica asks for its
    own token, once for all that it has under way; the other one's stays good."""
    shop = Shop()
    shop.bucket.maximum = shop.bucket.restore_per_s = 40_000.0
    shop.faults.rules.append(Rule(Fault.SLOW, "token", seconds=0.05))
    orders = [shop.place_order(Cart([MUG])) for _ in range(12)]
    async with connected(shop) as one, connected(shop) as other:
        for _ in range(2):
            read = (replica.read_order(str(order.id)) for replica in (one, other) for order in orders)
            found = await asyncio.gather(*read)
            assert {reading.object_id for reading in found} == {str(order.id) for order in orders}
            shop.tokens.revoke()
    assert shop.tokens.granted == 4, "one for each replica, and one more after all were taken back"


def test_no_adapter_spends_a_refresh_token() -> None:
    """FC-043: where one can be used once only, all replicas have to share it: one refreshes under a lock in Postgres,
    the others read what it got. Whoever brings such a grant brings that as well."""
    files = (Path(adapters.__file__).parent).rglob("*.py")
    assert [file.name for file in files if "refresh_token" in file.read_text(encoding="utf-8")] == []
