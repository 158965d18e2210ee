"""The abilities that goods on their way back need of a store and of an ERP."""

from typing import Protocol, runtime_checkable

from tallystick.ports import Sink


@runtime_checkable
class ReturnSource(Protocol):
    """A store that keeps returns, and whose orders bring them as their parts."""

    #: Whether it tells of them in time, as the connection is set; in words what to set, where it does not.
    lacks_returns: str


@runtime_checkable
class ReturnSink(Protocol):
    """An ERP that takes goods back."""

    returns: Sink
