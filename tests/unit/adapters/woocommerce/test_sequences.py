"""Whatever order deliveries come in, and however often: the last revision of an order is the same.

A small model of intake around its own pure rules: a body is used only if it is surely newest, else the shop is asked.
"""

import random
from dataclasses import dataclass, replace

import pytest

from tallystick.canonical.digest import digest
from tallystick.ledger.objects import ObjectKey, Sighting, Stored, Verdict, after, judge
from tallystick.ports import NeedsRead, NotOurs, Reading
from tests.unit.adapters.woocommerce import recorded
from tests.unit.adapters.woocommerce.test_webhook import shop

_SHUFFLES = 25


def sighting(found: Reading) -> Sighting:
    content = digest(found.order).encode() if found.order is not None and not found.gone else b"gone"
    return Sighting(ObjectKey("woocommerce", "order", found.object_id), content, found.source_modified, found.gone)


@dataclass
class Intake:
    """One object's row; `now` is what a read of the shop answers."""

    now: Reading
    stored: Stored | None = None
    reads: int = 0
    _seq: int = 0

    def take(self, found: Reading | NeedsRead) -> None:
        if isinstance(found, NeedsRead) or judge(self.stored, sighting(found), None) is Verdict.READ:
            self.reads += 1
            self._seq += 1
            assert judge(self.stored, sighting(self.now), self._seq) is not Verdict.STALE
            self._accept(self.now, self._seq)
        else:
            self._accept(found, None)

    def _accept(self, found: Reading, started: int | None) -> None:
        seen = sighting(found)
        self._seq += 1
        if self.stored is None:
            self.stored = Stored(1, seen.source_modified, seen.content_hash, self._seq, 1, seen.gone)
            return
        revision, date = after(self.stored, seen, started)
        self.stored = replace(
            self.stored,
            revision=revision,
            source_modified=date,
            content_hash=seen.content_hash,
            accepted_seq=self._seq,
            published_revision=revision,
            gone=seen.gone,
        )


def sequences(run: str) -> dict[str, list[Reading | NeedsRead]]:
    """The deliveries about each order, in their order."""
    found: dict[str, list[Reading | NeedsRead]] = {}
    for delivery in recorded.deliveries(run):
        if delivery.topic.startswith("order."):
            said = shop().reading(delivery.headers, delivery.raw)
            assert not isinstance(said, NotOurs)
            found.setdefault(said.object_id, []).append(said)
    return found


def last_state(run: str, said: list[Reading | NeedsRead]) -> Reading:
    """What the shop answers when the last delivery has been made. A body with refunds is no body, and read as well."""
    if isinstance(last := said[-1], Reading):
        return last
    if (body := _last_body(run, last.object_id)) is not None:
        return body
    assert recorded.exchange(run, "175-").status == 404
    return Reading(last.type, last.object_id, source_modified=None, gone=True)


def _last_body(run: str, order_id: str) -> Reading | None:
    raws = [one.raw for one in recorded.deliveries(run) if shop().hint(one.headers, one.raw).object_id == order_id]
    return shop().parse_order(raws[-1]) if b'"line_items"' in raws[-1] else None


@pytest.mark.parametrize("run", recorded.RUNS)
def test_every_recorded_order_ends_in_the_same_state(run: str) -> None:
    """FC-115 among them: `order.updated` before `order.created`."""
    die = random.Random(7)
    for order_id, said in sequences(run).items():
        final = last_state(run, said)
        for _ in range(_SHUFFLES):
            shuffled = said + die.choices(said, k=len(said))
            die.shuffle(shuffled)
            intake = Intake(now=final)
            for delivery in shuffled:
                intake.take(delivery)
            assert intake.stored is not None
            assert intake.stored.content_hash == sighting(final).content_hash, (run, order_id)


@pytest.mark.parametrize("run", recorded.RUNS)
def test_repeated_in_their_own_order_they_make_no_further_revision(run: str) -> None:
    for said in sequences(run).values():
        once, thrice = Intake(now=last_state(run, said)), Intake(now=last_state(run, said))
        for delivery in said:
            once.take(delivery)
        for delivery in [*said, *said, *said]:
            thrice.take(delivery)
        assert once.stored is not None
        assert thrice.stored is not None
        assert thrice.stored.revision == once.stored.revision


def test_updated_before_created_is_one_revision() -> None:
    """FC-115: the two deliveries of a checkout, 20 ms apart and in the wrong order, are one content."""
    said = sequences("excl-tax")["42"]
    assert len(said) == 2
    for order in (said, said[::-1]):
        intake = Intake(now=last_state("excl-tax", said))
        for delivery in order:
            intake.take(delivery)
        assert intake.stored is not None
        assert (intake.stored.revision, intake.reads) == (1, 0)
