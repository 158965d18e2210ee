"""What the router asks of a flow."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Protocol, runtime_checkable

from tallystick.built import Built, Unwanted
from tallystick.flows.plan import Plan
from tallystick.kafka.topics import Topic
from tallystick.ledger.rows import Head, Row
from tallystick.ports import Refused
from tallystick.settings import FlowName
from tallystick.v1 import event_pb2

#: Topic, partition and offset of the record that brought an event.
Source = tuple[str, int, int]


class Direction(StrEnum):
    """Where a flow ends."""

    TO_ERP = "to the ERP"
    TO_STORE = "to the store"


class Flow(Protocol):
    """One kind of fact on its way from where it is true to where it is wanted. Pure."""

    name: FlowName
    #: The ledger's word for its entity, by which heads find their flow and their sink.
    entity: str
    direction: Direction

    @property
    def topic(self) -> Topic | None:
        """Where its events travel; None where its effects are decided here."""
        ...

    def row(self, plan: Plan, event: event_pb2.Event, body: bytes, source: Source | None) -> Row | None:
        """The effect that an event asks for; None for what the route does not carry."""
        ...

    def build(self, plan: Plan, head: Head, event: event_pb2.Event) -> Built | Refused | Unwanted:
        """Apply the contract of the head's route."""
        ...


@runtime_checkable
class Following(Protocol):
    """A flow whose effects come with the event of another: behind its own effect, in the same lane."""

    def following(self, plan: Plan, event: event_pb2.Event, source: Source | None) -> Sequence[Row]:
        """All that the event asks for beside. Each is stated again at every revision, and recorded once."""
        ...
