"""A small flash sale as `tallystick simulate` plays it, judged by the shop's own journal."""

import pytest

from tallystick.cli.flash import flash_sale
from tallystick.stack import Stack

_UNITS = {"LAMP": 20, "CHAIR": 20, "CLOCK": 10}


@pytest.mark.parametrize(("store", "compares"), [("shopify", True), ("woocommerce", False)])
async def test_no_piece_is_sold_twice_and_none_is_forgotten(
    stack: Stack, database: str, store: str, compares: bool
) -> None:
    """FC-090, FC-091: a thousand buyers for fifty pieces, an ERP that takes its time, webhooks late and lost."""
    verdict = await flash_sale(store, stack.kafka, database, buyers=1000, over_s=4.0, as_json=True, units=_UNITS)
    assert (verdict.buyers, verdict.units, verdict.left_too_low) == (1000, 50, 0)
    assert verdict.sold >= 50, "buyers outnumber the pieces, and all were shown"
    assert verdict.ok(compares=compares)
