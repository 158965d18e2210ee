"""Prices of the Odoo double, in both versions, as the adapter tells them: rules replayed, never guessed."""

import random
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from adapters.odoo import OdooAdapter, prices
from simulators.odoo import Odoo, OdooSettings, demo_company
from tallystick.canonical.money import amount
from tallystick.canonical.times import to_datetime
from tallystick.clock import SystemClock
from tallystick.errors import SetupError
from tallystick.ports import Reading, Window
from tallystick.prices.ports import PriceSource
from tallystick.v1 import event_pb2, money_pb2, price_pb2
from tests.unit.adapters.odoo.jobs import connected
from tests.unit.simulators.odoo.orders import Clock

EUR, USD = "tallystick_demo.pricelist_eur", "tallystick_demo.pricelist_usd"
_MINUTE = timedelta(minutes=1)


class _At(SystemClock):
    """The adapter's clock agrees with the server's."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> datetime:
        return self._clock()


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture(params=["16.0", "19.0"])
def odoo(request: pytest.FixtureRequest, clock: Clock) -> Odoo:
    odoo = Odoo(OdooSettings(version=request.param), now=clock)
    demo_company(odoo)
    odoo.add_product("MUG", "Mug", "10.00", barcode="4006381333931")
    odoo.add_product("DESK", "Desk", "100.00")
    clock.forward(3600)
    return odoo


@pytest.fixture
async def adapter(odoo: Odoo, clock: Clock) -> AsyncIterator[OdooAdapter]:
    async with connected(odoo, _At(clock), references_ttl_s=0) as adapter:
        yield adapter


def product_id(odoo: Odoo, sku: str) -> int:
    (found,) = odoo.act("product.product", "search", [["default_code", "=", sku]])
    return int(found)


def rule(odoo: Odoo, sku: str = "", pricelist: str = EUR, **values: Any) -> int:
    """A rule about a product, or whatever the values say."""
    about: dict[str, Any] = {"product_id": product_id(odoo, sku)} if sku else {}
    given = {"pricelist_id": odoo.id_of(pricelist), **about, **values}
    (made,) = odoo.act("product.pricelist.item", "create", [given])
    return int(made)


async def whole(adapter: OdooAdapter, *lists: str) -> dict[str, Reading]:
    found = [one async for page in adapter.all_prices(lists or (EUR,)) for one in page]
    assert len({one.object_id for one in found}) == len(found)
    return {one.object_id: one for one in found}


async def changed(adapter: OdooAdapter, clock: Clock, *lists: str) -> set[str]:
    """What may differ since a minute ago."""
    window = Window(clock() - _MINUTE, clock())
    return {one.object_id async for page in adapter.changed_prices(lists or (EUR,), window) for one in page}


def product(reading: Reading) -> price_pb2.Product:
    assert reading.product is not None
    return reading.product


def listed(reading: Reading, name: str = EUR) -> list[tuple[str, str, str, str]]:
    """Price, quantity, and the dates of each price in a list."""

    def at(price: price_pb2.Price, field: str) -> str:
        return f"{to_datetime(getattr(price, field)):%d %H:%M:%S}" if price.HasField(field) else ""  # type: ignore[arg-type]

    return [
        (f"{amount(one.price):f}", one.quantity_min, at(one, "valid_from"), at(one, "valid_until"))
        for one in product(reading).prices
        if one.price_list == name
    ]


def now(text: str) -> list[tuple[str, str, str, str]]:
    """One price, at once and for ever."""
    return [(text, "1", "", "")]


# ---- what is told ------------------------------------------------------------------------------------------------


async def test_a_product_with_its_price_taxes_and_what_else_the_erp_owns(adapter: OdooAdapter, odoo: Odoo) -> None:
    assert isinstance(adapter, PriceSource)
    rule(odoo, "MUG", fixed_price=8.5)
    mug = (await whole(adapter, EUR, prices.LIST_PRICE))["MUG"]
    assert (mug.type, mug.object_id, mug.source_modified) == (event_pb2.ENTITY_TYPE_PRODUCT, "MUG", None)
    told = product(mug)
    assert (told.connection, told.sku, told.title, told.barcode) == ("odoo", "MUG", "Mug", "4006381333931")
    assert (told.active, list(told.tax_rates)) == (True, ["19"])
    assert {one.tax_basis for one in told.prices} == {money_pb2.TAX_BASIS_EXCLUDED}
    assert {one.price.currency_code for one in told.prices} == {"EUR"}
    assert (listed(mug), listed(mug, prices.LIST_PRICE)) == (now("8.50"), now("10.00"))


async def test_the_basis_is_said_by_the_taxes(adapter: OdooAdapter, odoo: Odoo) -> None:
    included, other = (odoo.id_of(f"tallystick_demo.tax_{name}") for name in ("7_included", "5_excluded"))
    for sku, taxes in (("IN", [included]), ("NONE", []), ("MIXED", [included, other])):
        odoo.add_product(sku, sku, "1.00", taxes_id=[(6, 0, taxes)])
    found = await whole(adapter)
    told = {sku: (list(product(found[sku]).tax_rates), product(found[sku]).prices[0].tax_basis) for sku in found}
    assert told["IN"] == (["7"], money_pb2.TAX_BASIS_INCLUDED)
    assert told["NONE"] == (["0"], money_pb2.TAX_BASIS_EXCLUDED)
    assert told["MIXED"] == (["5", "7"], money_pb2.TAX_BASIS_UNSPECIFIED)


async def test_one_rule_decides_as_in_odoo(adapter: OdooAdapter, odoo: Odoo) -> None:
    """The variant before the product, the inner category before the outer, and those before the rule for all."""
    outer = odoo.add("product.category", "", {"name": "Office", "parent_id": 1})
    inner = odoo.add("product.category", "", {"name": "Desks", "parent_id": outer})
    template = odoo.add("product.template", "", {"name": "Desk", "categ_id": inner})
    for sku in ("DESK-1", "DESK-2"):
        odoo.add_product(sku, sku, "100.00", product_tmpl_id=template)
    rule(odoo, compute_price="percentage", percent_price=1, applied_on="3_global")
    rule(odoo, compute_price="percentage", percent_price=2, applied_on="2_product_category", categ_id=inner)
    rule(odoo, compute_price="percentage", percent_price=3, applied_on="2_product_category", categ_id=outer)
    found = await whole(adapter)
    assert [listed(found[sku]) for sku in ("MUG", "DESK-1")] == [now("9.90"), now("98.00")]
    rule(odoo, compute_price="percentage", percent_price=4, applied_on="1_product", product_tmpl_id=template)
    rule(odoo, "DESK-2", compute_price="percentage", percent_price=5)
    found = await whole(adapter)
    assert [listed(found[sku]) for sku in ("DESK-1", "DESK-2")] == [now("96.00"), now("95.00")]


async def test_a_formula_and_a_list_that_is_based_on_another(adapter: OdooAdapter, odoo: Odoo) -> None:
    base = odoo.add("product.pricelist", "test.base", {"name": "Base", "currency_id": odoo.id_of("base.EUR")})
    rule(odoo, "DESK", "test.base", fixed_price=87.13)
    rule(odoo, applied_on="3_global", compute_price="formula", base="pricelist", base_pricelist_id=base,
         price_discount=10, price_round=10, price_surcharge=-0.01, price_min_margin=-5)  # fmt: skip
    found = await whole(adapter)
    # 78.417 is rounded to 80, a cent is taken off, and it may not be more than five below 87.13.
    assert listed(found["DESK"]) == now("82.13")
    # 10 less a tenth is 9, rounded to 10.
    assert listed(found["MUG"]) == now("9.99")


async def test_prices_for_more_pieces_are_told_apart(adapter: OdooAdapter, odoo: Odoo) -> None:
    rule(odoo, "MUG", fixed_price=9, min_quantity=10)
    rule(odoo, "MUG", fixed_price=8, min_quantity=100)
    rule(odoo, "MUG", fixed_price=9.5, min_quantity=1)
    assert [row[:2] for row in listed((await whole(adapter))["MUG"])] == [
        ("9.50", "1"),
        ("9.00", "10"),
        ("8.00", "100"),
    ]


async def test_what_is_to_come_has_its_dates_and_what_has_ended_is_gone(
    adapter: OdooAdapter, odoo: Odoo, clock: Clock
) -> None:
    """An end is in force for its whole second. When a date passes, the content is another one."""
    day = clock.moment.date() + timedelta(days=1)
    rule(odoo, "MUG", fixed_price=8, date_start=f"{day} 00:00:00", date_end=f"{day} 23:59:59")
    first, next_day = f"{day:%d} 00:00:00", f"{day + timedelta(days=1):%d} 00:00:00"
    coming = [("10.00", "1", "", first), ("8.00", "1", first, next_day), ("10.00", "1", next_day, "")]
    assert listed((await whole(adapter))["MUG"]) == coming
    clock.moment = datetime(day.year, day.month, day.day, 23, 59, 59, 900_000, tzinfo=UTC)
    assert listed((await whole(adapter))["MUG"]) == [("8.00", "1", "", next_day), ("10.00", "1", next_day, "")]
    clock.forward(0.2)
    assert listed((await whole(adapter))["MUG"]) == now("10.00")


async def test_any_rules_come_to_what_odoo_asks_on_an_order(adapter: OdooAdapter, odoo: Odoo, clock: Clock) -> None:
    """A seeded heap of rules, read once, against the price that the double puts on a line of an order."""
    die = random.Random(7)
    template = odoo.db.models["product.product"].table.rows[product_id(odoo, "DESK")]["product_tmpl_id"]
    abouts: list[dict[str, Any]] = [
        {"applied_on": "3_global"},
        {"applied_on": "2_product_category", "categ_id": 1},
        {"applied_on": "1_product", "product_tmpl_id": template},
        {"applied_on": "0_product_variant", "product_id": product_id(odoo, "MUG")},
    ]
    for _ in range(30):
        start = clock.moment + timedelta(hours=die.randrange(-48, 48))
        rule(odoo, **die.choice(abouts), compute_price=die.choice(["fixed", "percentage", "formula"]),
             fixed_price=die.randrange(1, 90), percent_price=die.randrange(1, 50), price_discount=die.randrange(1, 50),
             price_round=die.choice([0, 1, 5]), min_quantity=die.choice([0, 1, 5]),
             date_start=f"{start:%Y-%m-%d %H:%M:%S}",
             date_end=f"{start + timedelta(hours=die.randrange(1, 60)):%Y-%m-%d %H:%M:%S}")  # fmt: skip
    found = await whole(adapter)
    rules: Any = odoo.db.models["product.pricelist.item"]
    pricelist, begin, seen = odoo.id_of(EUR), clock.moment, set()
    for sku in ("MUG", "DESK"):
        row = odoo.db.models["product.product"].table.rows[product_id(odoo, sku)]
        for one in product(found[sku]).prices:
            if one.price_list == EUR:
                at = to_datetime(one.valid_from) if one.HasField("valid_from") else begin
                asked = rules.price(pricelist, row, Decimal(one.quantity_min), at.replace(tzinfo=None))
                assert amount(one.price) == asked, (sku, one)
                seen.add((sku, asked))
    assert len(seen) > 10


# ---- what cannot be told -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("values", "why"),
    [
        ({"compute_price": "formula", "base": "standard_price"}, "is based on 'standard_price'"),
        ({"compute_price": "percentage", "percent_price": 5, "pricelist": USD}, "which rate it becomes USD"),
    ],
)
async def test_a_price_that_only_odoo_knows_is_not_told(
    adapter: OdooAdapter, odoo: Odoo, values: dict[str, Any], why: str
) -> None:
    pricelist = values.get("pricelist", EUR)
    rule(odoo, "DESK", **{**values, "pricelist": pricelist})
    rule(odoo, "MUG", pricelist, fixed_price=5)
    found = await whole(adapter, pricelist)
    assert why in product(found["DESK"]).untold[pricelist]
    assert listed(found["DESK"], pricelist) == []
    assert (dict(product(found["MUG"]).untold), listed(found["MUG"], pricelist)) == ({}, now("5.00"))


async def test_lists_that_are_based_on_each_other_tell_no_price(adapter: OdooAdapter, odoo: Odoo) -> None:
    other = odoo.add("product.pricelist", "test.other", {"name": "Other", "currency_id": odoo.id_of("base.EUR")})
    round_about = {"applied_on": "3_global", "compute_price": "percentage", "base": "pricelist"}
    rule(odoo, base_pricelist_id=other, **round_about)
    rule(odoo, pricelist="test.other", base_pricelist_id=odoo.id_of(EUR), **round_about)
    mug = product((await whole(adapter, EUR, prices.LIST_PRICE))["MUG"])
    assert "based on a list that is based on its own" in mug.untold[EUR]
    assert [one.price_list for one in mug.prices] == [prices.LIST_PRICE]


async def test_a_reference_that_two_products_share_is_a_finding(adapter: OdooAdapter, odoo: Odoo) -> None:
    """FC-078: never the first that matches. One out of use beside one in use does no harm."""
    odoo.add_product("MUG", "Another mug", "99.00")
    old = odoo.add_product("DESK", "Old desk", "1.00")
    odoo.act("product.product", "write", [old], {"active": False})
    found = await whole(adapter)
    (finding,) = found["MUG"].findings
    assert "2 products of Odoo have the internal reference 'MUG'" in finding.detail
    assert (found["DESK"].findings, listed(found["DESK"])) == ((), now("100.00"))


async def test_a_list_that_is_not_there_is_said(adapter: OdooAdapter) -> None:
    with pytest.raises(SetupError, match=r"no pricelist test\.nothing"):
        await whole(adapter, EUR, "test.nothing")


async def test_what_is_out_of_use_is_told_so(adapter: OdooAdapter, odoo: Odoo) -> None:
    odoo.act("product.product", "write", [product_id(odoo, "MUG")], {"active": False})
    odoo.act("product.product", "write", [product_id(odoo, "DESK")], {"sale_ok": False})
    found = await whole(adapter)
    assert [product(found[sku]).active for sku in ("MUG", "DESK", "SHIPPING")] == [False, False, True]


# ---- what changed ------------------------------------------------------------------------------------------------


async def test_only_what_changed_is_read(adapter: OdooAdapter, odoo: Odoo, clock: Clock) -> None:
    assert await changed(adapter, clock) == set()
    odoo.act("product.product", "write", [product_id(odoo, "DESK")], {"list_price": 120})
    assert await changed(adapter, clock) == {"DESK"}
    clock.forward(3600)
    rule(odoo, "MUG", fixed_price=9)
    assert await changed(adapter, clock) == {"MUG"}
    assert await changed(adapter, clock, USD) == set()
    clock.forward(3600)
    template = odoo.db.models["product.product"].table.rows[product_id(odoo, "DESK")]["product_tmpl_id"]
    odoo.act("product.template", "write", [template], {"name": "Desk"})
    assert await changed(adapter, clock) == {"DESK"}


@pytest.mark.parametrize("about", ["rule", "list", "base"])
async def test_what_concerns_many_reads_all(adapter: OdooAdapter, odoo: Odoo, clock: Clock, about: str) -> None:
    other = odoo.add("product.pricelist", "test.base", {"name": "Base", "currency_id": odoo.id_of("base.EUR")})
    rule(odoo, "MUG", compute_price="percentage", base="pricelist", base_pricelist_id=other)
    clock.forward(3600)
    assert await changed(adapter, clock) == set()
    if about == "rule":
        rule(odoo, applied_on="3_global", compute_price="percentage", percent_price=5)
    else:
        odoo.act("product.pricelist", "write", [odoo.id_of(EUR if about == "list" else "test.base")], {"name": "New"})
    assert await changed(adapter, clock) >= {"MUG", "DESK", "SHIPPING"}


async def test_a_date_that_passes_is_a_change(adapter: OdooAdapter, odoo: Odoo, clock: Clock) -> None:
    start, end = (f"{clock.moment + timedelta(hours=hours):%Y-%m-%d %H:%M:%S}" for hours in (2, 4))
    rule(odoo, "MUG", fixed_price=8, date_start=start, date_end=end)
    seen = []
    for _ in range(5):
        clock.forward(3600)
        seen.append(await changed(adapter, clock))
    assert seen == [set(), {"MUG"}, set(), {"MUG"}, set()]


async def test_every_page_is_read(adapter: OdooAdapter, odoo: Odoo, monkeypatch: pytest.MonkeyPatch) -> None:
    """FC-106: more than a page holds."""
    monkeypatch.setattr(prices, "PER_PAGE", 3)
    assert {"MUG", "DESK", "SHIPPING", "KEPT"} <= (await whole(adapter)).keys()
