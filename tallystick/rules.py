"""What the decisions about a head depend on beside the head itself."""

from dataclasses import dataclass

from tallystick.ports import OperationTraits, Refused
from tallystick.reasons import HoldReason

#: Why an order is held of which something stands beside its document, where a newer revision cannot stand there.
FROZEN = Refused(
    HoldReason.LOCKED,
    "an earlier edit was booked beside its document, which is changed no more since, and what differs now cannot be "
    "told apart from that: book it by hand, then mark as applied",
)


@dataclass(frozen=True, slots=True)
class Rules:
    """The target's traits and the durations, already scaled; in seconds where they end in `_s`."""

    traits: OperationTraits
    late_apply_s: float
    search_lag_s: float
    dependency_s: float
    #: How long a part waits for an order that nobody has recorded.
    parent_s: float
    attempts_max: int
    backoff_s: float

    @property
    def quiet_s(self) -> float:
        """How long after a doubt a look-up may still miss what landed."""
        return self.late_apply_s + self.search_lag_s
