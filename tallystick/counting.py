"""What a source tells before a walk through it: how much there is, for people who wait."""

from typing import Protocol, runtime_checkable

from tallystick.ports import Window


@runtime_checkable
class OrderCount(Protocol):
    """A store that tells how many orders a walk will find."""

    async def count_orders(self, window: Window) -> int | None:
        """Orders that changed in the window, as `changed_orders` finds them; None when it does not tell exactly."""
        ...
