"""Oversell protection in every order of events: sales, cancellations, late and lost webhooks, bookings, reads that
begin before or after them, publications whose answers are lost.

With a store that compares, no raise is above what the ERP had when it was read less everything sold by the moment at
which it lands; without, less everything sold when the walk began. Afterwards nothing is left too low or too high.
"""

from collections.abc import Sequence

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.unit.stock.shop_floor import EVENTS, Broken, Rules, played

Events = Sequence[tuple[str, int]]
some_events = st.lists(st.tuples(st.sampled_from(EVENTS), st.integers(0, 3)), max_size=60)
_SOLD = [("buy", 1), ("hear", 0)]
_READ = [("begin_read", 0), ("answer_read", 0), ("end_read", 0)]

#: A figure is on its way down; the next look finds that nothing is to be done; then the figure lands.
_OVERTAKEN = [
    *_SOLD, *_READ, ("cancel", 0), ("look_at_shelf", 0), ("decide", 0),
    ("hear", 0), ("look_at_shelf", 0), ("decide", 0), ("land", 0),
]  # fmt: skip


@given(some_events, st.booleans(), st.integers(0, 2))
@settings(max_examples=600)
# A read that began before a booking and ends after it; a raise that meets a sale nobody told of.
@example([*_SOLD, ("begin_read", 0), ("answer_read", 0), ("take", 0), ("book", 0), ("end_read", 0)], True, 0)
@example([("receive", 3), *_READ, ("look_at_shelf", 0), ("buy", 2), ("walk", 0), ("decide", 0), ("land", 0)], True, 0)
@example(_OVERTAKEN, False, 0)
def test_nothing_is_published_above_the_truth_and_nothing_stays_too_low(
    events: Events, compares: bool, buffer: int
) -> None:
    """FC-090, FC-091."""
    floor = played(Rules(compares=compares, buffer=buffer), events)
    floor.settle()
    assert floor.shown == max(0, floor.base - floor.sold - buffer)


_RAISE = [("look_at_shelf", 0), ("walk", 0), ("decide", 0)]
_BREAKS = {
    "looks_first": [("buy", 2), *_READ, ("look_at_shelf", 0), ("decide", 0), ("land", 0)],
    # The read has the figure of before the booking, and is put down as if it began after it.
    "numbers_before": [("buy", 2), ("hear", 0), *_READ[:2], ("take", 0), ("book", 0), _READ[2], *_RAISE, ("land", 0)],
    # The number is drawn when the document is sent: a read in between has a higher one, and not the goods.
    "numbers_after_taking": [("buy", 2), ("hear", 0), *_READ, ("take", 0), ("book", 0), *_RAISE, ("land", 0)],
    # The first answer is lost, the same is sent again, buyers take it, and then the first arrives.
    "waits_for_late": [
        ("receive", 3), *_READ, *_RAISE, ("lose", 0), *_RAISE, ("land", 1), ("buy", 3), ("land", 0),
    ],
}  # fmt: skip


@pytest.mark.parametrize("without", list(_BREAKS))
def test_each_rule_is_needed(without: str) -> None:
    """Without it these events publish what is not there; with it they do not."""
    played(Rules(), _BREAKS[without])
    with pytest.raises(Broken):
        played(Rules(**{without: False}), _BREAKS[without])


@pytest.mark.parametrize("compares", [True, False])
def test_a_figure_that_lands_behind_a_look_is_looked_at(compares: bool) -> None:
    """Else it stays too low until the slow round, which comes hourly."""
    for landing_is_news, shown in ((True, 10), (False, 9)):
        floor = played(Rules(compares=compares, landing_is_news=landing_is_news), _OVERTAKEN)
        floor.settle()
        assert floor.shown == shown


def test_without_a_comparison_the_overshoot_is_what_was_sold_during_the_write() -> None:
    """FC-091: seen, bounded by the sales between the walk and the write, and put right by the next round."""
    floor = played(Rules(compares=False), [("receive", 3), *_READ, *_RAISE, ("buy", 2), ("land", 0)])
    assert (floor.shown, floor.base - floor.sold) == (13, 11)
    floor.settle()
    assert floor.shown == 11
