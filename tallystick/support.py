"""How long a vendor goes on answering in the words that an adapter speaks: told weeks before it ends."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol, runtime_checkable

#: From then on it is a warning: enough for a release of ours and an update of yours.
WARN_BEFORE = timedelta(days=90)


@dataclass(frozen=True, slots=True)
class Support:
    """The API version in use."""

    version: str
    #: When the vendor may stop to answer it; None when it does not say.
    ends_at: datetime | None
    #: The version that served the last reply, where the vendor tells; empty before the first.
    served: str = ""
    #: The vendor's own words about a call of ours that it will give up.
    deprecated: str = ""

    def warning(self, now: datetime) -> str:
        """What is to be done about it; empty when nothing is."""
        if self.served not in ("", self.version):
            return (
                f"{self.served} served the last call, since {self.version} has ended; update Tallystick or api_version"
            )
        if self.ends_at is not None and now >= self.ends_at - WARN_BEFORE:
            return f"{self.version} ends on {self.ends_at:%Y-%m-%d}; update Tallystick, then api_version, before then"
        if self.deprecated:
            return f"a call that we make will be given up ({self.deprecated}); update Tallystick"
        return ""


@runtime_checkable
class Versioned(Protocol):
    """An adapter of a system whose API comes in versions that end."""

    def support(self) -> Support:
        """As known now; asks nobody."""
        ...
