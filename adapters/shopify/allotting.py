"""Which lines of which fulfilment orders a shipment is made of: one location, what remains there, nothing else."""

from collections.abc import Iterable, Mapping, Sequence

from adapters.shopify.shipping import Remainder
from tallystick.ports import Refused
from tallystick.reasons import HoldReason

#: (fulfilment order, its line, pieces), the first two as global ids.
Pick = tuple[str, str, int]


def allot(wanted: Mapping[str, int], location: str, there: Sequence[Remainder]) -> list[Pick] | Refused:
    """Pieces by the store's line id, from the location, or where all of them stand when it is empty."""
    refused = _unknown(wanted, there) or _too_many(wanted, there)
    if refused is not None:
        return refused
    ready = [one for one in there if one.ready]
    for place in dict.fromkeys(one.location for one in ready if location in ("", one.location)):
        picks = _pick(wanted, [one for one in ready if one.location == place])
        if picks is not None:
            return picks
    return _elsewhere(wanted, location, there)


def remains(wanted: Mapping[str, int], there: Iterable[Remainder]) -> bool:
    """Whether all of it could still be shipped, wherever it stands."""
    left = _left(there)
    return all(left.get(line, 0) >= pieces for line, pieces in wanted.items())


def _pick(wanted: Mapping[str, int], rows: Sequence[Remainder]) -> list[Pick] | None:
    """None when they do not suffice. A line may be spread over several fulfilment orders of one location."""
    picks: list[Pick] = []
    for line, pieces in wanted.items():
        missing = pieces
        for row in rows:
            if row.line == line and (taken := min(missing, row.pieces)) > 0:
                picks.append((row.task, row.row, taken))
                missing -= taken
        if missing:
            return None
    return picks


def _unknown(wanted: Mapping[str, int], there: Sequence[Remainder]) -> Refused | None:
    known = dict.fromkeys(one.line for one in there)
    strangers = [line for line in wanted if line not in known]
    if not strangers:
        return None
    words = f"the store has nothing to ship of the line {', '.join(strangers)}; it has {', '.join(known) or 'no line'}"
    return Refused(HoldReason.DATA, words)


def _too_many(wanted: Mapping[str, int], there: Sequence[Remainder]) -> Refused | None:
    left = _left(there)
    over = [
        f"{pieces} of line {line}, of which {left[line]} remain to be shipped in the store"
        for line, pieces in wanted.items()
        if pieces > left[line]
    ]
    return Refused(HoldReason.DATA, f"the shipment holds {'; '.join(over)}") if over else None


def _elsewhere(wanted: Mapping[str, int], location: str, there: Sequence[Remainder]) -> Refused:
    """All of it is to be shipped, but not by one fulfilment as the order stands."""
    rows = [one for one in there if one.line in wanted and one.pieces]
    if not all(one.ready for one in rows):
        words = "fulfilment orders of these goods are on hold or scheduled in the store: release them there, then retry"
        return Refused(HoldReason.LOCKED, words)
    standing = ", ".join(f"{one.pieces} of line {one.line} at {one.location_name} ({one.location})" for one in rows)
    left_from = f"the shipment left from the location {location}" if location else "it is one shipment"
    return Refused(
        HoldReason.MAPPING,
        f"{left_from}, and a fulfilment has one location; the store plans {standing}: move the fulfilment orders "
        "there, or name the right location in `fulfilment.locations`",
    )


def _left(there: Iterable[Remainder]) -> dict[str, int]:
    left: dict[str, int] = {}
    for one in there:
        left[one.line] = left.get(one.line, 0) + one.pieces
    return left
