"""A store whose orders stand on a shelf, in canonical form: what a test puts there is what a read shows."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from pydantic import BaseModel, ConfigDict

from tallystick.canonical import written
from tallystick.clock import Clock
from tallystick.errors import Unavailable
from tallystick.ports import NeedsRead, Reading, WebhookState, Window
from tallystick.registry import AdapterKind
from tallystick.v1 import event_pb2


class ShelfSettings(BaseModel):
    """There is nothing to set."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@dataclass
class ShelfStore:
    """An `OrderSource`. `down` answers no read; `reads` are the ids that were asked for."""

    connection: str
    settings: ShelfSettings
    clock: Clock
    shelf: dict[str, Reading] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)
    down: bool = False
    hooks: Sequence[WebhookState] = ()
    overlap_s: float = 0.0

    def put(
        self, order_id: str, gross: str = "11", *, sku: str = "MUG", number: str = "", state: str = "placed",
        quantity: int = 1,
    ) -> None:  # fmt: skip
        """The order as it is from now on."""
        line = {"sku": sku, "quantity": quantity, "amount": {"gross": gross}, "taxes": [{"rate_percent": 19}]}
        order = written.order(
            {
                "connection": self.connection,
                "id": order_id,
                "number": number or f"#{order_id}",
                "lines": [line],
                "state": state,
            }
        )
        self.shelf[order_id] = Reading(event_pb2.ENTITY_TYPE_ORDER, order_id, datetime.now(UTC), order=order)

    async def identity(self) -> str:
        """Its own name."""
        return self.connection

    async def read_order(self, order_id: str) -> Reading:
        """What stands there."""
        self.reads.append(order_id)
        if self.down:
            raise Unavailable("the shelf cannot be reached")
        gone = Reading(event_pb2.ENTITY_TYPE_ORDER, order_id, None, gone=True)
        return self.shelf.get(order_id, gone)

    async def changed_orders(self, window: Window) -> AsyncIterator[Sequence[Reading | NeedsRead]]:
        """All of them."""
        yield list(self.shelf.values())

    def parse_order(self, raw: bytes) -> Reading:
        """It has no form of its own."""
        raise Unavailable("the shelf has no payloads")

    async def webhooks(self) -> Sequence[WebhookState]:
        """As the test set them."""
        if self.down:
            raise Unavailable("the shelf cannot be reached")
        return self.hooks

    async def close(self) -> None:
        """Nothing is open."""


KIND = AdapterKind("shelf", "store", ShelfSettings, ShelfStore)
