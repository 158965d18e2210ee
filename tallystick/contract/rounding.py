"""How amounts are rounded, where a contract may choose."""

from enum import StrEnum


class RoundingMode(StrEnum):
    """Where halves, or all fractions, go."""

    HALF_UP = "half_up"
    HALF_EVEN = "half_even"
    HALF_DOWN = "half_down"
    DOWN = "down"
    UP = "up"

    @property
    def of_decimal(self) -> str:
        """The mode of `decimal`."""
        return f"ROUND_{self.name}"
