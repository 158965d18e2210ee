"""What happened, written down: what was produced, what the target's journal tells, and how the ledger ended.

`python -m tests.crash.history FILE` judges a history that a failed test has kept.
"""

import json
import re
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

#: Between an order's reference and what names a part of it.
_OF_ORDER = re.compile("/(?:refund|return|payment)/")


@dataclass(frozen=True, slots=True)
class Produced:
    """A revision on the topic, however often."""

    key: str
    revision: int
    total: str
    #: References of all payments that it states.
    payments: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Paid:
    """A payment that was booked: its reference, the order's, and when."""

    at: float
    ref: str
    order: str


@dataclass(frozen=True, slots=True)
class Effective:
    """One change that the target's journal tells of: created, updated or confirmed."""

    at: float
    what: str
    key: str
    document: str
    revision: int


@dataclass(frozen=True, slots=True)
class Final:
    """A document as it stands in the end."""

    key: str
    document: str
    revision: int
    total: str
    confirmed: bool


@dataclass(frozen=True, slots=True)
class Request:
    """One order in one write, as its sender saw it: it may not run longer than `until`."""

    key: str
    revision: int
    step: str
    proc: int
    began: float
    until: float
    #: None when the sender died before it knew.
    ended: float | None
    outcome: str

    @property
    def lane(self) -> str:
        """Of an order, and of all its parts: the order."""
        return lane_of(self.key)


@dataclass(frozen=True, slots=True)
class Effect:
    """A row of the ledger in the end."""

    key: str
    revision: int
    state: str


@dataclass(frozen=True, slots=True)
class Lane:
    """A lane in the end: free and idle, or not."""

    key: str
    owned: bool
    due: bool
    reason: str | None


@dataclass(frozen=True, slots=True)
class Sample:
    """Counters that may only grow, at one moment."""

    at: float
    values: Mapping[str, int]


@dataclass(slots=True)
class History:
    """One target over one test. `held` names the orders that are to end held, with their reason."""

    target: str
    produced: list[Produced] = field(default_factory=list)
    journal: list[Effective] = field(default_factory=list)
    documents: list[Final] = field(default_factory=list)
    paid: list[Paid] = field(default_factory=list)
    requests: list[Request] = field(default_factory=list)
    effects: list[Effect] = field(default_factory=list)
    lanes: list[Lane] = field(default_factory=list)
    epochs: list[Sample] = field(default_factory=list)
    offsets: list[Sample] = field(default_factory=list)
    held: dict[str, str] = field(default_factory=dict)

    def newest(self) -> dict[str, Produced]:
        """The last revision of each order."""
        newest: dict[str, Produced] = {}
        for one in self.produced:
            if one.key not in newest or newest[one.key].revision < one.revision:
                newest[one.key] = one
        return newest


def lane_of(ref: str) -> str:
    """The order's reference, of the order's and of those of its parts; any other is its own."""
    return _OF_ORDER.split(ref)[0]


def requests(lines: Iterable[Mapping[str, Any]]) -> list[Request]:
    """From the lines that the adapters wrote."""
    began: dict[tuple[int, int], Mapping[str, Any]] = {}
    ended: dict[tuple[int, int], Mapping[str, Any]] = {}
    for line in lines:
        (began if "sent" in line else ended)[(line["proc"], line["call"])] = line
    return [
        _request(line, index, ended.get(call)) for call, line in began.items() for index in range(len(line["sent"]))
    ]


def _request(line: Mapping[str, Any], index: int, end: Mapping[str, Any] | None) -> Request:
    key, revision = line["sent"][index]
    outcome = end["outcomes"][index] if end else "unknown"
    at = end["at"] if end else None
    return Request(key, revision, line["step"], line["proc"], line["at"], line["until"], at, outcome)


def keep(histories: Sequence[History], name: str) -> Path:
    """Write them to a file that outlives the test, and say where."""
    folder = Path(tempfile.gettempdir()) / "tallystick-histories"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-{time.time_ns()}.json"
    path.write_text(json.dumps([asdict(history) for history in histories], indent=1))
    return path


def load(path: Path) -> list[History]:
    """What `keep` wrote."""
    return [_history(one) for one in json.loads(path.read_text())]


def _history(data: Mapping[str, Any]) -> History:
    kinds: dict[str, type[Any]] = {
        "produced": Produced,
        "journal": Effective,
        "documents": Final,
        "paid": Paid,
        "requests": Request,
        "effects": Effect,
        "lanes": Lane,
        "epochs": Sample,
        "offsets": Sample,
    }
    rows = {name: [kind(**row) for row in data[name]] for name, kind in kinds.items()}
    return History(target=data["target"], held=data["held"], **rows)


def main(paths: Sequence[str]) -> int:
    """Judge kept histories."""
    from tests.crash.checkers import judge

    findings = [finding for path in paths for history in load(Path(path)) for finding in judge(history)]
    sys.stdout.write("\n".join([*findings, f"{len(findings)} findings", ""]))
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
