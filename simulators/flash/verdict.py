"""What a flash sale came to, from the shop's own journal and from nothing of ours."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from simulators.journal import Journal


@dataclass(frozen=True, slots=True)
class Verdict:
    """Pieces, but `published_above_truth`, which counts figures that were set above what there was at that moment."""

    store: str
    buyers: int
    units: int
    sold: int
    published_above_truth: int
    left_too_low: int
    oversold: int
    #: Pieces by which the worst of those figures was too high.
    overshoot: int = 0

    def as_json(self) -> dict[str, object]:
        """For `--json`."""
        return asdict(self)

    def ok(self, *, compares: bool) -> bool:
        """Whether it held what is promised: a shop that compares never shows more than there is; one that does not
        may for as long as one write takes, which is told and put right, and sells no more than that too much."""
        if self.left_too_low:
            return False
        return not (self.oversold or self.published_above_truth) if compares else self.oversold <= self.overshoot


#: Noted by who lets goods arrive in the ERP, in pieces.
ARRIVED = "goods arrived"


def judge(store: str, buyers: int, units: Mapping[str, int], journal: Journal, shown: Mapping[str, int]) -> Verdict:
    """Go through what happened, in order of effect; `units` are what there was before."""
    left, sold, above, overshoot = dict(units), 0, 0, 0
    for entry in journal.entries:
        if entry.what == "stock sold":
            left[entry.key] -= entry.detail.before - entry.detail.after
            sold += entry.detail.before - entry.detail.after
        elif entry.what == "stock returned":
            left[entry.key] += entry.detail.after - entry.detail.before
            sold -= entry.detail.after - entry.detail.before
        elif entry.what == ARRIVED:
            left[entry.key] += entry.detail
        elif entry.what == "stock set" and entry.detail.after > max(0, left[entry.key]):
            above += 1
            overshoot = max(overshoot, entry.detail.after - max(0, left[entry.key]))
    return Verdict(
        store=store,
        buyers=buyers,
        units=sum(units.values()),
        sold=sold,
        published_above_truth=above,
        left_too_low=sum(max(0, left[sku] - shown[sku]) for sku in units),
        oversold=sum(max(0, -left[sku]) for sku in units),
        overshoot=overshoot,
    )
