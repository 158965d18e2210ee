"""A store that answers nothing: tests put its orders on the topic themselves."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from pydantic import BaseModel, ConfigDict

from tallystick.clock import Clock
from tallystick.errors import Unavailable
from tallystick.ports import NeedsRead, Reading, WebhookState, Window
from tallystick.registry import AdapterKind


class QuietSettings(BaseModel):
    """There is nothing to set."""

    model_config = ConfigDict(extra="forbid", frozen=True)


async def nothing() -> AsyncIterator[Sequence[Any]]:
    """No page of anything."""
    pages: Sequence[Sequence[Any]] = ()
    for page in pages:
        yield page


class QuietStore:
    """An `OrderSource` and `CustomerSource` in which nothing ever changes."""

    overlap_s = 0.0
    lists_all_customers = False
    #: What is on the topic tells all.
    lacks_payments = lacks_returns = ""

    def __init__(self, connection: str, _settings: QuietSettings, _clock: Clock) -> None:
        self._connection = connection

    async def identity(self) -> str:
        """Its own name."""
        return self._connection

    async def read_order(self, order_id: str) -> Reading:
        """Nobody may rely on it."""
        raise Unavailable(f"the quiet store does not show {order_id}")

    async def changed_orders(self, window: Window) -> AsyncIterator[Sequence[Reading | NeedsRead]]:
        """None ever."""
        async for page in nothing():
            yield page

    async def read_customer(self, customer_id: str) -> Reading:
        """Nobody may rely on it."""
        raise Unavailable(f"the quiet store does not show {customer_id}")

    async def changed_customers(self, window: Window) -> AsyncIterator[Sequence[Reading | NeedsRead]]:
        """None ever."""
        async for page in nothing():
            yield page

    def parse_order(self, raw: bytes) -> Reading:
        """It has no form of its own."""
        raise Unavailable("the quiet store has no payloads")

    async def webhooks(self) -> Sequence[WebhookState]:
        """None: nothing is lost by it."""
        return ()

    async def close(self) -> None:
        """Nothing is open."""


KIND = AdapterKind("quiet", "store", QuietSettings, QuietStore)
