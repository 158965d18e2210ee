"""From a canonical return to the document of the target: which goods, to which place, why.

It stands beside the order's document and never changes it; it is built without the order at hand.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal

from tallystick.canonical import returns
from tallystick.canonical.quantities import parse_quantity, quantity_text
from tallystick.contract.document import Hold, ReturnDocument, ReturnedLine
from tallystick.contract.products import ProductTable
from tallystick.contract.report import Report
from tallystick.contract.return_rules import RestockUnknown, Returns, ReturnWhen
from tallystick.errors import Unreadable
from tallystick.reasons import HoldReason, NotEligible
from tallystick.v1 import order_pb2, return_pb2

_ZERO = Decimal(0)
#: How far a return is.
_FAR: Mapping[int, int] = {
    return_pb2.RETURN_STATE_REQUESTED: 1,
    return_pb2.RETURN_STATE_OPEN: 2,
    return_pb2.RETURN_STATE_RECEIVED: 3,
    return_pb2.RETURN_STATE_CLOSED: 3,
}
_FROM = {ReturnWhen.REQUESTED: 1, ReturnWhen.APPROVED: 2, ReturnWhen.RECEIVED: 3}


@dataclass(frozen=True, slots=True)
class ReturnBuilder:
    """The contract's rules for returns."""

    rules: Returns
    products: ProductTable
    confirm: bool
    version: str

    def document(self, returned: return_pb2.Return) -> ReturnDocument | Hold | NotEligible:
        """The document; MAPPING or DATA with its detail; or why there is none (yet)."""
        if returns.is_over(returned):
            return NotEligible.RETURN_OVER
        if _FAR.get(returned.state, 0) < _FROM[self.rules.when]:
            return NotEligible.RETURN_PENDING
        report = Report()
        try:
            lines = tuple(self._lines(returned, report))
        except Unreadable as error:
            return Hold(HoldReason.DATA, str(error))
        return report.verdict() or (self._made(returned, lines) if lines else NotEligible.NO_GOODS)

    def over(self, returned: return_pb2.Return) -> ReturnDocument:
        """The document to be cancelled."""
        return self._made(returned, (), cancelled=True)

    def same(self, one: return_pb2.Return, other: return_pb2.Return) -> bool:
        """Whether both ask for the same document; what becomes of announced goods is the warehouse's word."""
        if returns.is_over(one) or returns.is_over(other):
            return returns.is_over(one) == returns.is_over(other)
        if returns.quantities(one) != returns.quantities(other):
            return False
        return self.rules.when is not ReturnWhen.RECEIVED or returns.told(one) == returns.told(other)

    def _made(
        self, returned: return_pb2.Return, lines: tuple[ReturnedLine, ...], *, cancelled: bool = False
    ) -> ReturnDocument:
        return ReturnDocument(
            connection=returned.connection,
            order_id=returned.order_id,
            return_id=returned.id,
            number=returned.number,
            refunds=tuple(sorted(returned.refund_ids)),
            lines=lines,
            cancelled=cancelled,
            confirm=self.confirm,
            contract_version=self.version,
        )

    # ---- goods ---------------------------------------------------------------------------------------------------

    def _lines(self, returned: return_pb2.Return, report: Report) -> Iterator[ReturnedLine]:
        """Pieces of one line that go to one place for one reason, together."""
        found: dict[tuple[str, str, str, str], Decimal] = defaultdict(Decimal)
        for line in returned.lines:
            if line.kind not in (order_pb2.LINE_KIND_GOODS, order_pb2.LINE_KIND_UNSPECIFIED):
                continue
            product, reason = self._product(line, report), self.rules.reasons.get(line.reason, line.reason)
            for location, pieces in self._places(returned, line, report):
                found[line.line_id, product, location, reason] += pieces
        for (line_id, product, location, reason), pieces in found.items():
            yield ReturnedLine(line_id, product, pieces, location, reason)

    def _product(self, line: return_pb2.ReturnLine, report: Report) -> str:
        sku = self.products.sku(line.sku)
        if not line.line_id:
            report.missing("line", line.title, "the return names goods that stand on no line of the order")
        elif not sku:
            report.missing("product", line.line_id, f"line {line.line_id} that comes back has no SKU")
        return sku

    def _places(
        self, returned: return_pb2.Return, line: return_pb2.ReturnLine, report: Report
    ) -> Iterator[tuple[str, Decimal]]:
        """Where its pieces go; those that are missing or that the ERP does not keep go nowhere."""
        left = parse_quantity(line.quantity)
        for one in line.disposals:
            pieces = min(left, parse_quantity(one.quantity))
            left -= pieces
            place = self._place(one, report)
            if pieces and place is not None:
                yield place, pieces
        if left > _ZERO and self._expected(returned, line, left, report):
            yield self._shelf("", report), left

    def _place(self, one: return_pb2.ReturnDisposal, report: Report) -> str | None:
        """None for nowhere."""
        if one.disposition == return_pb2.RETURN_DISPOSITION_MISSING:
            return None
        if one.disposition == return_pb2.RETURN_DISPOSITION_NOT_RESTOCKED:
            return self.rules.not_restocked or None
        if one.disposition == return_pb2.RETURN_DISPOSITION_PROCESSING and self.rules.processing:
            return self.rules.processing
        return self._shelf(one.location_id, report)

    def _shelf(self, location: str, report: Report) -> str:
        """The place of goods that are sold again; the store names none of those that it expects."""
        rows = self.rules.locations
        if location and rows and location not in rows:
            known = ", ".join(sorted(rows))
            words = f"the store's location {location!r} has no row in `returns.locations`, which has {known}"
            report.missing("location", location, words)
        return rows.get(location, "")

    def _expected(
        self, returned: return_pb2.Return, line: return_pb2.ReturnLine, left: Decimal, report: Report
    ) -> bool:
        """Whether pieces that nothing was said of come back: they do as long as the return is under way."""
        if not returns.is_dealt_with(returned):
            return True
        if self.rules.restock_unknown is RestockUnknown.HOLD:
            what = f"the store does not say what became of {quantity_text(left)} of line {line.line_id}"
            report.missing("restock", line.line_id, f"{what}; decide it under `returns.restock_unknown`")
        return self.rules.restock_unknown is RestockUnknown.YES
