"""When writes that come to nothing are the target's fault, and when they are that of what is sent."""

from typing import cast

import pytest

from tallystick.breaker import Breaker
from tallystick.clock import Timing
from tallystick.ledger.ledger import Ledger
from tallystick.ports import Answer, Applied, Doubt, NotApplied, Refused
from tallystick.reasons import HoldReason
from tallystick.telemetry import Metrics

LOST, BUSY = Doubt("no answer"), NotApplied("another transaction was in the way")


class Circuit:
    """The row of one target."""

    target = "odoo"

    def __init__(self) -> None:
        self.told: list[str] = []

    async def open_circuit(self, for_s: float, reason: str, detail: str) -> None:
        self.told.append(f"open {reason}")

    async def close_circuit(self) -> None:
        self.told.append("close")


@pytest.fixture
def circuit() -> Circuit:
    return Circuit()


@pytest.fixture
def breaker(circuit: Circuit) -> Breaker:
    return Breaker(cast(Ledger, circuit), Timing(), Metrics())


async def test_writes_of_several_lanes_that_come_to_nothing_open_the_circuit(
    breaker: Breaker, circuit: Circuit
) -> None:
    """Whatever look-ups say meanwhile; only a write that is answered closes it."""
    for lane, answer in (("a", LOST), ("b", BUSY), ("a", LOST)):
        assert not breaker.mute
        breaker.heard([lane], [answer])
        breaker.answered()
        await breaker.write()
    assert breaker.mute
    assert circuit.told == ["open DOWN"]
    breaker.answered()
    await breaker.write()
    assert circuit.told == ["open DOWN"], "a look-up says nothing of writes"
    breaker.heard(["b"], [Applied("17")])
    breaker.answered()
    await breaker.write()
    assert (circuit.told, breaker.mute) == (["open DOWN", "close"], False)


async def test_one_lane_alone_is_to_blame_itself(breaker: Breaker, circuit: Circuit) -> None:
    for _ in range(20):
        breaker.heard(["a"], [LOST])
        await breaker.write()
    assert (circuit.told, breaker.mute) == ([], False)


@pytest.mark.parametrize(
    "word", [Applied("1"), Refused(HoldReason.DATA, "no"), Doubt("known already", unanswered=False)]
)
async def test_any_definite_word_tells_that_the_target_takes_writes(breaker: Breaker, word: Answer) -> None:
    for lane in ("a", "b", "c"):
        breaker.heard([lane, "d"], [LOST, word])
    assert not breaker.mute


@pytest.mark.parametrize("none", [NotApplied("slower", throttled=True), NotApplied("refused", reached=False)])
async def test_what_was_never_sent_tells_nothing(breaker: Breaker, none: Answer) -> None:
    for lane in ("a", "b", "c"):
        breaker.heard([lane], [none])
    assert not breaker.mute
