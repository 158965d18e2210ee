"""The judges of a history. Each names what it found; a history in which all is well has no findings."""

import itertools
import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Sequence

from tests.crash.history import Effective, History, Request, Sample, lane_of

_UNFINISHED = ("QUEUED", "IN_FLIGHT", "IN_DOUBT")


def lost(history: History) -> Iterator[str]:
    """What was produced is in the ledger, and everything has its document; what came to nothing needs none."""
    recorded = {(effect.key, effect.revision) for effect in history.effects}
    for one in history.produced:
        if (one.key, one.revision) not in recorded:
            yield f"r{one.revision} of {one.key} is not in the ledger"
    booked = {document.key for document in history.documents}
    for key, newest in history.newest().items():
        if newest.total and key not in booked and key not in history.held:
            yield f"{key} has no document"


def duplicate(history: History) -> Iterator[str]:
    """At most one document for each order."""
    for key, number in Counter(document.key for document in history.documents).items():
        if number > 1:
            yield f"{key} has {number} documents"


def paid_once(history: History) -> Iterator[str]:
    """Each payment that an order states at any of its revisions is booked once, behind the order."""
    made = {entry.key: entry.at for entry in reversed(history.journal) if entry.what == "created"}
    stated = {ref: one.key for one in history.produced for ref in one.payments}
    booked = Counter(payment.ref for payment in history.paid)
    for ref, key in stated.items():
        if booked[ref] > 1 or (booked[ref] < 1 and key not in history.held):
            yield f"{ref} is booked {booked[ref]} times"
    for payment in history.paid:
        if payment.ref not in stated:
            yield f"{payment.ref} is booked, and was never stated"
        elif payment.at < made.get(payment.order, math.inf):
            yield f"{payment.ref} was booked before its order"


def phantom(history: History) -> Iterator[str]:
    """No document says what nobody ever produced."""
    totals = {(one.key, one.revision): one.total for one in history.produced}
    for document in history.documents:
        total = totals.get((document.key, document.revision))
        if total is None:
            yield f"{document.key} is booked at r{document.revision}, which was never produced"
        elif total != document.total:
            yield f"{document.key} r{document.revision} is booked with {document.total} instead of {total}"


def reordered(history: History) -> Iterator[str]:
    """Nothing overtakes in a lane: what takes effect in a document is never older than what did before."""
    newest: dict[str, Effective] = {}
    for entry in history.journal:
        before = newest.get(entry.document)
        if before is not None and entry.revision < before.revision:
            yield f"{entry.key}: {entry.what} r{entry.revision} took effect after r{before.revision}"
        elif before is None or entry.revision > before.revision:
            newest[entry.document] = entry


def too_early(history: History) -> Iterator[str]:
    """No refund and no return takes effect before its order has a confirmed document."""
    confirmed: set[str] = set()
    for entry in history.journal:
        if entry.what == "confirmed":
            confirmed.add(entry.key)
        order = lane_of(entry.key)
        if order != entry.key and order not in confirmed:
            yield f"{entry.key}: {entry.what} before its order was confirmed"


def stale_final(history: History) -> Iterator[str]:
    """In the end every document holds the newest revision, confirmed."""
    newest = history.newest()
    for document in history.documents:
        if document.key not in newest or document.key in history.held:
            continue
        if document.revision != newest[document.key].revision:
            yield f"{document.key} ends at r{document.revision} of {newest[document.key].revision}"
        elif not document.confirmed:
            yield f"{document.key} ends unconfirmed"


def stranded(history: History) -> Iterator[str]:
    """Nothing is left that nobody will take up, and nothing is held without a cause; what has a cause is held."""
    for lane in history.lanes:
        if lane.owned or lane.due:
            yield f"the lane {lane.key} is not at rest"
        if lane.reason != history.held.get(lane.key):
            yield f"the lane {lane.key} is held for {lane.reason}, expected {history.held.get(lane.key)}"
    for effect in history.effects:
        if effect.state in _UNFINISHED and effect.key.partition("/payment/")[0] not in history.held:
            yield f"r{effect.revision} of {effect.key} ends {effect.state}"


def overlap(history: History) -> Iterator[str]:
    """Whoever holds a lane is the only one who sends for it: no write begins within another one's time."""
    by_lane: defaultdict[str, list[Request]] = defaultdict(list)
    for request in sorted(history.requests, key=lambda request: request.began):
        by_lane[request.lane].append(request)
    for key, sent in by_lane.items():
        for before, after in itertools.pairwise(sent):
            if after.began < _over(before):
                yield (
                    f"{key}: {after.step} r{after.revision} by {after.proc} began while "
                    f"{before.step} r{before.revision} by {before.proc} was under way"
                )


def _over(request: Request) -> float:
    """When a request is answered, given up, or out of time if its sender died."""
    return request.until if request.ended is None else min(request.ended, request.until)


def epoch_regression(history: History) -> Iterator[str]:
    """A lane's epoch never decreases."""
    yield from _regressions("the epoch of", history.epochs)


def offset_regression(history: History) -> Iterator[str]:
    """A committed offset never goes back."""
    yield from _regressions("the offset of", history.offsets)


def _regressions(what: str, samples: Sequence[Sample]) -> Iterator[str]:
    highest: dict[str, int] = {}
    for sample in sorted(samples, key=lambda sample: sample.at):
        for name, value in sample.values.items():
            if value < highest.get(name, value):
                yield f"{what} {name} fell from {highest[name]} to {value}"
            highest[name] = max(value, highest.get(name, value))


Checker = Callable[[History], Iterator[str]]
CHECKERS: tuple[Checker, ...] = (
    lost,
    duplicate,
    paid_once,
    phantom,
    reordered,
    too_early,
    stale_final,
    stranded,
    overlap,
    epoch_regression,
    offset_regression,
)


def judge(history: History) -> list[str]:
    """All findings of all checkers, each with the name of its checker."""
    return [
        f"{history.target} {checker.__name__.upper()}: {finding}"
        for checker in CHECKERS
        for finding in checker(history)
    ]
