"""A shop with a till in memory: what buyers take falls at once from what it shows, and it takes figures of stock.

It tells nobody of its orders; they are found by walks, or put on their way by a test.
"""

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pydantic import BaseModel, ConfigDict

from tallystick.clock import Budget, Clock
from tallystick.contract.document import Document, StockDocument
from tallystick.errors import Unavailable
from tallystick.pacing import Pacer
from tallystick.ports import Answer, Applied, Capability, Doubt, Found, Job, OperationTraits, Refused, Step, Verdict
from tallystick.reasons import HoldReason
from tallystick.registry import AdapterKind
from tallystick.stock.ports import Shelf, Shown
from tests.doubles.shelf_store import ShelfStore

SET = Step("set")


class TillSettings(BaseModel):
    """Whether it compares."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    compares: bool = True


@dataclass
class Till:
    """A `Shelves`. `told` is every figure that was set, in order."""

    compares: bool
    clock: Clock
    shown_now: dict[tuple[str, str], int] = field(default_factory=dict)
    told: list[tuple[str, int]] = field(default_factory=list)
    #: Called right before a figure is set: what happens during the write.
    during_write: Callable[[], object] | None = None
    #: SKUs that cannot be adjusted.
    poisoned: set[str] = field(default_factory=set)
    down: bool = False
    order_search_lag_s: float = 0.0

    def __post_init__(self) -> None:
        self.pacer = Pacer(self.clock, rate_per_s=1e6, burst=1e6, parallel=16)
        self.traits = OperationTraits(
            capability=Capability.E1,
            conditional_update=False,
            late_apply_max_s=30.0,
            search_lag_max_s=0.0,
            batch_max=100,
            parallel_max=4,
            mark_field="",
        )

    async def shown(self, shelves: Sequence[Shelf]) -> Sequence[Shown]:
        """What buyers see."""
        if self.down:
            raise Unavailable("the till cannot be reached")
        found = [self.shown_now.get((shelf.location, shelf.sku)) for shelf in shelves]
        return [
            Shown(shelf, quantity, f"item-{shelf.sku}", "" if quantity is not None else "not sold here")
            for shelf, quantity in zip(shelves, found, strict=True)
        ]

    def steps(self, document: Document) -> tuple[Step, ...]:
        """One."""
        return (SET,)

    async def prepare(self, jobs: Sequence[Job]) -> Sequence[Job | Refused]:
        """Nothing to look up."""
        return jobs

    async def probe(self, step: Step, jobs: Sequence[Job], *, whole: bool = False) -> Sequence[Found]:
        """`this`, or of any other figure `newer`."""
        figures = [(self.shown_now[at(job)], figure(job).quantity) for job in jobs]
        return [Found(Verdict.THIS if now == wanted else Verdict.NEWER) for now, wanted in figures]

    async def send(self, step: Step, jobs: Sequence[Job], budget: Budget) -> Sequence[Answer]:
        """All in one request; each for itself."""
        if self.during_write is not None:
            happens, self.during_write = self.during_write, None
            happens()
        return [self._set(job) for job in jobs]

    def _set(self, job: Job) -> Answer:
        wanted = figure(job)
        if wanted.sku in self.poisoned:
            return Refused(HoldReason.DATA, "the item cannot be adjusted")
        if self.compares and self.shown_now[at(job)] != wanted.expected:
            return Doubt("it shows another figure", unanswered=False)
        self.shown_now[at(job)] = wanted.quantity
        self.told.append((wanted.sku, wanted.quantity))
        return Applied(wanted.external_id)


@dataclass
class TillStore(ShelfStore):
    """An `OrderSource` and a `StockSink`."""

    def __post_init__(self) -> None:
        self.stock = Till(getattr(self.settings, "compares", True), self.clock)
        self._numbers = itertools.count(1)

    def offers(self, sku: str, quantity: int, location: str = "") -> None:
        """From now on it shows so many."""
        self.stock.shown_now[location, sku] = quantity

    def sell(self, sku: str, pieces: int = 1, location: str = "", **more: str) -> str:
        """A buyer takes what is shown; the order's id."""
        left = self.stock.shown_now[location, sku] - pieces
        assert left >= 0, "sold out"
        self.stock.shown_now[location, sku] = left
        order_id = f"{self.connection}-{next(self._numbers)}"
        self.put(order_id, sku=sku, quantity=pieces, **more)
        return order_id

    def take_back(self, order_id: str, sku: str, pieces: int, location: str = "") -> None:
        """The order is cancelled, and its pieces are shown again."""
        self.put(order_id, sku=sku, quantity=pieces, state="cancelled")
        self.stock.shown_now[location, sku] += pieces


def figure(job: Job) -> StockDocument:
    """What is to be set."""
    assert isinstance(job.document, StockDocument)
    return job.document


def at(job: Job) -> tuple[str, str]:
    """Where."""
    return figure(job).location, figure(job).sku


KIND = AdapterKind("till", "store", TillSettings, TillStore)
