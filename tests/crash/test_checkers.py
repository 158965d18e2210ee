"""Each checker finds what it is for in a planted history, and nothing in one in which all is well."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.crash.checkers import CHECKERS, judge
from tests.crash.history import Effect, Effective, Final, History, Lane, Paid, Produced, Request, Sample, keep, load


def good() -> History:
    """Two revisions of one order, the first answered too late to be known; and an order that is held for a cause."""
    return History(
        target="erp",
        produced=[
            Produced("shop/1", 1, "11", ("shop/1/payment/a",)),
            Produced("shop/1", 2, "12", ("shop/1/payment/a", "shop/1/payment/b")),
            Produced("shop/2", 1, "11", ("shop/2/payment/a",)),
        ],
        journal=[
            Effective(1.0, "created", "shop/1", "7", 1),
            Effective(3.0, "updated", "shop/1", "7", 2),
            Effective(4.0, "confirmed", "shop/1", "7", 2),
        ],
        documents=[Final("shop/1", "7", 2, "12", confirmed=True)],
        paid=[Paid(5.0, "shop/1/payment/a", "shop/1"), Paid(6.0, "shop/1/payment/b", "shop/1")],
        requests=[
            Request("shop/1", 1, "write", 100, began=1.0, until=2.5, ended=None, outcome="unknown"),
            Request("shop/1", 2, "write", 200, began=3.0, until=6.0, ended=3.5, outcome="Applied"),
            Request("shop/1", 2, "confirm", 200, began=4.0, until=7.0, ended=4.5, outcome="Applied"),
        ],
        effects=[Effect("shop/1", 1, "SUPERSEDED"), Effect("shop/1", 2, "APPLIED"), Effect("shop/2", 1, "QUEUED")],
        lanes=[Lane("shop/1", owned=False, due=False, reason=None), Lane("shop/2", False, False, "DATA")],
        epochs=[Sample(1.0, {"shop/1": 1}), Sample(2.0, {"shop/1": 2, "shop/2": 1})],
        offsets=[Sample(1.0, {"orders/0": 5}), Sample(2.0, {"orders/0": 9})],
        held={"shop/2": "DATA"},
    )


def _twice(history: History) -> None:
    history.documents.append(Final("shop/1", "8", 2, "12", confirmed=True))


PLANTED: dict[str, tuple[str, Callable[[History], object]]] = {
    "an effect is missing": ("LOST", lambda h: h.effects.pop(0)),
    "a document is missing": ("LOST", lambda h: h.documents.clear()),
    "two documents": ("DUPLICATE", _twice),
    "a payment is missing": ("PAID_ONCE", lambda h: h.paid.pop()),
    "a payment twice": ("PAID_ONCE", lambda h: h.paid.append(replace(h.paid[0], at=7.0))),
    "a payment nobody made": ("PAID_ONCE", lambda h: h.paid.append(Paid(7.0, "shop/1/payment/c", "shop/1"))),
    "a payment before its order": ("PAID_ONCE", lambda h: h.paid.__setitem__(0, replace(h.paid[0], at=0.5))),
    "a revision nobody made": ("PHANTOM", lambda h: h.produced.pop(1)),
    "another total": ("PHANTOM", lambda h: h.documents.__setitem__(0, replace(h.documents[0], total="11"))),
    "an update after a newer one": ("REORDERED", lambda h: h.journal.append(Effective(5, "updated", "shop/1", "7", 1))),
    "a refund before its order": (
        "TOO_EARLY",
        lambda h: h.journal.insert(1, Effective(2.0, "created", "shop/1/refund/9", "8", 1)),
    ),
    "a return before its order": (
        "TOO_EARLY",
        lambda h: h.journal.insert(1, Effective(2.0, "created", "shop/1/return/9", "8", 1)),
    ),
    "the older revision stays": (
        "STALE_FINAL",
        lambda h: h.documents.__setitem__(0, Final("shop/1", "7", 1, "11", True)),
    ),
    "never confirmed": ("STALE_FINAL", lambda h: h.documents.__setitem__(0, replace(h.documents[0], confirmed=False))),
    "an effect in doubt": ("STRANDED", lambda h: h.effects.__setitem__(1, Effect("shop/1", 2, "IN_DOUBT"))),
    "a lane that is due": ("STRANDED", lambda h: h.lanes.__setitem__(0, Lane("shop/1", False, True, None))),
    "a lane that is owned": ("STRANDED", lambda h: h.lanes.__setitem__(0, Lane("shop/1", True, False, None))),
    "held without a cause": ("STRANDED", lambda h: h.lanes.__setitem__(0, Lane("shop/1", False, False, "DATA"))),
    "not held in spite of its cause": (
        "STRANDED",
        lambda h: h.lanes.__setitem__(1, Lane("shop/2", False, False, None)),
    ),
    "sent while another's request runs": (
        "OVERLAP",
        lambda h: h.requests.__setitem__(1, replace(h.requests[1], began=2.4)),
    ),
    "sent before the answer": ("OVERLAP", lambda h: h.requests.__setitem__(2, replace(h.requests[2], began=3.4))),
    "an epoch that fell": ("EPOCH_REGRESSION", lambda h: h.epochs.append(Sample(3.0, {"shop/1": 1}))),
    "an offset that went back": ("OFFSET_REGRESSION", lambda h: h.offsets.append(Sample(3.0, {"orders/0": 8}))),
}


def test_a_good_history_has_no_findings() -> None:
    assert judge(good()) == []


@pytest.mark.parametrize("name", PLANTED)
def test_what_is_planted_is_found(name: str) -> None:
    checker, plant = PLANTED[name]
    history = good()
    plant(history)
    assert checker in {finding.split()[1].rstrip(":") for finding in judge(history)}


def test_every_checker_can_fail() -> None:
    assert {checker for checker, _ in PLANTED.values()} == {checker.__name__.upper() for checker in CHECKERS}


def test_a_kept_history_is_judged_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    history = good()
    _twice(history)
    assert [judge(one) for one in load(keep([history], "planted"))] == [judge(history)]
