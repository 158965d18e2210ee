"""The abilities that keep two sides in agreement beyond single deliveries: mended subscriptions, found doubles."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

from tallystick.ports import Window


@runtime_checkable
class WebhookKeeper(Protocol):
    """A store whose subscriptions can be made and brought back by us, where its settings allow that."""

    #: The settings name an address and want subscriptions to be mended.
    mends_webhooks: bool

    async def mend_webhooks(self) -> Sequence[str]:
        """Make the wanted subscriptions that are missing and activate those that are not; answers their topics.

        An answer that is lost may leave a second subscription of a topic, which costs a delivery more and nothing
        else. Raises `Unavailable`, `Unauthorised`, and `Unreadable` where the store refuses one for good.
        """
        ...


@runtime_checkable
class PartlyShown(Protocol):
    """A store that may hide orders from us which are there: that one is not shown proves nothing then."""

    async def shows_all_orders(self) -> bool:
        """Whether every order can be read. Raises `Unavailable`, `Unauthorised`."""
        ...


@dataclass(frozen=True, slots=True)
class Marked:
    """A document that carries a mark of ours."""

    entity_type: str
    #: Which of our documents it says to be.
    ref: str
    external_id: str
    number: str


@runtime_checkable
class DuplicateSweep(Protocol):
    """A target whose documents can be listed by our mark, with and without the key that keeps them single."""

    def marked_documents(self, window: Window) -> AsyncIterator[Sequence[Marked]]:
        """Pages of documents that were made in the window and carry a mark of ours, cancelled ones left out.

        Raises `Unavailable`, `Unauthorised`.
        """
        ...
