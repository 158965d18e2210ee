"""Levels, reservations and bookings on a real Postgres: what is counted, what is left out, and who is told."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from tallystick.contract.stock import Reserved
from tallystick.flows.stock import decision
from tallystick.ledger.acts import Act, Acts, Lane
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.migrate import migrate
from tallystick.ledger.objects import Objects
from tallystick.ledger.pool import Pool, open_pool
from tallystick.ledger.rows import EffectState, Head, Outcome
from tallystick.ledger.shelves import Seen, ShelfTable
from tallystick.ledger.stock import FiguresSettled, Goods, GoodsTaken, Level, Stocks
from tallystick.reasons import HoldReason
from tallystick.v1 import inventory_pb2
from tests.integration.ledger_help import LATE_S, TIMING, head_of, order, outcome

ERP, A, B = "erp", "shop-a", "shop-b"
D = Decimal


@pytest.fixture
async def pool(database: str) -> AsyncIterator[Pool]:
    await migrate(database)
    pool = await open_pool(database)
    yield pool
    await pool.close()


@pytest.fixture
def stocks(pool: Pool) -> Stocks:
    return Stocks(pool, {ERP: (A, B)})


async def read(pool: Pool, stocks: Stocks, available: str, *, sku: str = "MUG", began: int | None = None) -> int:
    """A level comes in; the number of its read is drawn now unless it began before."""
    began = began or (await Objects(pool).draw())[0]
    await stocks.record([Level(ERP, sku, "W", D(available), D(available), began, datetime.now(UTC))], ())
    return began


def goods(number: int, revision: int, **lines: str) -> Goods:
    """An order of so many pieces of each line; `l1="MUG:2"`."""
    split = {name: text.split(":") for name, text in lines.items()}
    held = tuple(Reserved(name, sku, "W", D(pieces)) for name, (sku, pieces) in split.items())
    return Goods(ERP, f"shop/{number}", revision, held)


async def free(stocks: Stocks, sku: str = "MUG") -> D:
    """What the ERP says less what is sold and not in it."""
    (one,) = await stocks.figures(ERP, [sku])
    return one.available - one.reserved


async def touched(stocks: Stocks, store: str = A) -> set[str]:
    """What the store's desk has to look at; looked at with this."""
    found = await stocks.claim_touches(ERP, store, 100, 60)
    await stocks.drop_touches(ERP, store, found)
    return set(found)


async def confirm(pool: Pool, number: int, revision: int = 1) -> None:
    """The order's document is confirmed in the ERP, by the ledger that tells of it."""
    ledger = Ledger(pool, ERP, "w", TIMING, LATE_S, listeners=[GoodsTaken(ERP, "confirm")])
    (claim,) = (await ledger.record([order(number, revision)])).claims
    await ledger.settle([applied_now(await head_of(ledger, claim))])


def applied_now(head: Head) -> Outcome:
    """The last step, without an intent before it."""
    return outcome(head, EffectState.APPLIED, was=head.state, external_id="17", applied_revision=head.revision)


async def test_what_is_sold_and_not_booked_is_not_free(pool: Pool, stocks: Stocks) -> None:
    """FC-090: 5 available, two orders that the ERP does not know of yet: 3 may be sold, in both shops."""
    await read(pool, stocks, "5")
    assert (await touched(stocks, A), await touched(stocks, B)) == ({"MUG"}, {"MUG"})
    await stocks.record((), [goods(1, 1, l1="MUG:1"), goods(2, 1, l1="MUG:1")])
    assert await free(stocks) == 3
    assert (await touched(stocks, A), await touched(stocks, B)) == ({"MUG"}, {"MUG"})


async def test_a_booking_counts_only_in_reads_that_began_after_it(pool: Pool, stocks: Stocks) -> None:
    await read(pool, stocks, "5")
    await stocks.record((), [goods(1, 1, l1="MUG:2")])
    [early] = await Objects(pool).draw()
    await confirm(pool, 1)
    assert set(await stocks.claim_wishes(ERP, 10, 60)) == {"MUG"}
    # A read that began before the booking ends after it: nobody knows whether the two pieces are in its figure.
    await read(pool, stocks, "5", began=early)
    assert await free(stocks) == 3
    await touched(stocks)
    await read(pool, stocks, "3")
    assert await free(stocks) == 3
    assert await touched(stocks) == {"MUG"}


async def test_levels_go_only_forwards_and_the_same_figure_touches_nobody(pool: Pool, stocks: Stocks) -> None:
    [early] = await Objects(pool).draw()
    await read(pool, stocks, "7")
    await read(pool, stocks, "9", began=early)
    assert await free(stocks) == 7
    await touched(stocks)
    await read(pool, stocks, "7")
    assert await touched(stocks) == set()


async def test_a_revision_replaces_what_the_order_holds(pool: Pool, stocks: Stocks) -> None:
    """A line that stays as it is stays booked; one that changed is reserved anew; one that is gone holds nothing."""
    await read(pool, stocks, "10")
    await read(pool, stocks, "10", sku="CUP")
    await stocks.record((), [goods(1, 1, l1="MUG:2", l2="CUP:1", l3="MUG:1")])
    assert (await free(stocks), await free(stocks, "CUP")) == (D(7), D(9))
    await confirm(pool, 1)
    await read(pool, stocks, "7")
    await read(pool, stocks, "9", sku="CUP")
    await stocks.record((), [goods(1, 2, l1="MUG:3", l2="CUP:1")])
    assert (await free(stocks), await free(stocks, "CUP")) == (D(4), D(9))
    # An older revision that comes late changes nothing; the ERP's next booking takes the rest.
    await stocks.record((), [goods(1, 1, l1="MUG:2", l2="CUP:1", l3="MUG:1")])
    assert await free(stocks) == 4
    await confirm(pool, 1, revision=2)
    await read(pool, stocks, "7")
    assert await free(stocks) == 7


async def test_a_revision_that_holds_the_same_is_looked_at(pool: Pool, stocks: Stocks) -> None:
    """FC-086: a refund may have made the store put goods back by itself, which the ERP knows nothing of."""
    await read(pool, stocks, "9")
    await stocks.record((), [goods(1, 1, l1="MUG:2")])
    await touched(stocks)
    await stocks.record((), [goods(1, 1, l1="MUG:2")])
    assert await touched(stocks) == set()
    await stocks.record((), [goods(1, 2, l1="MUG:2")])
    assert await touched(stocks) == {"MUG"}


async def test_a_booking_of_an_older_revision_does_not_cover_a_newer_one(pool: Pool, stocks: Stocks) -> None:
    await read(pool, stocks, "10")
    await stocks.record((), [goods(1, 2, l1="MUG:3")])
    await confirm(pool, 1, revision=1)
    await read(pool, stocks, "9")
    assert await free(stocks) == 6
    await confirm(pool, 1, revision=2)
    await read(pool, stocks, "7")
    assert await free(stocks) == 7


async def test_a_booking_that_is_known_before_the_order_is_read(pool: Pool, stocks: Stocks) -> None:
    """The desk may be behind the ERP, and on day one it is behind all of it."""
    await confirm(pool, 1)
    await read(pool, stocks, "8")
    await stocks.record((), [goods(1, 1, l1="MUG:2")])
    assert await free(stocks) == 8
    assert set(await stocks.claim_wishes(ERP, 10, 60)) == {"MUG"}


async def test_orders_that_were_booked_before_the_flow_was_on_hold_nothing(pool: Pool, stocks: Stocks) -> None:
    ledger = Ledger(pool, ERP, "w", TIMING, LATE_S)
    (claim,) = (await ledger.record([order(1)])).claims
    await ledger.settle([applied_now(await head_of(ledger, claim))])
    await stocks.record((), [goods(1, 1, l1="MUG:2")])
    await read(pool, stocks, "8")
    assert await free(stocks) == 8


async def test_goods_of_an_order_that_a_person_took_over_are_not_kept_back(pool: Pool, stocks: Stocks) -> None:
    await stocks.record((), [goods(1, 1, l1="MUG:2")])
    ledger = Ledger(pool, ERP, "w", TIMING, LATE_S)
    (claim,) = (await ledger.record([order(1)])).claims
    head = await head_of(ledger, claim)
    await ledger.settle([outcome(head, EffectState.QUEUED, was=head.state, hold=HoldReason.MAPPING)])
    await read(pool, stocks, "8")
    assert await free(stocks) == 6
    await Acts(pool).mark_applied(Lane(ERP, "shop/1"), Act("Ada", "r1", "typed by hand"), "17", "S17")
    await read(pool, stocks, "8")
    assert await free(stocks) == 8


async def test_what_is_touched_again_while_it_is_looked_at_is_not_forgotten(pool: Pool, stocks: Stocks) -> None:
    await read(pool, stocks, "5")
    looking = await stocks.claim_touches(ERP, A, 10, 60)
    assert await stocks.claim_touches(ERP, A, 10, 60) == {}
    await stocks.record((), [goods(1, 1, l1="MUG:1")])
    await stocks.drop_touches(ERP, A, looking)
    assert await touched(stocks) == {"MUG"}


async def test_positions_tell_what_is_covered(pool: Pool, stocks: Stocks) -> None:
    await stocks.record((), (), {"orders/0": 5})
    assert await stocks.covers({"orders/0": 5, "orders/1": 0})
    assert not await stocks.covers({"orders/0": 6})


# ---- figures on their way to a shelf --------------------------------------------------------------------------------


async def look(pool: Pool, quantity: int) -> None:
    """The shop shows so many."""
    await ShelfTable(pool).looked(A, ERP, [Seen(("", "MUG"), quantity)])


async def send(pool: Pool, quantity: int) -> Outcome:
    """Decide so many, and let the figure land; what became of it is not written down yet."""
    revisions = await ShelfTable(pool).decide(A, {("", "MUG"): quantity})
    figure = inventory_pb2.ShelfFigure(connection=A, sku="MUG", quantity=quantity)
    ledger = settling(pool)
    decided = await ledger.record([decision(ERP, "MUG", figure, revisions["", "MUG"], datetime.now(UTC))])
    return applied_now(await head_of(ledger, decided.claims[0]))


def settling(pool: Pool) -> Ledger:
    return Ledger(pool, A, "w", TIMING, LATE_S, listeners=[FiguresSettled(A)])


async def test_a_figure_that_was_set_is_no_news_to_the_look_it_was_decided_on(pool: Pool, stocks: Stocks) -> None:
    await look(pool, 10)
    await settling(pool).settle([await send(pool, 8)])
    assert await touched(stocks) == set()


async def test_a_look_between_decision_and_landing_is_made_again(pool: Pool, stocks: Stocks) -> None:
    """What it saw was from before: it might have found that nothing is to be done."""
    await look(pool, 10)
    landed = await send(pool, 8)
    await look(pool, 10)
    await settling(pool).settle([landed])
    assert await touched(stocks) == {"MUG"}


async def test_a_look_that_is_under_way_while_a_figure_lands_is_made_again(pool: Pool, stocks: Stocks) -> None:
    await look(pool, 10)
    landed = await send(pool, 8)
    await read(pool, stocks, "10")
    under_way = await stocks.claim_touches(ERP, A, 100, 60)
    assert set(under_way) == {"MUG"}
    await settling(pool).settle([landed])
    await stocks.drop_touches(ERP, A, under_way)
    assert await touched(stocks) == {"MUG"}
