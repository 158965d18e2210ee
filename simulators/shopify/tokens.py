"""Access tokens of the client credentials grant: good for a day, and never renewed but asked for again."""

from collections.abc import Callable
from dataclasses import dataclass, field

LIFE_S = 24 * 3600


@dataclass(slots=True)
class Tokens:
    """The tokens that one shop gave out."""

    seconds: Callable[[], float]
    life_s: int = LIFE_S
    granted: int = 0
    _until_s: dict[str, float] = field(default_factory=dict)

    def grant(self) -> tuple[str, int]:
        """A new token and its life in seconds."""
        self.granted += 1
        token = f"shpat_{self.granted:032x}"
        self._until_s[token] = self.seconds() + self.life_s
        return token, self.life_s

    def good(self, token: str) -> bool:
        """Whether a token still opens the shop."""
        return self._until_s.get(token, 0.0) > self.seconds()

    def revoke(self) -> None:
        """All tokens end now, whatever life they were promised."""
        self._until_s.clear()
