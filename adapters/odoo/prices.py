"""Prices: products with what the pricelists of a contract ask for them, read set-based.

A date of change is compared in whole seconds (see `shipments`). A rule that begins or ends in the window is a change
too, and so is one about many products, or a change of a list itself: then every product is read. What leaves no trace
(a rule that was deleted, a tax whose rate changed) is found by reading everything now and then.
"""

from collections import defaultdict
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tallystick.canonical.money import unit_price
from tallystick.canonical.quantities import quantity_text
from tallystick.canonical.times import to_timestamp
from tallystick.clock import Clock
from tallystick.errors import SetupError
from tallystick.ports import Reading, Window
from tallystick.reasons import HoldReason
from tallystick.v1 import event_pb2, money_pb2, price_pb2

from .pricing import CATEGORY, EVERYTHING, ONE, Pricelists, Rule, Subject, Term, Uncertain
from .records import Records
from .references import References
from .transport import Json
from .values import instant, link, links, moment, number, shown, text

#: The products' own sales price, named like a list.
LIST_PRICE = "list_price"
PER_PAGE = 100
_SECOND = timedelta(seconds=1)
_LIST, _RULE, _PRODUCT = "product.pricelist", "product.pricelist.item", "product.product"
_PRODUCT_FIELDS = ("default_code", "name", "barcode", "active", "sale_ok", "lst_price", "taxes_id", "product_tmpl_id",
                   "categ_id", "currency_id")  # fmt: skip
_RULE_FIELDS = ("pricelist_id", "applied_on", "product_id", "product_tmpl_id", "categ_id", "compute_price",
                "fixed_price", "percent_price", "base", "base_pricelist_id", "price_discount", "price_round",
                "price_surcharge", "price_min_margin", "price_max_margin", "min_quantity", "date_start",
                "date_end")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lists:
    """The lists of a walk: ids by the contract's reference, and the currencies of these and all behind them."""

    ids: Mapping[str, int]
    currencies: Mapping[int, str]


class Prices:
    """Reads of one connection. Raises `Unavailable`, `Unauthorised`, `SetupError`."""

    def __init__(
        self, connection: str, records: Records, references: References, clock: Clock, company_id: int | None
    ) -> None:
        self._connection = connection
        self._records = records
        self._references = references
        self._clock = clock
        self._company_id = company_id

    async def changed(self, names: Sequence[str], window: Window) -> AsyncIterator[Sequence[Reading]]:
        """Pages of products whose prices may differ since the window began."""
        lists = await self._lists(names)
        async for page in self._pages(lists, await self._touched(lists, window)):
            yield page

    async def whole(self, names: Sequence[str]) -> AsyncIterator[Sequence[Reading]]:
        """Pages of all products that have an internal reference."""
        async for page in self._pages(await self._lists(names), []):
            yield page

    # ---- the lists

    async def _lists(self, names: Sequence[str]) -> Lists:
        """The lists that were asked for, and those that they are based on."""
        wanted = [(_LIST, name) for name in names if name != LIST_PRICE]
        found = await self._references.resolve(wanted)
        missing = [name for (_, name), ids in found.items() if not ids]
        if missing:
            raise SetupError(f"Odoo has no pricelist {', '.join(sorted(missing))}, which a contract names for prices")
        ids = {name: one[0] for (_, name), one in found.items()}
        known: set[int] = set()
        fresh = set(ids.values())
        while fresh:
            known |= fresh
            domain = [("pricelist_id", "in", sorted(fresh)), ("base", "=", "pricelist")]
            rules = await self._records.find(_RULE, domain, ("base_pricelist_id",))
            fresh = {link(rule["base_pricelist_id"]) or 0 for rule in rules} - {0, *known}
        rows = await self._records.by_id(_LIST, known, ("currency_id",))
        return Lists(ids, {list_id: shown(row["currency_id"]) for list_id, row in rows.items()})

    async def _touched(self, lists: Lists, window: Window) -> list[Any]:
        """The domain of products that may differ; the empty one for all."""
        changed = _span("write_date", window.start, window.end)
        listed = sorted(lists.currencies)
        if await self._records.find(_LIST, [("id", "in", listed), *changed], ("id",), limit=1):
            return []
        # An end is in force for its whole second.
        ends = _span("date_end", window.start - _SECOND, window.end)
        begun = [*_all(changed), *_all(_span("date_start", window.start, window.end)), *_all(ends)]
        fields = ("applied_on", "product_id", "product_tmpl_id")
        rules = await self._records.find(_RULE, ["&", ("pricelist_id", "in", listed), "|", "|", *begun], fields)
        if any(rule["applied_on"] in (CATEGORY, EVERYTHING) for rule in rules):
            return []
        products = sorted({link(rule["product_id"]) or 0 for rule in rules} - {0})
        templates = sorted({link(rule["product_tmpl_id"]) or 0 for rule in rules if not rule["product_id"]} - {0})
        own = [*_all(changed), *_all([(f"product_tmpl_id.{name}", *rest) for name, *rest in changed])]
        return ["|", "|", "|", *own, ("id", "in", products), ("product_tmpl_id", "in", templates)]

    # ---- products

    async def _pages(self, lists: Lists, domain: Sequence[Any]) -> AsyncIterator[Sequence[Reading]]:
        last_id = 0
        while True:
            named = ["&", "&", ("id", ">", last_id), ("default_code", "!=", False), *(domain or [("id", "!=", 0)])]
            rows = await self._records.find(
                _PRODUCT, named, ("default_code",), archived=True, limit=PER_PAGE, order="id"
            )
            yield await self._readings(lists, {text(row["default_code"]) for row in rows})
            if len(rows) < PER_PAGE:
                return
            last_id = rows[-1]["id"]

    async def _readings(self, lists: Lists, skus: Collection[str]) -> list[Reading]:
        """One for each SKU, whichever product of it was met."""
        if not skus:
            return []
        domain = [("default_code", "in", sorted(skus))]
        rows = await self._records.find(_PRODUCT, domain, _PRODUCT_FIELDS, archived=True, order="id")
        by_sku: dict[str, list[Json]] = defaultdict(list)
        for row in rows:
            by_sku[text(row["default_code"])].append(row)
        chosen = {sku: [row for row in found if row["active"]] or found[-1:] for sku, found in by_sku.items()}
        single = {sku: found[0] for sku, found in chosen.items() if len(found) == 1}
        told = await self._told(lists, single)
        return [told.get(sku) or self._ambiguous(sku, chosen[sku]) for sku in sorted(chosen)]

    def _ambiguous(self, sku: str, rows: Sequence[Json]) -> Reading:
        ids = ", ".join(str(row["id"]) for row in rows)
        words = f"{len(rows)} products of Odoo have the internal reference {sku!r} (ids {ids}): it has to be unique"
        finding = event_pb2.Finding(reason=HoldReason.MAPPING, detail=words)
        return _reading(price_pb2.Product(connection=self._connection, sku=sku, active=True), (finding,))

    async def _told(self, lists: Lists, rows: Mapping[str, Json]) -> dict[str, Reading]:
        categories = await self._categories(rows.values())
        pricelists = await self._pricelists(lists, rows.values(), categories)
        taxes = await self._taxes(rows.values())
        now = self._clock.now()
        return {sku: self._product(row, lists, pricelists, categories, taxes, now) for sku, row in rows.items()}

    def _product(
        self, row: Json, lists: Lists, pricelists: Pricelists, categories: Mapping[int, Json],
        taxes: Mapping[int, Json], now: datetime,
    ) -> Reading:  # fmt: skip
        own = [tax for tax_id in links(row["taxes_id"]) if (tax := taxes.get(tax_id))]
        product = price_pb2.Product(
            connection=self._connection,
            sku=text(row["default_code"]),
            title=text(row["name"]),
            barcode=text(row["barcode"]),
            active=bool(row["active"] and row["sale_ok"]),
            tax_rates=_rates(own),
        )
        category = categories.get(link(row["categ_id"]) or 0)
        subject = Subject(
            product=row["id"],
            template=link(row["product_tmpl_id"]),
            categories=frozenset(_path(category) if category else ()),
            list_price=number(row["lst_price"]),
            currency=shown(row["currency_id"]),
        )
        plain = Term(subject.list_price, ONE, None, None)
        product.prices.append(self._price(product.sku, LIST_PRICE, subject.currency, plain, own))
        for name, list_id in lists.ids.items():
            try:
                terms = pricelists.terms(list_id, subject, now)
            except Uncertain as why:
                product.untold[name] = str(why)
                continue
            currency = pricelists.currency(list_id)
            product.prices.extend(self._price(product.sku, name, currency, term, own) for term in terms)
        return _reading(product)

    def _price(self, sku: str, name: str, currency: str, term: Term, taxes: Sequence[Json]) -> price_pb2.Price:
        return price_pb2.Price(
            connection=self._connection,
            sku=sku,
            price_list=name,
            price=unit_price(currency, term.price),
            tax_basis=_basis(taxes),
            quantity_min=quantity_text(term.quantity_min),
            valid_from=to_timestamp(term.starts) if term.starts else None,
            valid_until=to_timestamp(term.until) if term.until else None,
        )

    # ---- what stands around a page of products

    async def _categories(self, rows: Collection[Json]) -> dict[int, Json]:
        ids = {link(row["categ_id"]) or 0 for row in rows} - {0}
        return await self._records.by_id("product.category", ids, ("parent_path", "complete_name"))

    async def _pricelists(self, lists: Lists, rows: Collection[Json], categories: Mapping[int, Json]) -> Pricelists:
        """The rules about these products, in all lists that matter."""
        products = sorted(row["id"] for row in rows)
        templates = sorted({link(row["product_tmpl_id"]) or 0 for row in rows} - {0})
        domain: list[Any] = ["&", ("pricelist_id", "in", sorted(lists.currencies)), "|", "|"]
        domain += [("product_id", "in", products), ("product_tmpl_id", "in", templates)]
        domain.append(("applied_on", "in", [CATEGORY, EVERYTHING]))
        found = await self._records.find(_RULE, domain, _RULE_FIELDS) if lists.currencies else []
        others = {link(rule["categ_id"]) or 0 for rule in found} - {0, *categories}
        named = {**categories, **await self._records.by_id("product.category", others, ("complete_name",))}
        rules: dict[int, list[Rule]] = defaultdict(list)
        for rule in found:
            category = named.get(link(rule["categ_id"]) or 0)
            called = text(category["complete_name"]) if category else ""
            rules[link(rule["pricelist_id"]) or 0].append(_rule(rule, called))
        return Pricelists(lists.currencies, rules)

    async def _taxes(self, rows: Collection[Json]) -> dict[int, Json]:
        """Taxes on sales, those of other companies left out where the connection names one."""
        ids = {tax_id for row in rows for tax_id in links(row["taxes_id"])}
        found = await self._records.by_id("account.tax", ids, ("amount", "amount_type", "price_include", "company_id"))
        own = self._company_id
        return {tax_id: row for tax_id, row in found.items() if own is None or link(row["company_id"]) == own}


def _reading(product: price_pb2.Product, findings: tuple[event_pb2.Finding, ...] = ()) -> Reading:
    """Without a date: what is in force follows from many records, and from the clock."""
    return Reading(event_pb2.ENTITY_TYPE_PRODUCT, product.sku, None, product=product, findings=findings)


def _rule(row: Json, category_name: str) -> Rule:
    return Rule(
        id=row["id"],
        applied_on=row["applied_on"],
        product=link(row["product_id"]),
        template=link(row["product_tmpl_id"]),
        category=link(row["categ_id"]),
        category_name=category_name,
        compute=row["compute_price"],
        fixed=number(row["fixed_price"]),
        percent=number(row["percent_price"]),
        base=text(row["base"]) or LIST_PRICE,
        base_list=link(row["base_pricelist_id"]),
        discount=number(row["price_discount"]),
        round_to=number(row["price_round"]),
        surcharge=number(row["price_surcharge"]),
        min_margin=number(row["price_min_margin"]),
        max_margin=number(row["price_max_margin"]),
        min_quantity=number(row["min_quantity"]),
        starts=instant(row["date_start"]) if row["date_start"] else None,
        until=instant(row["date_end"]) + _SECOND if row["date_end"] else None,
    )


def _path(category: Json) -> list[int]:
    """A category and all above it, from `1/7/12/`."""
    return [int(part) for part in text(category["parent_path"]).split("/") if part]


def _rates(taxes: Sequence[Json]) -> list[str]:
    """In per cent; none where one of them is computed in another way."""
    if any(tax["amount_type"] != "percent" for tax in taxes):
        return []
    return sorted(quantity_text(number(tax["amount"])) for tax in taxes) or ["0"]


def _basis(taxes: Sequence[Json]) -> money_pb2.TaxBasis.ValueType:
    """A price contains its tax or not by the tax; one without any tax contains none."""
    included = {bool(tax["price_include"]) for tax in taxes}
    if len(included) > 1:
        return money_pb2.TAX_BASIS_UNSPECIFIED
    return money_pb2.TAX_BASIS_INCLUDED if included == {True} else money_pb2.TAX_BASIS_EXCLUDED


def _span(name: str, start: datetime, end: datetime) -> list[tuple[str, str, str]]:
    """From the first second on, and before the second after the last."""
    after = end.replace(microsecond=0) + _SECOND
    return [(name, ">=", moment(start)), (name, "<", moment(after))]


def _all(terms: Sequence[tuple[Any, ...]]) -> list[Any]:
    """Terms that all have to hold, in prefix notation."""
    return ["&"] * (len(terms) - 1) + list(terms)
