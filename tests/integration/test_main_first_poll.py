"""The first poll of a shop that has been there for years."""

from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from simulators.faults import Fault, Rule
from tallystick.stack import Stack
from tests.integration.intake_help import Side, mugs, open_side


@pytest.fixture
async def side(stack: Stack, database: str, topic_prefix: str) -> AsyncIterator[Side]:
    async with open_side(stack, database, topic_prefix) as side:
        yield side


async def test_years_in_which_nothing_changed_are_crossed_in_few_walks(side: Side) -> None:
    """A window a day would be nine thousand requests; where there is something to see, it is a day again."""
    async with side.woocommerce() as woo:
        woo.faults.rules = [Rule(Fault.SLOW, "GET /orders", seconds=0)]
        sold = woo.place_order(mugs())
        await side.pollers(side.time.now() - timedelta(days=25 * 365)).turn("woo")
        asked = woo.faults.struck[Fault.SLOW]
    assert {event.object_id for event in await side.events()} == {str(sold.id)}
    assert asked <= 4 * 14, "two to the fourteenth days are more than 25 years; each walk sees at most four pages"
