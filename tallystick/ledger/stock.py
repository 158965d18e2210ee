"""Levels, reservations and what has to be looked at: the tables of the flow of stock, a constant number of statements
for any batch. The rules stand in `sql/stock.sql`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal

from tallystick.canonical.keys import parts
from tallystick.contract.stock import Reserved
from tallystick.ledger.pool import Connection, Pool
from tallystick.ledger.queries import queries
from tallystick.ledger.rows import EffectState, Outcome

_SQL = queries("stock")
#: Which stores sell what an ERP has: by ERP.
Shops = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Level:
    """What an ERP said; `read_seq` was drawn before the read."""

    erp: str
    sku: str
    warehouse: str
    available: Decimal
    on_hand: Decimal
    read_seq: int
    read_at: datetime


@dataclass(frozen=True, slots=True)
class Goods:
    """What one revision of an order holds in one ERP."""

    erp: str
    order_key: str
    revision: int
    lines: tuple[Reserved, ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """One SKU in one warehouse."""

    sku: str
    warehouse: str
    available: Decimal
    on_hand: Decimal
    reserved: Decimal
    read_seq: int
    read_at: datetime


class Stocks:
    """The tables of stock; `shops` are told of what changes."""

    def __init__(self, pool: Pool, shops: Shops) -> None:
        self._pool = pool
        pairs = [(store, erp) for erp, stores in sorted(shops.items()) for store in sorted(stores)]
        self._shops = [store for store, _ in pairs], [erp for _, erp in pairs]

    # ---- what comes in ---------------------------------------------------------------------------------------------

    async def record(
        self, levels: Sequence[Level], goods: Sequence[Goods], positions: Mapping[str, int] | None = None
    ) -> None:
        """Write down a batch in one transaction. Older than what is stored is left out; repeating it is harmless."""

        async def work(connection: Connection) -> None:
            await self._reserve(connection, _newest_goods(goods))
            await self._record_levels(connection, _newest_levels(levels))
            if positions:
                await connection.execute(_SQL["position"], list(positions), list(positions.values()))

        if levels or goods or positions:
            await self._pool.run(work)

    async def _reserve(self, connection: Connection, goods: Mapping[tuple[str, str], Goods]) -> None:
        if not goods:
            return
        orders = [goods[key] for key in sorted(goods)]
        taken = await connection.fetch(
            _SQL["take_orders"],
            [one.erp for one in orders],
            [one.order_key for one in orders],
            [one.revision for one in orders],
        )
        mine = [goods[row["erp"], row["order_key"]] for row in taken]
        lines = sorted(
            (one.erp, one.order_key, line.line_id, line.sku, line.warehouse, line.quantity)
            for one in mine
            for line in one.lines
        )
        if taken:
            await connection.execute(_SQL["reserve"], *_columns(taken, 5), *_columns(lines, 6), *self._shops)

    async def _record_levels(self, connection: Connection, levels: Sequence[Level]) -> None:
        if levels:
            rows = [(o.erp, o.sku, o.warehouse, o.available, o.on_hand, o.read_seq, o.read_at) for o in levels]
            await connection.execute(_SQL["lock_levels"], *_columns(rows, 3))
            await connection.execute(_SQL["record_levels"], *_columns(rows, 7), *self._shops)

    # ---- looks -----------------------------------------------------------------------------------------------------

    async def figures(self, erp: str, skus: Sequence[str]) -> list[Standing]:
        """What is known of these SKUs now, each warehouse for itself."""
        return [Standing(**dict(row)) for row in await self._pool.fetch(_SQL["figures"], erp, list(skus))]

    async def covers(self, ends: Mapping[str, int]) -> bool:
        """Whether everything before these offsets of the orders is in the reservations."""
        rows = await self._pool.fetch(_SQL["positions"], list(ends))
        known = {row["partition"]: row["next_offset"] for row in rows}
        return all(known.get(partition, 0) >= end for partition, end in ends.items())

    async def pending(self, stores: Sequence[str], patience_s: float) -> bool:
        """Whether orders of these stores wait to become canonical, so that nobody knows what they hold."""
        rows = await self._pool.fetch(_SQL["pending"], list(stores), timedelta(seconds=patience_s))
        return bool(rows[0]["pending"])

    # ---- touches and wishes ----------------------------------------------------------------------------------------

    async def claim_touches(self, erp: str, store: str, limit: int, for_s: float) -> dict[str, int]:
        """SKUs to look at, with their versions; for so long nobody else gets them."""
        rows = await self._pool.fetch(_SQL["claim_touches"], erp, store, limit, timedelta(seconds=for_s))
        return {row["sku"]: row["version"] for row in rows}

    async def drop_touches(self, erp: str, store: str, seen: Mapping[str, int]) -> None:
        """These were looked at as of their versions."""
        await self._pool.fetch(_SQL["drop_touches"], erp, store, list(seen), list(seen.values()))

    async def later(self, erp: str, store: str, skus: Sequence[str], in_s: float) -> None:
        """Look at these again then."""
        await self._pool.fetch(_SQL["later_touches"], erp, store, list(skus), timedelta(seconds=in_s))

    async def touch_idle(self, erp: str, store: str, after_s: float, limit: int) -> None:
        """The slow round: touch shelves that nobody looked at for so long."""
        await self._pool.fetch(_SQL["touch_idle"], erp, store, timedelta(seconds=after_s), limit)

    async def claim_wishes(self, erp: str, limit: int, for_s: float) -> dict[str, int]:
        """SKUs to be read, with their versions; for so long nobody else gets them."""
        rows = await self._pool.fetch(_SQL["claim_wishes"], erp, limit, timedelta(seconds=for_s))
        return {row["sku"]: row["version"] for row in rows}

    async def drop_wishes(self, erp: str, seen: Mapping[str, int]) -> None:
        """These were read as of their versions."""
        await self._pool.fetch(_SQL["drop_wishes"], erp, list(seen), list(seen.values()))

    async def wish(self, erp: str, skus: Iterable[str]) -> None:
        """Read these anew."""
        await self._pool.fetch(_SQL["wish"], erp, sorted(set(skus)))


# ---- what a ledger tells, in its own transaction -------------------------------------------------------------------


class GoodsTaken:
    """Told by an ERP's ledger: the step that takes an order's goods was done. Reads from now on have it."""

    def __init__(self, erp: str, step: str | None) -> None:
        self._erp = erp
        #: The step's name; None for the first, whatever it is called.
        self._step = step

    async def __call__(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        """For outcomes that were written down just now."""
        done = [(o.claim.lane_key, o.seq) for o in outcomes if self._takes(o)]
        await mark_taken(connection, self._erp, done)

    def _takes(self, outcome: Outcome) -> bool:
        if outcome.state in (EffectState.APPLIED, EffectState.VERIFIED):
            return True
        this = outcome.was_step == 0 if self._step is None else outcome.step_name == self._step
        return outcome.what == "done" and this


async def mark_taken(connection: Connection, erp: str, effects: Sequence[tuple[str, int]]) -> None:
    """The orders of these effects (lane, seq) have their goods off the ERP's figure, whoever saw to it."""
    if not effects:
        return
    taken = await connection.fetch(_SQL["take"], erp, [key for key, _ in effects], [seq for _, seq in effects])
    if taken:
        await connection.execute(_SQL["mark_taken"], erp, *_columns([tuple(row) for row in taken], 3))


class FiguresSettled:
    """Told by a store's ledger: a figure was set, or it was not, since the shelf showed another one by then.

    A refused one is decided anew. One that was set counts as news only to a look that may have missed it.
    """

    def __init__(self, store: str) -> None:
        self._store = store

    async def __call__(self, connection: Connection, outcomes: Sequence[Outcome]) -> None:
        """For outcomes that were written down just now."""
        refused = [o for o in outcomes if o.state is EffectState.SUPERSEDED]
        landed = [o for o in outcomes if o.state in (EffectState.APPLIED, EffectState.VERIFIED)]
        for statement, settled in (("touch_shelf", refused), ("touch_overtaken", landed)):
            skus = sorted({sku for o in settled if (sku := shelf_sku(o.claim.lane_key))})
            if skus:
                await connection.execute(_SQL[statement], self._store, skus)


def shelf_sku(lane_key: str) -> str:
    """The SKU of a shelf's lane; empty for any other lane."""
    names = parts(lane_key)
    return names[3] if len(names) == 4 and names[1] == "stock" else ""


def _newest_levels(levels: Sequence[Level]) -> list[Level]:
    newest: dict[tuple[str, str, str], Level] = {}
    for level in sorted(levels, key=lambda one: one.read_seq):
        newest[level.erp, level.sku, level.warehouse] = level
    return [newest[key] for key in sorted(newest)]


def _newest_goods(goods: Sequence[Goods]) -> dict[tuple[str, str], Goods]:
    ordered = sorted(goods, key=lambda one: one.revision)
    return {(one.erp, one.order_key): one for one in ordered}


def _columns(rows: Sequence[Sequence[object]], width: int) -> list[list[object]]:
    return [[row[place] for row in rows] for place in range(width)]
