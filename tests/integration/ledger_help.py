"""Rows and a ledger for the tests of the ledger and the engine."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime

from tallystick.clock import Timing
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.migrate import migrate
from tallystick.ledger.pool import Pool, open_pool
from tallystick.ledger.rows import Claim, EffectState, Head, Kind, Outcome, Row
from tallystick.reasons import HoldReason, NotEligible, WaitReason

TIMING = Timing(lease_s=15, request_s=30, margin_s=5)
LATE_S = 60.0


@asynccontextmanager
async def open_ledger(dsn: str) -> AsyncIterator[tuple[Ledger, Pool]]:
    """A ledger of the target `erp` in an empty database."""
    await migrate(dsn)
    pool = await open_pool(dsn)
    try:
        yield Ledger(pool, "erp", "worker-1", TIMING, LATE_S), pool
    finally:
        await pool.close()


def order(number: int, revision: int = 1, *, not_eligible: NotEligible | None = None) -> Row:
    """One revision of an order."""
    lane = f"shop/{number}"
    return Row(
        lane_key=lane,
        connection="shop",
        entity_type="order",
        entity_id=lane,
        operation="upsert",
        op_id=str(revision),
        kind=Kind.STATE,
        revision=revision,
        body=f"{number}@{revision}".encode(),
        external_ref=lane,
        received_at=datetime.now(UTC),
        object_id=str(number),
        not_eligible=not_eligible,
    )


def refund(number: int, refund_id: str) -> Row:
    """A refund in the lane of its order."""
    lane = f"shop/{number}"
    return Row(
        lane_key=lane,
        connection="shop",
        entity_type="refund",
        entity_id=f"{lane}/{refund_id}",
        operation="refund",
        op_id=refund_id,
        kind=Kind.DELTA,
        revision=1,
        body=b"refund",
        external_ref=f"{lane}/refund/{refund_id}",
        received_at=datetime.now(UTC),
    )


def outcome(
    head: Head,
    state: EffectState,
    *,
    was: EffectState | None = None,
    step: int | None = None,
    hold: HoldReason | None = None,
    wait: WaitReason | None = None,
    due_in_s: float = 0.0,
    doubt: bool = False,
    clear_late: bool = False,
    external_id: str | None = None,
    applied_revision: int | None = None,
    lines: tuple[str, ...] = (),
) -> Outcome:
    """An outcome of a head, with the fields a test is about."""
    return Outcome(
        claim=head.claim,
        seq=head.seq,
        was_state=was or head.state,
        was_step=head.step,
        state=state,
        step=head.step if step is None else step,
        what=state.lower(),
        hold=hold,
        wait=wait,
        due_in_s=due_in_s,
        detail="",
        doubt=doubt,
        clear_late=clear_late,
        external_id=external_id,
        applied_revision=applied_revision,
        lines=lines,
    )


def applied(head: Head, external_id: str = "17") -> Outcome:
    """The last step succeeded."""
    return outcome(
        head,
        EffectState.APPLIED,
        was=EffectState.IN_FLIGHT,
        external_id=external_id,
        applied_revision=head.revision,
        lines=("l1",),
    )


async def head_of(ledger: Ledger, claim: Claim) -> Head:
    """The head of one lane of ours."""
    heads, _ = await ledger.heads([claim])
    return heads[0]


async def expire_leases(pool: Pool) -> None:
    """As if the holders had been silent for a lease."""
    await pool.fetch("UPDATE lane SET lease_until = clock_timestamp() - interval '1 s' WHERE lease_until IS NOT NULL")
