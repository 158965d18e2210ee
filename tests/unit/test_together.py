"""What runs side by side has ended when its owner goes on, whatever became of each."""

import asyncio

import pytest

from tallystick.together import together


async def slowly(done: list[str]) -> None:
    try:
        await asyncio.sleep(0.01)
    finally:
        # As a transaction that is rolled back.
        await asyncio.sleep(0.01)
        done.append("over")


async def fails(text: str) -> None:
    raise ValueError(text)


async def test_a_failure_waits_for_the_others() -> None:
    done: list[str] = []
    with pytest.raises(ValueError, match="first"):
        await together([slowly(done), fails("first"), fails("second")])
    assert done == ["over"]


async def test_who_is_cancelled_has_ended_all_of_it() -> None:
    done: list[str] = []
    whole = asyncio.create_task(together([slowly(done), asyncio.sleep(60)]))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    whole.cancel()
    with pytest.raises(asyncio.CancelledError):
        await whole
    assert done == ["over"]
