"""The turns of one wave: those that are open, together as they go out, and what each of them refers to."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

from tallystick.contract.document import Document, LineRole, RefundDocument
from tallystick.ledger.rows import Head, Kind
from tallystick.ports import Step
from tallystick.turn import Move, Turn

#: What was tried so often without a definite answer goes alone, so that it draws no others in with it.
_TOGETHER_MAX = 2
#: What stands on a refund alone.
_OF_NO_LINE = (LineRole.ROUNDING, LineRole.GOODWILL, LineRole.KEPT)


def open_turns(turns: Iterable[Turn], *moves: Move) -> list[Turn]:
    """Those without an outcome, of these moves or of any."""
    return [turn for turn in turns if turn.open and (not moves or turn.move in moves)]


def by_step(turns: Sequence[Turn]) -> Iterable[tuple[tuple[str, Step], list[Turn]]]:
    """Those that one request takes, by entity type and step."""
    groups: dict[tuple[str, Step], list[Turn]] = defaultdict(list)
    for turn in turns:
        groups[(turn.head.entity_type, turn.step)].append(turn)
    return groups.items()


def to_send(turns: Sequence[Turn]) -> list[list[Turn]]:
    """A list for each request that writes."""
    together = [turn for turn in turns if turn.head.attempts < _TOGETHER_MAX]
    alone = [[turn] for turn in turns if turn.head.attempts >= _TOGETHER_MAX]
    return [*(group for _, group in by_step(together)), *alone]


def by_type(turns: Sequence[Turn]) -> Iterable[tuple[str, list[Turn]]]:
    """Those of one entity type."""
    groups: dict[str, list[Turn]] = defaultdict(list)
    for turn in turns:
        groups[turn.head.entity_type].append(turn)
    return groups.items()


def parents(head: Head, document: Document) -> dict[str, str]:
    """What a part of an order refers to, as ids of the target with commas between them.

    `order` is the order, `supplements` are those that stand beside it, and `carriers` the ones among all of them whose
    lines it gives back.
    """
    if head.kind is not Kind.DELTA or head.parent_external_id is None:
        return {}
    found = {"order": head.parent_external_id}
    if head.supplements:
        found["supplements"] = ",".join(one.external_id for one in head.supplements)
        found["carriers"] = ",".join(_carriers(head, head.parent_external_id, document))
    return found


def _carriers(head: Head, order: str, document: Document) -> Iterable[str]:
    """By the keys that our own record has of each; what stands on none of them is the order's."""
    lines = document.lines if isinstance(document, RefundDocument) else ()
    given = {line.key for line in lines if line.role not in _OF_NO_LINE}
    added = [one for one in head.supplements if given & one.lines]
    elsewhere = frozenset().union(*(one.lines for one in added))
    if not added or given & head.parent_lines or given - elsewhere:
        yield order
    yield from (one.external_id for one in added)
