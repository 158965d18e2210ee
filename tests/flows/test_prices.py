"""Prices on their way from Odoo to both shops, each in its own currency and basis of tax."""

from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest_asyncio

from simulators.faults import Fault, Rule
from tallystick.stack import Stack
from tests.flows.company import SHOPIFY, WOO, Company, Options
from tests.flows.conftest import new_company

EUR, THB = "tallystick_demo.pricelist_eur", "tallystick_demo.pricelist_thb"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def company(stack: Stack) -> AsyncIterator[Company]:
    """A company that carries prices, and looks at its Odoo all the time."""
    async with new_company(stack, Options(flows={"prices": "live"}, poll_every_s=0.2)) as company:
        for sku in ("MUG", "TEA"):
            company.shop.pricebook.add(sku, "1.00")
        yield company


def rule(company: Company, sku: str, pricelist: str, price: float, **values: Any) -> None:
    """Somebody writes a price into a list of Odoo. Taxes of 19 % come on top there."""
    (product,) = company.odoo.act("product.product", "search", [["default_code", "=", sku]])
    about = {"pricelist_id": company.odoo.id_of(pricelist), "product_id": product, "fixed_price": price}
    company.odoo.act("product.pricelist.item", "create", [{**about, **values}])


def woo(company: Company, sku: str) -> list[str]:
    """The prices that the WooCommerce shop was told, in their order."""
    entries = company.woo.journal.entries
    return [one.detail.regular for one in entries if (one.what, one.key) == ("product saved", sku)]


def shopify(company: Company, sku: str) -> list[str]:
    """The same of the Shopify shop."""
    entries = company.shop.journal.entries
    return [one.detail.price for one in entries if (one.what, one.key) == ("price set", sku)]


def told(company: Company, where: Callable[[Company, str], list[str]], sku: str, *last: str) -> Any:
    """Whether these are the last prices that a shop was told."""

    async def there() -> bool:
        return where(company, sku)[-len(last) :] == [*last]

    return there


async def states(company: Company, target: str, sku: str) -> set[str]:
    """How the effects about a SKU ended."""
    rows = await company.pool.fetch(
        "SELECT state::text FROM effect WHERE target = $1 AND lane_key = $2", target, f"{target}/price/{sku}"
    )
    return {row["state"] for row in rows}


async def test_a_price_reaches_both_shops_once_each_in_its_own_terms(company: Company) -> None:
    """With 19 % inside and in euros here, without it and in baht there; nothing of ours comes back as news (FC-065)."""
    rule(company, "MUG", EUR, 20)
    rule(company, "MUG", THB, 700)
    await company.until(told(company, woo, "MUG", "23.80"))
    await company.until(told(company, shopify, "MUG", "700.00"))
    await company.deliver()
    await company.quiet()
    assert (woo(company, "MUG").count("23.80"), shopify(company, "MUG")) == (1, ["700.00"])
    assert await states(company, SHOPIFY, "MUG") <= {"APPLIED", "SUPERSEDED"}


async def test_a_lost_answer_makes_no_harm(company: Company) -> None:
    """Both shops take the price, neither can say so; each is asked, and neither is told twice."""
    lost = [Rule(Fault.LOST_REPLY, name, first=1) for name in ("POST /products/batch", "UpdateVariants")]
    company.woo.faults.rules.append(lost[0])
    company.shop.faults.rules.append(lost[1])
    rule(company, "MUG", EUR, 21)
    rule(company, "MUG", THB, 710)
    await company.until(_struck(lost))
    await company.until(told(company, woo, "MUG", "24.99"))
    await company.until(told(company, shopify, "MUG", "710.00"))
    await company.quiet()
    assert (woo(company, "MUG").count("24.99"), shopify(company, "MUG").count("710.00")) == (1, 1)
    for target in (WOO, SHOPIFY):
        assert await states(company, target, "MUG") <= {"APPLIED", "SUPERSEDED"}
    # A newer price comes after it, whatever may still be on its way.
    rule(company, "MUG", EUR, 22)
    await company.until(told(company, woo, "MUG", "24.99", "26.18"))


def _struck(rules: list[Rule]) -> Callable[[], Awaitable[bool]]:
    async def all_of_them() -> bool:
        return all(rule.struck for rule in rules)

    return all_of_them


async def test_a_scheduled_price_comes_into_force_and_ends_by_itself(company: Company) -> None:
    """Nothing changes in Odoo at either moment: the passing of the date is the change, on a shop without dates too."""
    rule(company, "TEA", THB, 300)
    rule(company, "BOOK", EUR, 10)
    await company.until(told(company, shopify, "TEA", "300.00"))
    await company.until(told(company, woo, "BOOK", "11.90"))
    start = datetime.now(UTC) + timedelta(seconds=3)
    dates = {
        "date_start": f"{start:%Y-%m-%d %H:%M:%S}",
        "date_end": f"{start + timedelta(seconds=20):%Y-%m-%d %H:%M:%S}",
    }
    rule(company, "TEA", THB, 250, **dates)
    rule(company, "BOOK", EUR, 8, **dates)
    await company.until(told(company, shopify, "TEA", "300.00", "250.00", "300.00"))
    await company.until(told(company, woo, "BOOK", "11.90", "9.52", "11.90"))
    await company.quiet()
    assert shopify(company, "TEA") == ["300.00", "250.00", "300.00"]


async def test_what_a_shop_does_not_sell_holds_nothing(company: Company) -> None:
    """Of all that an ERP has, a shop sells a part; a service that costs nothing is held by nobody."""
    await company.quiet()
    rows = await company.pool.fetch(
        "SELECT lane_key, reason, detail FROM lane WHERE held_seq IS NOT NULL AND target IN ($1, $2)", WOO, SHOPIFY
    )
    assert [tuple(row) for row in rows] == []
    assert await states(company, WOO, "SHIPPING") == {"SUPERSEDED"}
