"""What the core asks of an adapter kind: how its settings look, how to open a connection, how to read a payload.

The kinds themselves stand in one explicit tuple in `adapters/__init__.py`; there is no magic at import.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ValidationError

from tallystick.clock import Clock
from tallystick.errors import SetupError
from tallystick.pacing import Pacer
from tallystick.settings import Connection


@dataclass(frozen=True, slots=True)
class AdapterKind:
    """One system that Tallystick speaks to."""

    name: str
    #: "store" or "erp"
    side: str
    settings: type[BaseModel]
    #: (connection id, its checked settings, clock) -> the adapter. Opens no connection yet.
    open: Callable[[str, Any, Clock], Any]

    def build(self, connection_id: str, connection: Connection, clock: Clock) -> Any:
        """The adapter of one connection. Raises `SetupError` that lists what its settings lack."""
        try:
            options = self.settings.model_validate(connection.options)
        except ValidationError as error:
            findings = "; ".join(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors())
            raise SetupError(f"the connection {connection_id!r} ({self.name}) cannot be used: {findings}") from error
        return self.open(connection_id, options, clock)


class Pace(BaseModel):
    """The pace of one connection, part of every adapter's settings."""

    rate_per_s: float
    burst: float
    parallel: int

    def pacer(self, clock: Clock) -> Pacer:
        """The token bucket of this connection."""
        return Pacer(clock, rate_per_s=self.rate_per_s, burst=self.burst, parallel=self.parallel)


def find_kind(kinds: Sequence[AdapterKind], name: str) -> AdapterKind:
    """The kind of that name. Raises `SetupError` naming those that exist."""
    for kind in kinds:
        if kind.name == name:
            return kind
    known = ", ".join(kind.name for kind in kinds)
    raise SetupError(f"there is no kind of connection named {name!r}; there are: {known}")
