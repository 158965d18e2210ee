"""From a canonical product to what the store is told of it: the right list, currency and basis of tax, and no more.

What an event calls "in force" was so when the ERP was read; when a boundary passes, a new revision tells it.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, localcontext

from google.protobuf import timestamp_pb2

from tallystick.canonical.money import EXACT, amount, quantise
from tallystick.canonical.quantities import parse_quantity
from tallystick.canonical.times import to_datetime
from tallystick.contract.document import CatalogPrice, Hold, PriceDocument, Sale
from tallystick.contract.price_schema import Owned, PriceListRow, Prices, Use
from tallystick.contract.rates import rate_text
from tallystick.contract.schema import ContractFile, Sku
from tallystick.contract.taxes import normal_key
from tallystick.reasons import HoldReason, NotEligible
from tallystick.v1 import money_pb2, price_pb2

_HUNDRED = Decimal(100)
_BASES = {money_pb2.TAX_BASIS_INCLUDED: "included", money_pb2.TAX_BASIS_EXCLUDED: "excluded"}


class _Held(Exception):
    """Ends the building of a document."""

    def __init__(self, reason: HoldReason, detail: str) -> None:
        super().__init__(detail)
        self.hold = Hold(reason, detail)


class _Skipped(Exception):
    """The contract leaves out what has no price."""


def document(product: price_pb2.Product, file: ContractFile, version: str) -> PriceDocument | Hold | NotEligible:
    """The document; MAPPING or DATA with what is missing; or why it is none of the store's business."""
    rules = file.prices
    if rules is None:
        return Hold(HoldReason.MAPPING, "the contract has no section `prices`")
    if not product.active and Owned.ACTIVE not in rules.owned:
        return NotEligible.NOT_FOR_SALE
    try:
        with localcontext(EXACT):
            return _Builder(product, rules).document(store_sku(product.sku, file.sku), version)
    except _Held as held:
        return held.hold
    except _Skipped:
        return NotEligible.NO_PRICE


def held(product: price_pb2.Product, file: ContractFile, hold: Hold, version: str) -> PriceDocument:
    """A document that tells nothing: what is wrong matters only to a store that sells the product."""
    try:
        sku = store_sku(product.sku, file.sku)
    except _Held:
        sku = product.sku
    return PriceDocument(
        connection=product.connection,
        sku=sku,
        currency="",
        owned=frozenset(),
        price=None,
        sale=None,
        compare_at=None,
        catalogs=(),
        title="",
        barcode="",
        active=True,
        contract_version=version,
        hold=hold,
    )


def store_sku(sku: str, rules: Sku) -> str:
    """The store's SKU of a product, by the table that leads the other way. Raises `_Held` for several."""
    found = [store for store, erp in rules.rows.items() if erp == sku]
    if len(found) > 1:
        raise _Held(HoldReason.MAPPING, f"`sku.rows` leads from {', '.join(found)} to {sku!r}; prices need one of them")
    return found[0] if found else sku


@dataclass(slots=True)
class _Builder:
    """One product under the rules of one contract."""

    product: price_pb2.Product
    rules: Prices
    notes: list[str] = field(default_factory=list)

    def document(self, sku: str, version: str) -> PriceDocument:
        """Raises `_Held`, `_Skipped`."""
        product, tells_prices = self.product, self.product.active and self._owns(Owned.PRICE, Owned.COMPARE_AT)
        regular = self._now(Use.REGULAR) if tells_prices else None
        return PriceDocument(
            connection=product.connection,
            sku=sku,
            currency=next((row.currency for row in self.rules.lists.values() if row.to is not Use.CATALOG), ""),
            owned=frozenset(one.value for one in self._told(tells_prices)),
            price=regular,
            sale=self._sale(regular) if regular is not None else None,
            compare_at=self._now(Use.COMPARE_AT) if tells_prices and self._owns(Owned.COMPARE_AT) else None,
            catalogs=tuple(self._catalogs()) if tells_prices else (),
            title=product.title,
            barcode=product.barcode,
            active=product.active,
            contract_version=version,
            notes=tuple(self.notes),
        )

    def _owns(self, *fields: Owned) -> bool:
        return not self.rules.owned.isdisjoint(fields)

    def _told(self, tells_prices: bool) -> Iterator[Owned]:
        """Of a product that is taken off the shelves only that is told."""
        for one in sorted(self.rules.owned):
            if tells_prices or one not in (Owned.PRICE, Owned.COMPARE_AT):
                yield one

    # ---- prices ----------------------------------------------------------------------------------------------------

    def _now(self, use: Use) -> Decimal | None:
        """The price in force of the list of that use; None where the contract has no such list."""
        found = [(name, row) for name, row in self.rules.lists.items() if row.to is use]
        return self._in_force(*found[0]) if found else None

    def _in_force(self, name: str, row: PriceListRow) -> Decimal:
        for price in self._plain(name):
            if not price.HasField("valid_from"):
                return self._told_amount(price, row)
        if self.rules.missing == "skip":
            raise _Skipped
        told: Mapping[str, str] = self.product.untold
        why = told.get(name) or "there is none at present"
        raise _Held(HoldReason.MAPPING, f"no price of {self.product.sku!r} in the ERP's list {name!r}: {why}")

    def _sale(self, regular: Decimal) -> Sale | None:
        """The first lower price that is in force or is to come."""
        found = [(name, row) for name, row in self.rules.lists.items() if row.to is Use.SALE]
        for name, row in found:
            for price in sorted(self._plain(name), key=lambda one: one.valid_from.seconds):
                lower = self._told_amount(price, row)
                if lower < regular:
                    return Sale(lower, _moment(price, "valid_from"), _moment(price, "valid_until"))
        return None

    def _catalogs(self) -> Iterator[CatalogPrice]:
        for name, row in self.rules.lists.items():
            if row.to is Use.CATALOG:
                yield CatalogPrice(row.catalog, row.currency, self._in_force(name, row))

    def _plain(self, name: str) -> Sequence[price_pb2.Price]:
        """The prices of a list that hold for one piece; a store has no place for those of more."""
        listed = [price for price in self.product.prices if price.price_list == name]
        plain = [price for price in listed if parse_quantity(price.quantity_min) <= 1]
        if len(plain) < len(listed):
            note = f"prices of {name} for more than one piece stay in the ERP: the store has one price a product"
            self.notes.extend([note] if note not in self.notes else [])
        return plain

    def _told_amount(self, price: price_pb2.Price, row: PriceListRow) -> Decimal:
        """In the store's basis, to the coin."""
        stated = price.price.currency_code
        if stated != row.currency:
            words = f"the ERP's list {price.price_list!r} is in {stated}; the contract says {row.currency}"
            raise _Held(HoldReason.MAPPING, words)
        value = quantise(self._in_basis(amount(price.price), price), row.currency, self.rules.rounding.of_decimal)
        if value < 0 or (value == 0 and self.rules.free == "hold"):
            words = f"the price of {self.product.sku!r} in the list {price.price_list!r} is {value} {row.currency}"
            raise _Held(HoldReason.DATA, f"{words}; a price of nothing is sent with `prices.free: send` only")
        return value

    # ---- tax -------------------------------------------------------------------------------------------------------

    def _in_basis(self, value: Decimal, price: price_pb2.Price) -> Decimal:
        there = _BASES.get(price.tax_basis, "") if self.rules.erp_basis == "as_stated" else self.rules.erp_basis
        if not there:
            words = f"the ERP does not tell whether its price of {self.product.sku!r} contains tax"
            raise _Held(HoldReason.MAPPING, f"{words}; say so under `prices.erp_basis`")
        if there == self.rules.basis:
            return value
        whole = _HUNDRED + self._rate()
        return value * whole / _HUNDRED if there == "excluded" else value * _HUNDRED / whole

    def _rate(self) -> Decimal:
        """In per cent of the amount without tax."""
        if self.rules.rate != "stated":
            return self.rules.rate
        stated = self.product.tax_rates
        if not stated:
            words = f"the ERP states no rate of tax in per cent for {self.product.sku!r}; name one under `prices.rate`"
            raise _Held(HoldReason.MAPPING, words)
        rate = sum((Decimal(one) for one in stated), Decimal(0))
        if not self.rules.rates:
            return rate
        sold_at = {normal_key(key): value for key, value in self.rules.rates.items()}.get(rate_text(rate))
        if sold_at is None:
            words = f"the ERP's rate of {rate_text(rate)} % has no row under `prices.rates`"
            raise _Held(HoldReason.MAPPING, f"{words}, which has {', '.join(self.rules.rates)}")
        return sold_at


def _moment(price: price_pb2.Price, name: str) -> datetime | None:
    stamp: timestamp_pb2.Timestamp = getattr(price, name)
    return to_datetime(stamp) if price.HasField(name) else None  # type: ignore[arg-type]
