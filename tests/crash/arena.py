"""Where the crash tests take place: one store's topics, some plain ERPs, real servers, and worker processes.

With `told` every flow is live that messages carry, and the store is a target as well: of shipments and prices.
"""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import orjson
import yaml

from simulators.faults import Rule
from tallystick.errors import Unavailable
from tallystick.kafka.admin import ensure_topics
from tallystick.kafka.producer import Producer
from tallystick.ledger.migrate import migrate
from tallystick.ledger.pool import Pool, open_pool
from tallystick.ports import Capability
from tallystick.settings import KafkaSettings
from tallystick.stack import Stack
from tests.crash import history
from tests.crash.checkers import judge
from tests.crash.history import History
from tests.crash.masters import ensured
from tests.crash.orders import STORE, Revision, Thing, message
from tests.crash.watch import Watch
from tests.crash.workers import Workers
from tests.doubles.plain_erp import Behaviour, Create, PlainErp
from tests.doubles.threads import serve_in_thread
from tests.unit.contract.written import rules

#: A lease is 1.5 s, a request has 3 s, a late one may land within 1.5 s more and hide for half a second.
SCALE = 1 / 10
LATE_S, LAG_S = 15.0, 5.0


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of target; the name is its connection id."""

    name: str
    create: Create
    conditional: bool
    capability: Capability

    def erp(self) -> PlainErp:
        """An empty one."""
        lag_s = LAG_S * SCALE * 0.8 if self.create is Create.SEARCHABLE else 0.0
        return PlainErp(Behaviour(self.create, self.conditional, lag_s))


REFUSED = Kind("refused", Create.REFUSED, conditional=False, capability=Capability.E1)
FOLDED = Kind("folded", Create.FOLDED, conditional=True, capability=Capability.E1)
SEARCHED = Kind("searched", Create.SEARCHABLE, conditional=False, capability=Capability.E2)
ALL = (REFUSED, FOLDED, SEARCHED)
#: The store, when it is told something.
TOLD = Kind(STORE, Create.REFUSED, conditional=False, capability=Capability.E1)
#: Payments have a judge of their own.
_JUDGED = ("orders", "refunds", "returns", "customers", "fulfilments", "prices")
_CONFIRMED = ("orders", "refunds")


@dataclass(slots=True)
class Arena:
    """Open it with `open_arena`."""

    name: str
    stack: Stack
    folder: Path
    erps: Mapping[str, PlainErp]
    workers: Workers
    pool: Pool
    producer: Producer
    watch: Watch
    #: In order, each once.
    produced: dict[Thing, None] = field(default_factory=dict)
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    held: dict[str, str] = field(default_factory=dict)

    # ---- what a test does ------------------------------------------------------------------------------------------

    def orders(self, number: int) -> list[int]:
        """That many orders which no test has used yet."""
        return list(itertools.islice(self.numbers, number))

    async def produce(self, revisions: Sequence[Thing]) -> None:
        """Put them on their topics in this order, however long Kafka takes."""
        self.produced |= dict.fromkeys(revisions)
        messages = [message(one) for one in revisions]
        async with asyncio.timeout(90):
            while True:
                try:
                    return await self.producer.send_all(messages, within_s=5.0)
                except Unavailable:
                    await asyncio.sleep(0.2)

    def spoil(self, *rules: Rule) -> None:
        """From now on every ERP does this wrong; nothing at all for no rules."""
        for erp in self.erps.values():
            erp.faults.rules = [replace(rule) for rule in rules]

    async def settled(self, within_s: float = 180.0) -> None:
        """Everything produced is recorded and at rest. Ends the test with the findings when that does not happen."""
        try:
            await self.until(self.at_rest, within_s)
        except TimeoutError:
            await self.judge()
            raise

    async def until(self, condition: Callable[[], Awaitable[bool]], within_s: float = 120.0) -> None:
        """Wait for a condition. Raises `TimeoutError`, or `RuntimeError` when a worker ended on its own."""
        async with asyncio.timeout(within_s):
            while not await condition():
                self.workers.require_alive()
                await asyncio.sleep(0.1)

    async def at_rest(self) -> bool:
        """Everything produced is recorded, and no lane is in hand or due."""
        if any(erp.faults.late for erp in self.erps.values()):
            return False
        rows = await self.pool.fetch(_REST, list(self.erps))
        return all(row["recorded"] == len(self.produced_for(row["target"])) and not row["busy"] for row in rows)

    def produced_for(self, target: str) -> list[Thing]:
        """What is to reach one target."""
        return [one for one in self.produced if one.to_store == (target == STORE)]

    async def recorded(self) -> int:
        """How many revisions are in the ledger, for the target that has the fewest."""
        rows = await self.pool.fetch(_REST, list(self.erps))
        return min(int(row["recorded"]) for row in rows)

    async def applied(self, target: str, orders: Iterable[int] | None = None) -> int:
        """How many orders, or of these orders, have some revision in the target."""
        keys = None if orders is None else [Revision(number, 1).key for number in orders]
        rows = await self.pool.fetch(_APPLIED, target, keys)
        return int(rows[0]["applied"])

    # ---- what is left of it ----------------------------------------------------------------------------------------

    async def judge(self) -> list[History]:
        """Raise `AssertionError` with all findings, after keeping the histories; else answer them."""
        histories = [await self._history(name) for name in self.erps]
        findings = [finding for one in histories for finding in judge(one)]
        if findings:
            path = history.keep(histories, self.name)
            raise AssertionError("\n".join([f"history: {path}", *findings[:30], f"{len(findings)} findings"]))
        return histories

    async def _history(self, target: str) -> History:
        erp = self.erps[target]
        effects = await self.pool.fetch(EFFECTS, target)
        lanes = await self.pool.fetch(LANES, target)
        lines = [orjson.loads(line) for line in (self.folder / target).read_bytes().splitlines()]
        return History(
            target=target,
            produced=as_produced(self.produced_for(target), pays=STORE in self.erps),
            journal=journal(erp),
            documents=documents(erp),
            paid=paid(erp),
            requests=history.requests(lines),
            effects=[history.Effect(**row) for row in effects],
            lanes=[history.Lane(**row) for row in lanes],
            epochs=self.watch.epochs[target],
            offsets=self.watch.offsets[target],
            held=self.held,
        )


def journal(erp: PlainErp) -> list[history.Effective]:
    """What took effect in its documents."""
    return [
        history.Effective(entry.at_s, entry.what, entry.key, entry.detail["id"], entry.detail["revision"])
        for entry in erp.journal.entries
        if entry.what in ("created", "updated", "confirmed") and entry.detail["kind"] in _JUDGED
    ]


def documents(erp: PlainErp) -> list[history.Final]:
    """Its documents as they stand; only those of the books are to be confirmed."""
    return [
        history.Final(one.ref, one.id, one.revision, one.content["total"], one.confirmed or one.kind not in _CONFIRMED)
        for one in erp.documents
        if one.kind in _JUDGED
    ]


def as_produced(things: Iterable[Thing], *, pays: bool = True) -> list[history.Produced]:
    """What was on the topics, orders with their payments where these cross; and the customers that follow from it."""
    chosen = list(things)
    stated = [one.payments if pays and isinstance(one, Revision) else () for one in chosen]
    own = [history.Produced(one.key, one.revision, one.total, refs) for one, refs in zip(chosen, stated, strict=True)]
    return own + ensured(chosen)


def paid(erp: PlainErp) -> list[history.Paid]:
    """The payments that it booked, each as often as it did."""
    return [
        history.Paid(entry.at_s, entry.key, entry.key.partition("/payment/")[0])
        for entry in erp.journal.entries
        if entry.what == "created" and entry.detail["kind"] == "payments"
    ]


#: Every gateway, to one place.
PAYMENTS = {"to": "journal", "otherwise": {"use": "till"}}
_TOLD_FLOWS = ("refunds", "returns", "payments", "customers", "fulfilments", "prices")
#: What a contract says for them.
_TOLD_RULES: dict[str, Any] = {
    "payments": PAYMENTS,
    "customer": {"which": "all"},
    "prices": {"lists": {"shop": {"currency": "EUR", "to": "regular"}}, "basis": "included"},
}
_REST = """
SELECT t AS target,
    (SELECT count(*) FROM effect e WHERE e.target = t AND e.entity_type <> 'payment' AND e.operation <> 'ensure')
        AS recorded,
    (SELECT count(*) FROM lane l WHERE l.target = t AND (l.owner IS NOT NULL OR l.due_at IS NOT NULL)) AS busy
FROM unnest($1::text[]) AS t
"""
_APPLIED = """
SELECT count(*) AS applied FROM binding
WHERE target = $1 AND entity_type = 'order' AND applied_revision IS NOT NULL
  AND ($2::text[] IS NULL OR entity_id = ANY ($2::text[]))
"""
EFFECTS = "SELECT entity_id AS key, revision, state FROM effect WHERE target = $1"
LANES = (
    "SELECT lane_key AS key, owner IS NOT NULL AS owned, due_at IS NOT NULL AS due, reason FROM lane WHERE target = $1"
)


@asynccontextmanager
async def open_arena(
    name: str, stack: Stack, dsn: str, folder: Path, kinds: Sequence[Kind] = ALL, *, told: bool = False, **work: object
) -> AsyncIterator[Arena]:
    """An empty ledger, an empty topic, the ERPs in threads of their own; no worker runs yet."""
    prefix = f"c{uuid.uuid4().hex[:10]}."
    await migrate(dsn)
    await ensure_topics(stack.kafka, KafkaSettings(prefix=prefix))
    targets = [*kinds, TOLD] if told else kinds
    erps = {kind.name: kind.erp() for kind in targets}
    async with AsyncExitStack() as exits:
        urls = {name: exits.enter_context(serve_in_thread(erp.application)) for name, erp in erps.items()}
        pool = await open_pool(dsn)
        exits.push_async_callback(pool.close)
        producer = Producer(stack.kafka, prefix=prefix)
        await producer.start()
        exits.push_async_callback(producer.stop)
        watch = await exits.enter_async_context(Watch(stack.kafka, pool, prefix, list(erps)))
        config = _configure(folder, targets, urls, prefix, work)
        environment = {"TALLYSTICK_KAFKA": stack.kafka, "TALLYSTICK_POSTGRES": dsn}
        workers = exits.enter_context(Workers(config, environment, folder))
        yield Arena(name, stack, folder, erps, workers, pool, producer, watch)


def _configure(
    folder: Path, kinds: Sequence[Kind], urls: Mapping[str, str], prefix: str, work: Mapping[str, object]
) -> Path:
    (folder / "contract.yaml").write_text(rules(**(_TOLD_RULES if TOLD in kinds else {})))
    connections: dict[str, object] = {STORE: {"kind": "quiet"}}
    flows = dict.fromkeys(_TOLD_FLOWS, "live") if TOLD in kinds else {}
    for kind in kinds:
        (folder / kind.name).touch()
        connections[kind.name] = {
            "kind": "told" if kind is TOLD else "plain",
            "url": urls[kind.name],
            "capability": str(kind.capability),
            "conditional_update": kind.conditional,
            "late_apply_max_s": LATE_S,
            "search_lag_max_s": LAG_S,
            "history": str(folder / kind.name),
        }
    route = {"store": STORE, "contract": "contract.yaml", "since": "2020-01-01T00:00:00Z", "flows": flows}
    settings = {
        "connections": connections,
        "routes": [{**route, "erp": kind.name} for kind in kinds if kind is not TOLD],
        "kafka": {"prefix": prefix},
        "ledger": {"pool_max": 6},
        "work": {"batch": 50, "time_scale": SCALE, "sweep_every_s": 0.2, **work},
    }
    path = folder / "tallystick.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path
