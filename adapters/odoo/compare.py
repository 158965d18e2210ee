"""A document that was read back against the one that was to be written: every difference, with both figures."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from tallystick.contract.document import DocumentLine, OrderDocument
from tallystick.ports import Job, Refused
from tallystick.reasons import HoldReason

from . import fields
from .readback import Known, Lined, StoredLine, lined
from .resolve import Ready
from .values import link, moment, plain, text, without_mark
from .versions import DISCOUNT

_TOLD_MAX = 5


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that differs, in words without personal data."""

    reason: HoldReason
    words: str
    #: A text that nobody reckons with: looked at for `whole` and for a locked order, not at each read-back.
    wording: bool = False


def refusal(differences: Iterable[Difference]) -> Refused:
    """The first reason, and all differences as far as there is room."""
    found = list(differences)
    told = "; ".join(one.words for one in found[:_TOLD_MAX])
    more = f"; and {len(found) - _TOLD_MAX} more" if len(found) > _TOLD_MAX else ""
    return Refused(found[0].reason, told + more)


def same_sale(document: Lined, known: Known) -> list[Difference]:
    """Currency and total: all that can be asked of a document that a person made."""
    if known.currency != document.currency:
        words = f"the {known.form.word} is in {document.currency}, in Odoo it is in {known.currency}"
        words += ": correct the contract's table of currencies"
        return [Difference(HoldReason.MAPPING, words)]
    if known.total != document.total:
        words = (
            f"the total is {plain(document.total)} {document.currency} in the store and {plain(known.total)} in Odoo"
        )
        return [Difference(HoldReason.UNBALANCED, words)]
    return []


def differences(
    job: Job, ready: Ready, known: Known, lines: Mapping[str, StoredLine], mark_field: str
) -> list[Difference]:
    """Everything that differs, figures first."""
    document = lined(job)
    found = [
        *_lines(document, ready, lines),
        *_surplus(document, lines),
        *same_sale(document, known),
        *_links(ready, known),
        *_texts(ready, known, mark_field),
    ]
    return sorted(found, key=lambda one: one.wording)


def later_steps(document: OrderDocument, known: Known) -> list[Difference]:
    """What the steps after the load would still change."""
    if not document.confirm:
        return []
    found = []
    if not known.booked:
        found.append(Difference(HoldReason.LOCKED, f"the order is {known.values['state']!r} in Odoo, not confirmed"))
    placed = moment(document.placed_at)
    if text(known.values["date_order"]) != placed:
        found.append(Difference(HoldReason.DATA, f"the order's date is {placed}, in Odoo {known.values['date_order']}"))
    return found


def _lines(document: Lined, ready: Ready, lines: Mapping[str, StoredLine]) -> Iterable[Difference]:
    for line in document.lines:
        stored = lines.get(line.key)
        if stored is None:
            yield Difference(HoldReason.UNBALANCED, f"line {line.key} is not in Odoo")
        else:
            yield from _line(line, stored, ready)


def _line(line: DocumentLine, stored: StoredLine, ready: Ready) -> Iterable[Difference]:
    if stored.product != ready.products[line.product]:
        wanted = f"{line.product!r} (product {ready.products[line.product]})"
        yield Difference(HoldReason.MAPPING, f"line {line.key} is to be {wanted}, in Odoo it is {stored.product}")
    taxes = tuple(sorted(ready.taxes(line)))
    if stored.taxes != taxes:
        words = f"line {line.key} is to have the taxes {taxes or 'none'}, in Odoo it has {stored.taxes or 'none'}"
        yield Difference(HoldReason.MAPPING, words)
    figures = [("quantity", line.quantity, stored.quantity), ("price", line.unit_price, stored.price)]
    for what, sent, kept in figures:
        if sent != kept:
            words = f"line {line.key}: {what} {plain(sent)} was sent, Odoo has {plain(kept)}"
            yield Difference(HoldReason.UNBALANCED, f"{words}{_hint(what)}")
    if stored.discount and DISCOUNT not in line.fields:
        words = f"line {line.key} has a discount of {plain(stored.discount)} % in Odoo; prices are sent without"
        yield Difference(HoldReason.UNBALANCED, words)
    yield from _wording(line, stored, ready)


def _hint(what: str) -> str:
    """What to do where Odoo keeps fewer decimals (16: two of a price; all versions: two of a quantity)."""
    if what == "price":
        return " (how many decimals it keeps belongs under `arithmetic.price_decimals`)"
    return " (it keeps the decimals of the accuracy Product Unit of Measure)"


def _wording(line: DocumentLine, stored: StoredLine, ready: Ready) -> Iterable[Difference]:
    if stored.name.strip() != (line.name or line.product).strip():
        yield Difference(HoldReason.DATA, f"line {line.key} has another description in Odoo", wording=True)
    for name, value in line.fields.items():
        if not fields.holds(stored.values.get(name), value, ready.dialect.line[name], ready.ids):
            yield Difference(HoldReason.DATA, f"line {line.key}: {name} differs in Odoo", wording=True)


def _surplus(document: Lined, lines: Mapping[str, StoredLine]) -> Iterable[Difference]:
    kept = {line.key for line in document.lines}
    for line_key, stored in lines.items():
        if line_key not in kept and stored.quantity:
            words = f"line {line_key} was removed in the store, Odoo has it with quantity {plain(stored.quantity)}"
            yield Difference(HoldReason.UNBALANCED, words)


def _links(ready: Ready, known: Known) -> Iterable[Difference]:
    partner = link(known.values["partner_id"])
    if partner != ready.partner:
        words = f"the customer is contact {ready.partner}, in Odoo the {known.form.word} is for {partner}"
        yield Difference(HoldReason.MAPPING, words)
    for name, value in ready.fields.items():
        about = ready.dialect.head[name]
        if fields.is_link(about) and not fields.holds(known.values[name], value, about, ready.ids):
            yield Difference(HoldReason.MAPPING, f"{name} is to be {value!r}, in Odoo it is {known.values[name]!r}")


def _texts(ready: Ready, known: Known, mark_field: str) -> Iterable[Difference]:
    for name, value in ready.fields.items():
        stored, about = known.values[name], ready.dialect.head[name]
        stored = without_mark(text(stored)) if name == mark_field else stored
        if not fields.is_link(about) and not fields.holds(stored, value, about, ready.ids):
            yield Difference(HoldReason.DATA, f"{name} differs from what Odoo has", wording=True)
