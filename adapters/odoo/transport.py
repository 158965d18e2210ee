"""The port to Odoo's API: a call of one method, and what comes of it. JSON-RPC serves 16 to 19."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from tallystick.clock import Budget
from tallystick.ports import Doubt, NotApplied

Json = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Call:
    """A method of a model, its arguments by name, so that JSON-2 can spell it as well. `ids` None: of the model."""

    model: str
    method: str
    arguments: Json
    ids: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The method returned and its transaction is committed. Its value is None for a method that returns nothing."""

    value: Any


@dataclass(frozen=True, slots=True)
class Rejected:
    """Odoo refused for good and rolled back. `message` may hold personal data: redact it."""

    name: str
    message: str = field(repr=False)


Written = Done | Rejected | NotApplied | Doubt


class Transport(Protocol):
    """Calls to one database, as one user. Every call is one transaction of its own."""

    async def version(self) -> Sequence[Any]:
        """`server_version_info`, such as [16, 0, 0, "final", 0, ""]. Needs no credentials."""
        ...

    async def read(self, call: Call) -> Any:
        """Call a method without effects; repeated on passing failures.

        Raises `Unavailable` (also `Throttled`), `Unauthorised`.
        """
        ...

    async def write(self, call: Call, budget: Budget) -> Written:
        """Call a method with effects, at most once. Never raises."""
        ...
