"""One shelf, one warehouse, one SKU, and everything that may happen around them in any order.

What is true is kept apart from what Tallystick knows. The arithmetic under test is the product's own; the rules about
when to look, to read and to wait stand here as the product keeps them, each with a switch that breaks it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from tallystick.contract.stock_rules import Location, Negative, Source
from tallystick.stock.arithmetic import Figure, Held, Move, move, reserved, sellable

_PLACE = Location(warehouses=(Source(warehouse="W"),))


@dataclass(frozen=True, slots=True)
class Rules:
    """What Tallystick keeps to; a test of each shows that it is needed."""

    #: The store sets a figure only while it shows what was expected.
    compares: bool = True
    #: More is shown only after a walk over the orders that began after the look at the shelf.
    looks_first: bool = True
    #: A read counts from its beginning, not from its end.
    numbers_before: bool = True
    #: A booking is numbered after the ERP took the goods.
    numbers_after_taking: bool = True
    #: While an answer is lost, nothing newer is sent until it cannot land any more.
    waits_for_late: bool = True
    #: A figure that lands during or after a later look makes Tallystick look again.
    landing_is_news: bool = True
    buffer: int = 0


@dataclass(slots=True)
class Order:
    """What one buyer bought."""

    pieces: int
    cancelled: bool = False
    known: bool = False
    cancel_known: bool = False
    #: The ERP has its goods off the figure.
    in_erp: bool = False
    taken_seq: int | None = None
    drawn: int | None = None

    @property
    def counts(self) -> int:
        """Pieces that are really sold."""
        return 0 if self.cancelled else self.pieces


@dataclass(slots=True)
class Read:
    """A read of the ERP under way."""

    seq: int
    available: int | None = None
    base: int = 0


@dataclass(slots=True)
class Figures:
    """A decision on its way to the store."""

    quantity: int
    expected: int
    base: int
    raises: bool
    #: Orders that were placed when the walk began.
    placed: int
    #: Number of the look that it was decided on.
    look: int
    lost: bool = False


class Broken(AssertionError):
    """What must never happen happened."""


@dataclass(slots=True)
class Floor:
    """The state of the world; each method is one event, and does nothing where it makes no sense."""

    rules: Rules
    base: int = 10
    shown: int = 10
    orders: list[Order] = field(default_factory=list)
    seq: int = 0
    reads: list[Read] = field(default_factory=list)
    level: Read | None = None
    #: What the shelf showed at the last look, and the number of orders then placed.
    look: int | None = None
    walked_to: int | None = None
    #: Looks so far; whether something is to be looked at; and whether that was touched again since the look began.
    looks: int = 0
    touched: bool = False
    touched_again: bool = False
    flying: list[Figures] = field(default_factory=list)

    # ---- what is true

    @property
    def available(self) -> int:
        """What the ERP says."""
        return self.base - sum(order.pieces for order in self.orders if order.in_erp)

    @property
    def sold(self) -> int:
        """Pieces that buyers have bought and not given back."""
        return sum(order.counts for order in self.orders)

    # ---- the world

    def buy(self, pieces: int) -> None:
        """A buyer takes what the shelf shows."""
        if 0 < pieces <= self.shown:
            self.shown -= pieces
            self.orders.append(Order(pieces))

    def cancel(self, which: int) -> None:
        """The store takes an order back and shows its pieces again."""
        order = self._pick(which, lambda one: not one.cancelled)
        if order is not None:
            order.cancelled = True
            self.shown += order.pieces

    def receive(self, pieces: int) -> None:
        """Goods arrive at the warehouse."""
        self.base += pieces

    # ---- what Tallystick hears and does

    def hear(self, which: int) -> None:
        """A webhook arrives, sooner or later, of an order as it is now."""
        order = self._pick(which, lambda one: not one.known or (one.cancelled and not one.cancel_known))
        if order is not None:
            self._know(order)

    def take(self, which: int) -> None:
        """The ERP confirms a document; its answer is on its way."""
        order = self._pick(which, lambda one: one.known and not one.cancel_known and not one.in_erp)
        if order is not None:
            order.in_erp = True

    def book(self, which: int) -> None:
        """The answer is written down, with a number."""
        order = self._pick(which, lambda one: one.in_erp and one.taken_seq is None)
        if order is not None:
            order.taken_seq = order.drawn or self._draw()

    def free(self, which: int) -> None:
        """The ERP cancels the document of an order that was cancelled."""
        order = self._pick(which, lambda one: one.in_erp and one.cancel_known)
        if order is not None:
            order.in_erp = False

    def begin_read(self, _n: int = 0) -> None:
        """A number is drawn, and a request leaves for the ERP."""
        self.reads.append(Read(self._draw()))

    def answer_read(self, which: int) -> None:
        """The ERP looks at its figure; the answer takes its time."""
        if self.reads:
            read = self.reads[which % len(self.reads)]
            read.available, read.base = self.available, self.base

    def end_read(self, which: int) -> None:
        """The answer is written down, unless a later read was before it."""
        answered = [read for read in self.reads if read.available is not None]
        if answered:
            read = answered[which % len(answered)]
            self.reads.remove(read)
            if not self.rules.numbers_before:
                read.seq = self._draw()
            if self.level is None or self.level.seq < read.seq:
                if self.level is None or self._differs(self.level, read):
                    self._touch()
                self.level = read

    def look_at_shelf(self, _n: int = 0) -> None:
        """What the store shows now."""
        self.look, self.walked_to = self.shown, None
        self.looks, self.touched_again = self.looks + 1, False

    def walk(self, _n: int = 0) -> None:
        """The store's orders are walked through: all that were placed so far are known."""
        for order in self.orders:
            self._know(order)
        if self.look is not None:
            self.walked_to = self.sold

    def decide(self, _n: int = 0) -> None:
        """Compute, and send what differs."""
        if self.look is None or self.level is None:
            return
        looked = self.walked_to is not None or not self.rules.looks_first
        wanted = self.wanted()
        what = move(self.look, wanted, looked=looked)
        if what is Move.SET and wanted is not None:
            if self.flying and (self.rules.waits_for_late or not all(one.lost for one in self.flying)):
                return
            placed = self.walked_to if self.walked_to is not None else self.sold
            raises = wanted > self.look
            self.flying.append(Figures(wanted, self.look, self.level.base, raises, placed, self.looks))
        if what is not Move.LOOK_FIRST:
            self.touched = self.touched_again
        self.look = None

    def wanted(self) -> int | None:
        """What the product's arithmetic says."""
        assert self.level is not None
        assert self.level.available is not None
        held = [Held(Decimal(one.pieces), one.taken_seq) for one in self.orders if one.known and not one.cancel_known]
        figure = Figure(Decimal(self.level.available), reserved(held, self.level.seq))
        return sellable(_PLACE, {"W": figure}, self.rules.buffer, Negative.CLAMP)

    def land(self, which: int) -> None:
        """A figure arrives at the store."""
        if not self.flying:
            return
        one = self.flying.pop(which % len(self.flying))
        if self.rules.compares and self.shown != one.expected:
            self._touch()
            return
        self._check(one)
        self.shown = one.quantity
        if self.looks > one.look and self.rules.landing_is_news:
            self._touch()

    def lose(self, which: int) -> None:
        """The answer of a figure is lost; the figure itself may still arrive."""
        if self.flying:
            self.flying[which % len(self.flying)].lost = True

    def _check(self, one: Figures) -> None:
        if not one.raises:
            return
        # What the ERP had when it was read; without a comparison, what was sold by the time of the walk.
        true = one.base - (self.sold if self.rules.compares else one.placed)
        if one.quantity > max(0, true - self.rules.buffer):
            raise Broken(f"{one.quantity} pieces are shown, there are {true}")

    # ---- afterwards

    def settle(self) -> None:
        """Everything that is under way ends, in peace; what was touched is looked at, and nothing else."""
        while self.flying:
            self.land(0)
        self.walk()
        for order in self.orders:
            if order.known and not order.cancel_known:
                order.in_erp = True
                order.taken_seq = order.taken_seq or self._draw()
            elif order.cancel_known:
                order.in_erp = False
        self.reads = []
        for step in (self.begin_read, self.answer_read, self.end_read):
            step(0)
        while self.touched:
            for step in (self.look_at_shelf, self.walk, self.decide, self.land):
                step(0)

    # ---- parts

    def _draw(self) -> int:
        self.seq += 1
        return self.seq

    def _touch(self) -> None:
        self.touched = self.touched_again = True

    def _differs(self, old: Read, new: Read) -> bool:
        """Another figure, or a sale that it has in it now."""
        in_it = (
            one.known and not one.cancel_known and _between(old.seq, one.taken_seq, new.seq) for one in self.orders
        )
        return old.available != new.available or any(in_it)

    def _know(self, order: Order) -> None:
        if not order.known or order.cancel_known != order.cancelled:
            self._touch()
        if not order.known and not self.rules.numbers_after_taking:
            order.drawn = self._draw()
        order.known = True
        order.cancel_known = order.cancelled

    def _pick(self, which: int, fits: Callable[[Order], bool]) -> Order | None:
        fitting = [order for order in self.orders if fits(order)]
        return fitting[which % len(fitting)] if fitting else None


def _between(old: int, taken: int | None, new: int) -> bool:
    return taken is not None and old < taken <= new


EVENTS: Sequence[str] = (
    "buy", "cancel", "receive", "hear", "take", "book", "free", "begin_read", "answer_read", "end_read",
    "look_at_shelf", "walk", "decide", "land", "lose",
)  # fmt: skip


def played(rules: Rules, events: Sequence[tuple[str, int]]) -> Floor:
    """The floor after these events. Raises `Broken`."""
    floor = Floor(rules)
    for name, number in events:
        getattr(floor, name)(number)
    return floor
