"""What came up while a document was built: what holds it, what somebody else has to resolve, what was done to it."""

from dataclasses import dataclass, field

from tallystick.contract.document import Hold
from tallystick.reasons import HoldReason


@dataclass(frozen=True, slots=True)
class Unresolved:
    """A reference without a counterpart as far as the contract alone can tell."""

    #: product, tax, currency, customer, field
    kind: str
    #: What was looked for, as the store writes it; empty where it is personal.
    value: str
    detail: str
    #: Only the target can tell (a SKU, a customer): no reason to hold by itself.
    in_target: bool = False


@dataclass(slots=True)
class Report:
    """Collects; the build goes on, so that one look shows everything that is wrong with an order."""

    holds: list[Hold] = field(default_factory=list)
    unresolved: list[Unresolved] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def hold(self, reason: HoldReason, detail: str) -> None:
        """The order is held for this."""
        self.holds.append(Hold(reason, detail))

    def missing(self, kind: str, value: str, detail: str, *, in_target: bool = False) -> None:
        """A reference is missing, told once however many lines need it."""
        found = Unresolved(kind, value, detail, in_target)
        if found not in self.unresolved:
            self.unresolved.append(found)

    def note(self, text: str) -> None:
        """Something that an auditor may ask about."""
        self.notes.append(text)

    def verdict(self) -> Hold | None:
        """The first hold; else MAPPING with everything that has no row in the contract."""
        if self.holds:
            return self.holds[0]
        missing = [item.detail for item in self.unresolved if not item.in_target]
        return Hold(HoldReason.MAPPING, "; ".join(missing)) if missing else None
