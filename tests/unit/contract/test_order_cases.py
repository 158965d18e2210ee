"""The failure catalogue's cases of currency, time and content, from the canonical order to the ERP's document."""

from datetime import UTC, date, datetime
from decimal import Decimal

import pytest

from tallystick.canonical import money
from tallystick.canonical.keys import guest_key
from tallystick.contract.document import LineRole
from tallystick.reasons import HoldReason, NotEligible
from tests.unit.contract.written import booked, contract, held, order

_TEN = {"amount": {"gross": "10.00", "net": "10.00"}}


def test_fc_031_and_fc_035_two_currencies_never_add_and_never_stand_in_one_order() -> None:
    with pytest.raises(money.CurrencyMismatch, match="EUR, USD"):
        money.add(money.money("EUR", Decimal(1)), money.money("USD", Decimal(1)))
    sold = order(_TEN)
    sold.lines[0].amount.net.currency_code = "USD"
    hold = held(contract(), sold)
    assert hold.reason is HoldReason.UNBALANCED
    assert hold.detail == "line 1 net is in USD, the order is in EUR"


@pytest.mark.parametrize(("currency", "total"), [("JPY", "1624"), ("THB", "1624.05"), ("KWD", "1624.005")])
def test_fc_032_amounts_keep_their_minor_units_in_0_2_and_3_decimal_currencies(currency: str, total: str) -> None:
    sold = order({"amount": {"gross": total}, "taxes": [{"rate_percent": "7"}]}, currency_code=currency)
    document = booked(contract(), sold)
    assert f"{document.total}" == total
    assert f"{document.lines[0].unit_price}" == total


def test_fc_033_fractions_of_a_yen_are_never_booked() -> None:
    hold = held(contract(), order({"amount": {"net": "2411.73", "tax": "192.94"}}, currency_code="JPY"))
    assert hold.reason is HoldReason.UNBALANCED
    assert "is 2411.73, but JPY has 0 decimals" in hold.detail


def test_fc_033_what_the_store_states_as_rounding_is_a_line_of_its_own() -> None:
    sold = order({"amount": {"net": "2411", "tax": "193"}, "taxes": [{"rate_percent": "8"}]}, currency_code="JPY")
    sold.totals.rounding.CopyFrom(money.money("JPY", Decimal(1)))
    sold.totals.total.units += 1
    document = booked(contract(), sold)
    assert (document.total, document.lines[-1].role, document.lines[-1].unit_price) == (
        Decimal(2605),
        LineRole.ROUNDING,
        Decimal(1),
    )


def test_fc_034_the_document_is_in_the_shops_currency_and_the_buyers_stays_for_audit() -> None:
    rules = contract(header=[{"to": "x_paid", "from": "presentment.total"}])
    sold = order(_TEN, currency_code="USD")
    sold.presentment.currency_code = "EUR"
    sold.presentment.total.CopyFrom(money.money("EUR", Decimal("9.20")))
    document = booked(rules, sold)
    assert (document.currency, document.fields["pricelist"]) == ("USD", "list-USD")
    assert document.fields["x_paid"] == Decimal("9.20")


def test_fc_036_a_currency_that_the_erp_does_not_keep_is_held() -> None:
    hold = held(contract(), order(_TEN, currency_code="SEK"))
    assert hold.reason is HoldReason.MAPPING
    assert hold.detail == "the contract has no row for the currency SEK; there are EUR, JPY, KWD, THB, USD"


def test_fc_036_a_code_that_is_no_currency_is_held() -> None:
    sold = order(_TEN)
    sold.currency_code = "BTC"
    assert held(contract(), sold).reason is HoldReason.MAPPING


@pytest.mark.parametrize(
    ("zone", "day"),
    [("Asia/Bangkok", date(2026, 11, 21)), ("Asia/Tokyo", date(2026, 11, 21)), ("Europe/Berlin", date(2026, 11, 21)),
     ("UTC", date(2026, 11, 20)), ("America/New_York", date(2026, 11, 20))],
)  # fmt: skip
def test_fc_058_the_day_is_the_selling_entitys_and_the_instant_stays_utc(zone: str, day: date) -> None:
    document = booked(contract(time_zone=zone), order(_TEN, placed_at="2026-11-20T23:50:00Z"))
    assert document.business_date == day
    assert document.placed_at == datetime(2026, 11, 20, 23, 50, tzinfo=UTC)


def test_fc_069_a_gift_card_that_is_sold_is_a_liability_without_tax() -> None:
    """FC-069: on the product whose account is the liability, whatever SKU it is sold by."""
    card = {"kind": "gift_card", "sku": "GC-50", "amount": {"gross": "50.00"}}
    mug = {"amount": {"gross": "11.90"}, "taxes": [{"rate_percent": "19"}]}
    document = booked(contract(products={"gift_card": "GIFTCARD"}), order(card, mug))
    assert [(line.product, line.taxes, line.tax, line.gross) for line in document.lines] == [
        ("GIFTCARD", (), Decimal(0), Decimal("50.00")),
        ("MUG", ("19 incl",), Decimal("1.90"), Decimal("11.90")),
    ]


def test_fc_070_a_gift_card_pays_and_changes_no_total() -> None:
    assert booked(contract(), order(_TEN, totals={"gift_cards": "4.00"})).total == Decimal("10.00")


def test_fc_072_and_fc_073_tips_and_duties_stand_on_their_own_products_without_tax() -> None:
    line = {"amount": {"gross": "107.00"}, "taxes": [{"rate_percent": "7"}]}
    document = booked(contract(), order(line, totals={"tips": "5.00", "duties": "12.30"}))
    assert document.total == Decimal("124.30")
    assert [(line.product, line.unit_price, line.taxes) for line in document.lines[1:]] == [
        ("TIP", Decimal("5.00"), ()),
        ("DUTY", Decimal("12.30"), ()),
    ]


def test_fc_073_without_a_product_for_duties_the_order_is_held() -> None:
    hold = held(contract(products={"duty": None}), order(_TEN, totals={"duties": "12.30"}))
    assert hold.reason is HoldReason.MAPPING
    assert "products.duty" in hold.detail


def test_fc_074_a_line_that_an_edit_removed_is_not_booked() -> None:
    gone = {"quantity": {"ordered": 2, "removed_by_edit": 2}, "amount": {"gross": 0}}
    fewer = {"quantity": {"ordered": 3, "removed_by_edit": 1}, "amount": {"gross": "20.00", "net": "20.00"}}
    (line,) = booked(contract(), order(gone, fewer)).lines
    assert (line.key, line.quantity, line.unit_price) == ("2", Decimal(2), Decimal(10))


def test_fc_074_a_refund_leaves_the_booked_quantity_alone() -> None:
    sold = order({"quantity": {"ordered": 2, "refunded": 2}, "amount": {"gross": "20.00", "net": "20.00"}})
    assert booked(contract(), sold).lines[0].quantity == 2


def test_fc_075_one_variant_on_two_lines_stays_two_lines() -> None:
    free = {"id": "8", "sku": "MUG", "amount": {"gross": 0}, "taxes": [{"rate_percent": "7"}]}
    paid = {"id": "7", "sku": "MUG", "amount": {"gross": "10.70"}, "taxes": [{"rate_percent": "7"}]}
    document = booked(contract(), order(paid, free))
    assert [(line.key, line.product, line.unit_price) for line in document.lines] == [
        ("7", "MUG", Decimal("10.70")),
        ("8", "MUG", Decimal(0)),
    ]


def test_fc_075_two_lines_under_one_id_are_held() -> None:
    assert held(contract(), order({"id": "7", **_TEN}, {"id": "7", **_TEN})).reason is HoldReason.DATA


@pytest.mark.parametrize("lines", [[{"sku": ""}], [{}, {"sku": ""}]])
def test_fc_076_a_deleted_product_holds_the_order_and_never_leaves_a_line_out(lines: list[dict[str, str]]) -> None:
    sold = order(*({**_TEN, **line} for line in lines))
    hold = held(contract(), sold)
    assert hold.reason is HoldReason.MAPPING
    assert "has no SKU" in hold.detail
    document = contract().build(sold).document
    assert document is not None
    assert len(document.lines) == len(lines)


def test_fc_077_a_bundle_that_only_groups_its_parts_is_no_line() -> None:
    parent = {"id": "1", "kind": "bundle", "amount": {"gross": 0}}
    child = {"id": "2", "parent_id": "1", **_TEN}
    assert [line.key for line in booked(contract(), order(parent, child)).lines] == ["2"]


def test_fc_078_a_sku_is_changed_only_by_a_stated_rule() -> None:
    sold = order({"sku": " mug ", **_TEN})
    assert booked(contract(), sold).lines[0].product == " mug "
    rules = contract(sku={"trim": True, "case": "upper", "rows": {"MUG": "M-1"}})
    assert booked(rules, sold).lines[0].product == "M-1"


def test_fc_079_a_line_typed_by_hand_goes_to_the_configured_product_or_is_held() -> None:
    sold = order({"kind": "custom", "sku": "", "title": "Engraving", **_TEN})
    (line,) = booked(contract(), sold).lines
    assert (line.product, line.name) == ("CUSTOM", "Engraving")
    hold = held(contract(products={"custom": None}), sold)
    assert (hold.reason, "products.custom" in hold.detail) == (HoldReason.MAPPING, True)


def test_fc_080_a_test_order_is_not_for_the_erp() -> None:
    assert contract().eligibility(order(_TEN, test=True)) is NotEligible.TEST_ORDER


def test_fc_081_nobody_at_all_becomes_the_anonymous_customer() -> None:
    document = booked(contract(), order(_TEN))
    assert (document.customer.key, document.customer.name) == ("anonymous", "Online buyer")


def test_fc_081_by_policy_the_order_is_held_instead() -> None:
    assert held(contract(customer={"anonymous": "hold"}), order(_TEN)).reason is HoldReason.MAPPING


def test_fc_082_a_masked_buyer_is_nobody_and_no_asterisk_reaches_the_erp() -> None:
    masked = {"id": "77", "kind": "anonymous", "name": "B***a", "email": "b***@example.com"}
    customer = booked(contract(), order(_TEN, customer=masked, billing={"line1": "****"})).customer
    assert customer.key == "anonymous"
    assert "*" not in repr(customer)


def test_fc_011_one_mailbox_is_one_customer_whatever_its_letters() -> None:
    keys = {
        booked(contract(), order(_TEN, customer={"kind": "person", "email": email})).customer.key
        for email in ("Anna@Example.com", " anna@example.com ", "ANNA@EXAMPLE.COM")
    }
    assert keys == {guest_key("store", "anna@example.com")}


def test_fc_048_a_long_street_goes_on_in_the_second_line() -> None:
    street = "Building 7 " * 12
    buyer = {"kind": "person", "email": "a@b.c", "name": "A"}
    rules = contract(customer={"limits": {"street": 60, "street2": 90}})
    customer = booked(rules, order(_TEN, customer=buyer, billing={"line1": street.strip()})).customer
    assert f"{customer.street} {customer.street2}" == street.strip()
    assert len(customer.street) <= 60


def test_fc_048_a_text_that_is_cut_is_noted_and_blocks_nothing() -> None:
    rules = contract(header=[{"to": "note", "from": "note", "max": 140, "too_long": "cut"}])
    document = booked(rules, order(_TEN, note="x" * 255))
    assert document.fields["note"] == "x" * 140
    assert document.notes == ("note: 255 characters, the ERP takes 140; the rest was cut off",)


def test_fc_049_a_long_purchase_order_number_is_held_with_both_figures() -> None:
    rules = contract(header=[{"to": "po", "from": "purchase_order_number", "max": 35}])
    hold = held(rules, order(_TEN, purchase_order_number="9" * 45))
    assert hold.reason is HoldReason.DATA
    assert "45 characters, the ERP takes 35" in hold.detail


def test_fc_050_emoji_are_left_out_and_letters_keep_their_base() -> None:
    rules = contract(
        header=[
            {"to": "note", "from": "note", "charset": "bmp"},
            {"to": "ascii", "from": "note", "charset": "ascii"},
        ]
    )
    document = booked(rules, order(_TEN, note="Café ☕ 🎁"))
    assert (document.fields["note"], document.fields["ascii"]) == ("Café ☕", "Cafe")
