"""What a contract makes of an ERP's prices: the right list, currency and basis of tax, and only what the ERP owns."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tallystick.canonical import written
from tallystick.contract.document import CatalogPrice, Hold, PriceDocument, Sale
from tallystick.contract.load import ContractError, parse_contract
from tallystick.reasons import HoldReason, NotEligible
from tests.unit.contract.written import contract, rules

D = Decimal
_LISTS = {"shop": {"currency": "EUR", "to": "regular"}, "sale": {"currency": "EUR", "to": "sale"}}
_FIRST, _LAST = datetime(2026, 12, 1, tzinfo=UTC), datetime(2026, 12, 7, tzinfo=UTC)


def price(amount: str, name: str = "shop", **parts: Any) -> dict[str, Any]:
    return {"price_list": name, "price": amount, "tax_basis": "included", **parts}


def told(*prices: dict[str, Any], lists: Any = None, product: Any = None, **parts: Any) -> Any:
    """What the contract makes of a product with these prices."""
    section = {"lists": lists or _LISTS, "basis": "included", **parts}
    given = {"sku": "MUG", "tax_rates": ["19"], "prices": list(prices), **(product or {})}
    return contract(prices=section).price(written.product(given))


def document(*prices: dict[str, Any], **parts: Any) -> PriceDocument:
    made = told(*prices, **parts)
    assert isinstance(made, PriceDocument), made
    return made


def held(*prices: dict[str, Any], **parts: Any) -> Hold:
    made = told(*prices, **parts)
    assert isinstance(made, Hold), made
    return made


# ---- basis and rounding ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("erp", "store", "rate", "asked", "shown"),
    [
        ("excluded", "included", "19", "10.00", "11.90"),
        ("included", "excluded", "19", "11.90", "10.00"),
        ("included", "included", "19", "11.90", "11.90"),
        ("excluded", "excluded", "19", "10.004", "10.00"),
        # The half of a coin goes up.
        ("excluded", "included", "7", "1.00", "1.07"),
        ("excluded", "included", "2.5", "0.20", "0.21"),
        ("included", "excluded", "7", "9.99", "9.34"),
    ],
)
def test_a_price_is_told_in_the_basis_of_the_store(erp: str, store: str, rate: str, asked: str, shown: str) -> None:
    made = document(price(asked, tax_basis=erp), basis=store, product={"tax_rates": [rate]})
    assert (made.price, made.currency) == (D(shown), "EUR")


@pytest.mark.parametrize(("currency", "shown"), [("JPY", "1101"), ("KWD", "1100.550")])
def test_it_is_rounded_to_the_coins_of_its_currency(currency: str, shown: str) -> None:
    lists = {"shop": {"currency": currency, "to": "regular"}}
    product = {"currency_code": currency, "tax_rates": ["10"]}
    made = document(price("1000.5", tax_basis="excluded"), lists=lists, product=product, rounding="half_down")
    assert str(made.price) == shown


def test_two_taxes_of_the_erp_are_one_rate() -> None:
    made = document(price("100.00", tax_basis="excluded"), product={"tax_rates": ["5", "9.975"]})
    assert made.price == D("114.98")


def test_a_table_leads_from_the_rate_of_the_erp_to_that_of_the_market() -> None:
    made = document(price("100.00", tax_basis="excluded"), rates={"19": 20, "7": "5.5"})
    assert made.price == D("120.00")
    hold = held(price("100.00", tax_basis="excluded"), rates={"7": "5.5"})
    assert hold.reason is HoldReason.MAPPING
    assert "19 % has no row under `prices.rates`, which has 7" in hold.detail


def test_one_rate_for_all_serves_where_the_erp_states_none() -> None:
    bare: dict[str, Any] = {"tax_rates": []}
    assert "states no rate" in held(price("100.00", tax_basis="excluded"), product=bare).detail
    assert document(price("100.00", tax_basis="excluded"), product=bare, rate=7).price == D("107.00")
    # Nothing is converted, so no rate is needed.
    assert document(price("100.00"), product=bare).price == D("100.00")


def test_what_the_erp_does_not_tell_the_contract_may() -> None:
    assert "prices.erp_basis" in held(price("10.00", tax_basis="unspecified")).detail
    assert document(price("10.00", tax_basis="unspecified"), erp_basis="excluded").price == D("11.90")


# ---- lists, tiers, dates -----------------------------------------------------------------------------------------


def test_a_list_in_another_currency_is_never_converted() -> None:
    hold = held(price("10.00"), product={"currency_code": "USD"})
    assert (hold.reason, hold.detail) == (HoldReason.MAPPING, "the ERP's list 'shop' is in USD; the contract says EUR")


def test_a_price_for_more_pieces_stays_in_the_erp() -> None:
    made = document(price("10.00", quantity_min="1"), price("9.00", quantity_min="10"))
    assert made.price == D("10.00")
    assert made.notes == ("prices of shop for more than one piece stay in the ERP: the store has one price a product",)


def test_no_price_in_the_list_is_held_or_skipped() -> None:
    hold = held(price("10.00", "other"))
    words = "no price of 'MUG' in the ERP's list 'shop': there is none at present"
    assert (hold.reason, hold.detail) == (HoldReason.MAPPING, words)
    assert told(price("10.00", "other"), missing="skip") is NotEligible.NO_PRICE
    unsure = {"untold": {"shop": "it is based on a cost"}}
    assert held(product=unsure).detail.endswith("'shop': it is based on a cost")
    # One that is to come is no price yet.
    assert "at present" in held(price("10.00", valid_from="2026-12-01T00:00:00Z")).detail


def test_a_regular_price_that_changes_later_is_told_when_it_is_time() -> None:
    made = document(
        price("10.00", valid_until="2026-12-01T00:00:00Z"), price("12.00", valid_from="2026-12-01T00:00:00Z")
    )
    assert (made.price, made.sale) == (D("10.00"), None)


@pytest.mark.parametrize(
    ("dates", "starts", "until"),
    [
        ({}, None, None),
        ({"valid_until": "2026-12-07T00:00:00Z"}, None, _LAST),
        ({"valid_from": "2026-12-01T00:00:00Z", "valid_until": "2026-12-07T00:00:00Z"}, _FIRST, _LAST),
    ],
)
def test_a_sale_carries_its_dates(dates: Any, starts: datetime | None, until: datetime | None) -> None:
    made = document(price("10.00"), price("8.00", "sale", **dates))
    assert (made.price, made.sale) == (D("10.00"), Sale(D("8.00"), starts, until))


def test_what_is_not_lower_is_no_sale() -> None:
    """A list for sales shows the usual price until its rule begins."""
    usual = price("10.00", "sale", valid_until="2026-12-01T00:00:00Z")
    coming = price("8.00", "sale", valid_from="2026-12-01T00:00:00Z")
    assert document(price("10.00"), usual).sale is None
    assert document(price("10.00"), usual, coming).sale == Sale(D("8.00"), _FIRST, None)


def test_a_list_may_feed_one_of_the_stores_own_lists() -> None:
    lists = {**_LISTS, "usd": {"currency": "USD", "to": "catalog", "catalog": "77"}}
    given = {"sku": "MUG", "prices": [price("10.00")]}
    product = written.product(given)
    dollars = written.product({"currency_code": "USD", "sku": "MUG", "prices": [price("12.00", "usd")]})
    product.prices.extend(dollars.prices)
    made = contract(prices={"lists": lists, "basis": "included"}).price(product)
    assert isinstance(made, PriceDocument)
    assert (made.price, made.catalogs) == (D("10.00"), (CatalogPrice("77", "USD", D("12.00")),))


# ---- what is told at all -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("amount", ["0.00", "-1.00"])
def test_a_price_of_nothing_or_less_is_held(amount: str) -> None:
    assert held(price(amount)).reason is HoldReason.DATA


def test_a_free_product_is_sent_where_the_contract_says_so() -> None:
    assert document(price("0.00"), free="send").price == 0
    assert held(price("-1.00"), free="send").reason is HoldReason.DATA


def test_only_what_the_erp_owns_is_told() -> None:
    made = document(price("10.00"), owned=["title", "barcode"])
    assert (sorted(made.owned), made.price, made.sale) == (["barcode", "title"], None, None)
    assert sorted(document(price("10.00")).owned) == ["price"]


def test_what_is_not_for_sale_is_none_of_the_stores_business_unless_that_is_owned() -> None:
    archived = {"active": False}
    assert told(price("10.00"), product=archived) is NotEligible.NOT_FOR_SALE
    made = document(price("10.00"), product=archived, owned=["price", "active"])
    assert (sorted(made.owned), made.active, made.price) == (["active"], False, None)


def test_the_table_of_skus_leads_the_other_way() -> None:
    given = written.product({"sku": "MUG", "prices": [price("10.00")]})
    section = {"lists": _LISTS, "basis": "included"}
    one = contract(prices=section, sku={"rows": {"mug-shop": "MUG"}}).price(given)
    assert isinstance(one, PriceDocument)
    assert one.sku == "mug-shop"
    two = contract(prices=section, sku={"rows": {"a": "MUG", "b": "MUG"}}).price(given)
    assert isinstance(two, Hold)
    assert "leads from a, b to 'MUG'" in two.detail


# ---- what is wrong in the file -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("section", "found"),
    [
        ({"lists": _LISTS}, "the key 'basis' is missing"),
        ({"lists": {"a": {"currency": "XXL", "to": "regular"}}}, "'XXL' is not one of ISO 4217"),
        ({"lists": {"a": {"currency": "EUR", "to": "sale"}}}, "no list goes to regular"),
        ({"lists": {"a": {"currency": "EUR", "to": "catalog"}}}, "`catalog` names the store's price list"),
        ({"lists": {n: {"currency": "EUR", "to": "regular"} for n in "ab"}}, "2 lists go to regular"),
        (
            {"lists": {n: {"currency": "EUR", "to": "catalog", "catalog": "1"} for n in "ab"}},
            "2 lists go to the catalog '1'",
        ),
        ({"lists": {**_LISTS, "sale": {"currency": "USD", "to": "sale"}}}, "the plain prices are in EUR, USD"),
        ({"lists": _LISTS, "rates": {"much": 7}}, "'much' is no rate"),
        ({"lists": _LISTS, "owned": ["weight"]}, "allowed are 'price'"),
        ({"lists": _LISTS, "rounding": "nicely"}, "allowed are 'half_up'"),
        ({"lists": _LISTS, "charm": 0.99}, "unknown key 'charm'"),
    ],
)
def test_a_mistake_is_told_with_its_line(section: dict[str, Any], found: str) -> None:
    text = rules(prices={"basis": "included", **section} if "basis" not in found else section)
    with pytest.raises(ContractError) as caught:
        parse_contract(text, "test.yaml")
    (finding,) = caught.value.findings
    assert found in str(finding)
    written_at = text.splitlines()[finding.line - 1].strip()
    assert finding.line >= text.splitlines().index("prices:") + 1, written_at


def test_an_example_of_a_product_runs_when_the_contract_is_loaded() -> None:
    section = {"lists": _LISTS, "basis": "included"}
    given = {"sku": "MUG", "tax_rates": [19], "prices": [price("10.00", tax_basis="excluded")]}
    right = {"name": "with its tax", "product": given, "expect": {"price": 11.90, "sale": None}}
    parse_contract(rules(prices=section, examples=[right]), "test.yaml")
    wrong = {"name": "with its tax", "product": given, "expect": {"price": 10.00}}
    with pytest.raises(ContractError, match=r"price is '11\.90', '10\.0' was expected"):
        parse_contract(rules(prices=section, examples=[wrong]), "test.yaml")
