"""What really happened at a double: the truth that tests and the demo compare with, never our own counters."""

import time
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: `at_s` monotonic, `what` a verb such as "created", on the object `key`."""

    at_s: float
    what: str
    key: str
    detail: Any = None


@dataclass(slots=True)
class Journal:
    """Append-only, in order of effect."""

    entries: list[Entry] = field(default_factory=list)

    def note(self, what: str, key: str, detail: Any = None) -> None:
        """Write down that something took effect."""
        self.entries.append(Entry(time.monotonic(), what, key, detail))

    def of(self, what: str) -> list[Entry]:
        """All entries of one kind."""
        return [entry for entry in self.entries if entry.what == what]
