"""What two shops and an Odoo hold of each other, read from the doubles alone: our own ledger has no say here."""

import json
from collections import Counter
from collections.abc import Collection, Mapping
from decimal import Decimal

from simulators.odoo import Order as Document
from simulators.shopify import pricing
from tallystick.canonical.keys import order_key
from tests.flows.company import SHOPIFY, WOO, Company, lines

#: A shop and the id of one of its orders.
Name = tuple[str, int]


def names(company: Company) -> list[Name]:
    """All orders of both shops."""
    return [(WOO, one) for one in company.woo.orders] + [(SHOPIFY, one) for one in company.shop.orders]


# ---- to the ERP ------------------------------------------------------------------------------------------------------


def orders(company: Company, without: Collection[Name]) -> list[str]:
    """Orders that the books do not hold as their shops do: one document each, with its pieces, total and state.

    `without` names those that must have none.
    """
    off = []
    for name in names(company):
        found = company.documents(*name)
        wrong = bool(found) if name in without else [_booked(one) for one in found] != [_sold(company, name)]
        if wrong:
            off.append(f"{name}: {[_booked(one) for one in found]}, not {_sold(company, name)}")
    return off


def _booked(document: Document) -> tuple[bool, dict[str, int], Decimal]:
    pieces: Counter[str] = Counter()
    for product, number in lines(document):
        pieces[product] += number
    return document.state == "cancel", dict(+pieces), document.amount_total


def _sold(company: Company, name: Name) -> tuple[bool, dict[str, int], Decimal]:
    """What was removed by an edit is not sold; what was given back was."""
    connection, order_id = name
    if connection == WOO:
        order = company.woo.orders[order_id]
        bought = {line.sku or "": int(line.quantity) for line in order.lines}
        return order.status == "cancelled", bought, order.sums.total
    sold = company.shop.orders[order_id]
    left = {line.item.sku: line.item.quantity - line.removed for line in sold.lines}
    cancelled = sold.cancelled_at is not None
    whole = pricing.ordered(sold, with_added=True) if cancelled or not sold.edited else None
    total = (whole or pricing.current(sold)).price
    return cancelled, {sku: number for sku, number in left.items() if number}, total


def refunds(company: Company, without: Collection[Name]) -> list[str]:
    """Refunds that are not credited exactly once, posted, with what was given back; credits of nothing."""
    off, known = [], set()
    for name in names(company):
        if name in without:
            continue
        for refund_id, amount in _given_back(company, name).items():
            credits = [one for one in company.odoo.credits if _mark(name, f"refund/{refund_id} ") in one.origin]
            known |= {one.id for one in credits}
            if [(one.state, one.amount_total) for one in credits] != [("posted", amount)]:
                off.append(f"{name}, refund {refund_id}: {[(one.state, one.amount_total) for one in credits]}")
    return off + [f"credit {one.name} is of nothing" for one in company.odoo.credits if one.id not in known]


def _given_back(company: Company, name: Name) -> Mapping[int, Decimal]:
    connection, order_id = name
    if connection == WOO:
        return {one.id: one.amount or Decimal(0) for one in company.woo.orders[order_id].refunds}
    sold = company.shop.orders[order_id]
    if sold.cancelled_at is not None:
        # Its document is cancelled with it.
        return {}
    given = {one.id: sum((paid.amount for paid in one.payments), Decimal(0)) for one in sold.refunds}
    return {refund_id: amount for refund_id, amount in given.items() if amount}


def payments(company: Company, without: Collection[Name]) -> list[str]:
    """Payments that are not booked exactly once and posted, and payments of nothing."""
    off, known = [], set()
    for name in names(company):
        if name in without:
            continue
        found = [one for one in company.odoo.payments if _mark(name, "payment/") in one.memo]
        known |= {one.id for one in found}
        if Counter(one.amount for one in found if one.entry) != Counter(_paid(company, name)) or not all(
            one.entry for one in found
        ):
            off.append(f"{name}: {[(one.state, one.amount) for one in found]}, not {_paid(company, name)}")
    return off + [f"payment {one.name} is of nothing" for one in company.odoo.payments if one.id not in known]


def _paid(company: Company, name: Name) -> list[Decimal]:
    connection, order_id = name
    if connection == WOO:
        order = company.woo.orders[order_id]
        return [order.sums.total] if order.paid is not None else []
    taken = company.shop.orders[order_id].payments
    return [one.amount for one in taken if one.kind in ("SALE", "CAPTURE") and one.status == "SUCCESS"]


def _mark(name: Name, part: str) -> str:
    return f"tallystick {order_key(name[0], str(name[1]))}/{part}"


# ---- to the shops ----------------------------------------------------------------------------------------------------


def shipments(company: Company, shipped: Mapping[str, Name]) -> list[str]:
    """Parcels (by number) that their shop was not told of exactly once, and parcels that nobody sent."""
    told: Counter[tuple[str, Name]] = Counter()
    for sold in company.shop.orders.values():
        told.update((number, (SHOPIFY, sold.id)) for one in sold.fulfilments for number in one.numbers)
    for order in company.woo.orders.values():
        entries = [json.loads(text) for key, text in order.meta.items() if key.startswith("_tallystick_shipment_")]
        told.update((number, (WOO, order.id)) for entry in entries for number in entry["numbers"])
    wanted = Counter(dict.fromkeys(shipped.items(), 1))
    return [f"{what}: {told[what]}, not {wanted[what]}" for what in sorted(told | wanted) if told[what] != wanted[what]]


def mails(company: Company, shipped: Mapping[str, Name]) -> list[str]:
    """Parcels of WooCommerce orders of which the buyer did not hear exactly once."""
    off = []
    for number, (connection, order_id) in shipped.items():
        if connection == WOO:
            notes = [one.detail for one in company.woo.journal.of("note") if one.key == str(order_id)]
            heard = sum(number in str(note) for note in notes)
            off += [f"{number}: {heard} mails"] if heard != 1 else []
    return off


def stock(company: Company, sku: str) -> tuple[int, int, int]:
    """What WooCommerce, Shopify and Odoo say may be sold."""
    erp = company.odoo.stock(sku).available
    return company.woo.storeroom.available(sku), company.shop.stockroom.available(sku), int(erp)


def prices(company: Company, sku: str) -> tuple[str, str]:
    """What WooCommerce and Shopify were told last."""
    woo = [one.detail.regular for one in company.woo.journal.of("product saved") if one.key == sku]
    shopify = [one.detail.price for one in company.shop.journal.of("price set") if one.key == sku]
    return woo[-1] if woo else "", shopify[-1] if shopify else ""
