"""What a comparison may find, and how findings are summed up."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import StrEnum

#: Not a disagreement: what was looked at.
COMPARED = "compared"


class What(StrEnum):
    """One kind of disagreement."""

    #: The source shows it, the ledger had never heard of it. It entered by the one door.
    MISSING = "missing"
    #: The source shows other content than the ledger knew. It entered again.
    DIFFERING = "differing"
    #: The ledger had it as gone, the source shows it again. It entered again.
    RETURNED = "returned"
    #: The source does not show it any more. That entered as a revision; what becomes of its document is policy.
    GONE = "gone"
    #: The document is no longer in the target; its lane is held.
    DELETED_IN_TARGET = "deleted_in_target"
    #: The document says something else than was written. Told and never overwritten: a person may force a resync.
    DIFFERS_IN_TARGET = "differs_in_target"
    #: A second document under one reference.
    DUPLICATE = "duplicate"

    @property
    def words(self) -> str:
        """For people."""
        return _WORDS[self]


_WORDS = {
    What.MISSING: "was not in the ledger; it entered",
    What.DIFFERING: "had other content than the ledger knew; it entered again",
    What.RETURNED: "is in its source again; it entered again",
    What.GONE: "is no longer in its source",
    What.DELETED_IN_TARGET: "its document is no longer in the target; its lane is held",
    What.DIFFERS_IN_TARGET: "its document says something else than was written",
    What.DUPLICATE: "has a second document under its reference",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One disagreement. `detail` is in words, without personal data."""

    flow: str
    what: What
    #: `<connection>/<id>`: the order, or the part of it.
    name: str
    target: str = ""
    detail: str = ""


@dataclass(slots=True)
class Result:
    """What one window came to."""

    compared: Counter[str] = field(default_factory=Counter)
    findings: list[Finding] = field(default_factory=list)
    #: Why something could not be compared; empty when all was.
    problem: str = ""

    def add(self, findings: Iterable[Finding]) -> None:
        """Take note of disagreements."""
        self.findings += findings

    @property
    def tallies(self) -> dict[tuple[str, str], int]:
        """Numbers by flow and kind."""
        found = Counter((one.flow, str(one.what)) for one in self.findings)
        return {**{(flow, COMPARED): number for flow, number in self.compared.items()}, **found}
