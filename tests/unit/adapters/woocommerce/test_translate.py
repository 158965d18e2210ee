"""From WooCommerce's words to the canonical ones."""

from decimal import Decimal
from typing import Any

import pytest

from adapters.woocommerce.settings import Dialect
from adapters.woocommerce.translate import reading
from tallystick.canonical import checks
from tallystick.canonical.digest import digest
from tallystick.canonical.keys import guest_key
from tallystick.canonical.money import amount
from tallystick.canonical.payments import received
from tallystick.canonical.times import to_datetime
from tallystick.errors import Unreadable
from tallystick.ports import Reading
from tallystick.reasons import HoldReason
from tallystick.v1 import customer_pb2, money_pb2, order_pb2
from tests.unit.adapters.woocommerce.written import line, order, rate, read


def canonical(found: Reading) -> order_pb2.Order:
    assert found.order is not None
    return found.order


def reasons(found: Reading) -> list[str]:
    return [finding.reason for finding in (*found.findings, *checks.findings(canonical(found)))]


def details(found: Reading) -> str:
    return " | ".join(finding.detail for finding in found.findings)


def figures(found: Reading) -> dict[str, str]:
    return {field.name: str(amount(value)) for field, value in canonical(found).totals.ListFields()}


# ---- states and payment ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "state"),
    [
        # FC-120: a checkout that was never finished is delivered too.
        ("checkout-draft", order_pb2.ORDER_STATE_DRAFT),
        ("auto-draft", order_pb2.ORDER_STATE_DRAFT),
        ("pending", order_pb2.ORDER_STATE_PENDING),
        ("failed", order_pb2.ORDER_STATE_FAILED),
        ("cancelled", order_pb2.ORDER_STATE_CANCELLED),
        ("trash", order_pb2.ORDER_STATE_CANCELLED),
        ("on-hold", order_pb2.ORDER_STATE_PLACED),
        ("processing", order_pb2.ORDER_STATE_PLACED),
        ("completed", order_pb2.ORDER_STATE_PLACED),
        ("refunded", order_pb2.ORDER_STATE_PLACED),
        ("awaiting-shipment", order_pb2.ORDER_STATE_PLACED),
        ("", order_pb2.ORDER_STATE_UNSPECIFIED),
    ],
)
def test_states(status: str, state: order_pb2.OrderState.ValueType) -> None:
    found = canonical(read(status=status))
    assert (found.state, found.store_state) == (state, status)


def refund(total: str) -> dict[str, Any]:
    return {"id": 30, "reason": "", "total": total}


@pytest.mark.parametrize(
    ("given", "state"),
    [
        ({}, order_pb2.PAYMENT_STATE_PAID),
        # FC-121: cash on delivery is `processing` with `needs_payment` false, and nobody has paid.
        (
            {"payment_method": "cod", "date_paid_gmt": None, "needs_payment": False},
            order_pb2.PAYMENT_STATE_UNPAID,
        ),
        ({"status": "on-hold", "payment_method": "bacs", "date_paid_gmt": None}, order_pb2.PAYMENT_STATE_UNPAID),
        ({"refunds": [refund("-2.00")]}, order_pb2.PAYMENT_STATE_PARTIALLY_REFUNDED),
        ({"refunds": [refund("-2.00"), refund("-10.10")]}, order_pb2.PAYMENT_STATE_REFUNDED),
        # FC-123: something went back, and nobody knows how much.
        ({"refunds": [refund("-12.10"), refund("-")]}, order_pb2.PAYMENT_STATE_PARTIALLY_REFUNDED),
        # FC-089: nothing did.
        ({"refunds": [refund("-0.00")]}, order_pb2.PAYMENT_STATE_PAID),
        ({"status": "refunded", "date_paid_gmt": None}, order_pb2.PAYMENT_STATE_REFUNDED),
        ({"date_paid_gmt": None, "total": "0.00", "total_tax": "0"}, order_pb2.PAYMENT_STATE_PAID),
    ],
)
def test_payment(given: dict[str, Any], state: order_pb2.PaymentState.ValueType) -> None:
    assert canonical(read(**given)).payment_state == state


def test_cash_on_delivery_makes_no_payment() -> None:
    """FC-121"""
    found = canonical(read(payment_method="cod", date_paid_gmt=None))
    (payment,) = found.payments
    assert payment.kind == order_pb2.PAYMENT_KIND_CASH_ON_DELIVERY
    assert payment.state == order_pb2.PAYMENT_STATE_UNPAID
    assert not payment.HasField("paid_at")
    assert list(received(found)) == []


def test_cash_on_delivery_is_a_payment_once_the_shop_completed_the_order() -> None:
    """FC-121: then it has a date of payment, and the state of the order says so whatever is refunded later."""
    found = canonical(read(payment_method="cod", status="completed", refunds=[refund("-12.10")]))
    (payment,) = received(found)
    assert (payment.id, payment.gateway, str(amount(payment.amount))) == (f"order-{found.id}", "cod", "12.10")
    assert payment.paid_at == found.paid_at


def test_a_payment_keeps_its_id_when_the_gateway_tells_its_own_later() -> None:
    first, later = (canonical(read(transaction_id=told)).payments[0] for told in ("", "ch_1"))
    assert (first.id, first.reference, later.reference) == (later.id, "", "ch_1")


def test_refunds_are_named_and_change_no_line() -> None:
    found = canonical(read(refunds=[refund("-12.10"), {**refund("-0.00"), "id": 31}]))
    assert list(found.refund_ids) == ["30"]
    assert found.lines[0].quantity == order_pb2.Quantities(ordered="1")


def test_unreadable_money_of_a_line_is_not_set() -> None:
    """FC-123"""
    found = read(line_items=[line(total="n/a")])
    assert "line 1 states total as 'n/a'" in details(found)
    assert not canonical(found).lines[0].amount.HasField("net")
    assert not canonical(found).totals.HasField("net")


# ---- money -------------------------------------------------------------------------------------------------------


def test_prices_without_tax() -> None:
    found = canonical(read())
    assert found.tax_basis == money_pb2.TAX_BASIS_EXCLUDED
    assert figures(read()) == {"net": "11.00", "tax": "1.10", "shipping": "0.00", "fees": "0.00", "total": "12.10"}
    assert str(amount(found.lines[0].unit_price)) == "11.00"
    assert checks.findings(found) == []


def test_prices_with_tax_are_shown_without_it_all_the_same() -> None:
    """FC-020, FC-128: lines are without tax always; the price per piece is in the basis of the prices."""
    post = {
        "id": 3,
        "method_title": "Post",
        "total": "5.06",
        "total_tax": "0.14",
        "taxes": [{"id": 4, "total": "0.136"}],
    }
    taxed = line(quantity=2, total="10.14", total_tax="0.26", taxes=[{"id": 4, "total": "0.263548"}])
    found = canonical(
        read(
            currency="CHF",
            prices_include_tax=True,
            total="15.60",
            total_tax="0.40",
            shipping_total="5.06",
            line_items=[taxed],
            shipping_lines=[post],
            tax_lines=[rate(rate_id=4, rate_percent=Decimal("2.6"), rate_code="CH-1", label="MwSt.")],
        )
    )  # fmt: skip
    assert found.tax_basis == money_pb2.TAX_BASIS_INCLUDED
    assert str(amount(found.lines[0].unit_price)) == "5.20"
    assert str(amount(found.shipping_lines[0].amount.gross)) == "5.20"
    assert [tax.rate_percent for tax in found.lines[0].taxes] == ["2.6"]
    assert checks.findings(found) == []


def test_tax_rounds_half_down_where_prices_include_it() -> None:
    """FC-018, FC-128: 2.875 is 2.87 in such a shop and 2.88 elsewhere; the connection may say otherwise."""
    item = line(total="25.00", total_tax="2.875", taxes=[{"id": 1, "total": "2.875"}])

    def tax(dialect: Dialect, *, included: bool) -> str:
        row = order(prices_include_tax=included, line_items=[item], total="27.87", total_tax="2.87")
        return str(amount(canonical(reading(row, "woocommerce", dialect)).lines[0].amount.tax))

    assert tax(Dialect(), included=True) == "2.87"
    assert tax(Dialect(), included=False) == "2.88"
    assert tax(Dialect(tax_rounding="half_up"), included=True) == "2.88"


def test_a_line_total_is_what_counts_not_its_price() -> None:
    """FC-019: the unit price arrives as 14.309999999999999."""
    item = line(quantity=10, total="143.10", total_tax="14.31", price=Decimal("14.309999999999999"))
    found = canonical(read(line_items=[item], total="157.41", total_tax="14.31"))
    assert str(amount(found.lines[0].unit_price)) == "14.31"
    assert str(amount(found.lines[0].amount.net)) == "143.10"


def test_three_for_ten() -> None:
    """FC-024: the price per piece cannot be paid in coins; the line's total stays."""
    found = canonical(
        read(line_items=[line(quantity=3, total="10.00", total_tax="1.00")], total="11.00", total_tax="1.00")
    )
    assert str(amount(found.lines[0].unit_price)) == "3.333333333"
    assert str(amount(found.lines[0].amount.net)) == "10.00"
    assert checks.findings(found) == []


def test_two_rates_and_an_untaxed_line() -> None:
    """FC-025: 8 % food, 10 % goods, and an untaxed item; compound rates stack on one line."""
    food = line(id=1, total="10.00", total_tax="0.80", taxes=[{"id": 8, "total": "0.80"}])
    goods = line(id=2, total="20.00", total_tax="3.05", taxes=[{"id": 1, "total": "2"}, {"id": 5, "total": "1.05"}])
    free = line(id=3, total="5.00", total_tax="0.00", taxes=[{"id": 8, "total": ""}])
    found = canonical(
        read(
            total="38.85",
            total_tax="3.85",
            line_items=[food, goods, free],
            tax_lines=[
                rate(rate_id=8, rate_percent="8.0000"),
                rate(),
                rate(rate_id=5, rate_percent="5", compound=True),
            ],
        )
    )
    assert [[tax.rate_percent for tax in item.taxes] for item in found.lines] == [["8"], ["10", "5"], []]
    assert [tax.compound for tax in found.lines[1].taxes] == [False, True]
    assert checks.findings(found) == []


def test_single_taxes_of_six_decimals_make_the_whole_tax() -> None:
    """Old versions state 0.434999 and 0.434999 where the line's tax is 0.87."""
    taxes = [{"id": 1, "total": "0.434999"}, {"id": 2, "total": "0.434999"}]
    item = line(total="10.00", total_tax="0.87", taxes=taxes)
    found = canonical(read(line_items=[item], total="10.87", total_tax="0.87"))
    assert sum(amount(tax.amount) for tax in found.lines[0].taxes) == Decimal("0.87")


def test_the_cent_between_the_parts_and_the_total_is_stated() -> None:
    """FC-016: 54.17 + 41.67 + 10.83 + 8.33 make 115.00, and 115.01 was paid."""
    items = [line(id=1, total="54.17", total_tax="10.83"), line(id=2, total="41.67", total_tax="8.33")]
    found = read(line_items=items, total="115.01", total_tax="19.16")
    assert figures(found)["rounding"] == "0.01"
    assert reasons(found) == []


def test_what_rounding_cannot_explain_is_left_to_be_found() -> None:
    """FC-017, FC-023: nothing is repaired."""
    assert reasons(read(total="13.10")) == [HoldReason.UNBALANCED]
    assert "rounding" not in figures(read(total="13.10"))


@pytest.mark.parametrize(
    ("net", "tax", "total", "booked", "rounding"),
    [
        ("2411.73", "192.94", "2604.67", "2605", None),
        ("100.40", "8.40", "108.80", "109", "1"),
    ],
)
def test_yen_with_fractions(net: str, tax: str, total: str, booked: str, rounding: str | None) -> None:
    """FC-033: brought to whole yen, the difference proved by the exact parts."""
    found = read(currency="JPY", line_items=[line(total=net, total_tax=tax)], total=total, total_tax=tax)
    assert figures(found)["total"] == booked
    assert figures(found).get("rounding") == rounding
    assert reasons(found) == []


def test_yen_with_fractions_that_do_not_add_up() -> None:
    """FC-033: a yen too few was there before anything was rounded."""
    found = read(currency="JPY", line_items=[line(total="100.40", total_tax="8.40")], total="109.80", total_tax="8.40")
    assert reasons(found) == [HoldReason.UNBALANCED]


@pytest.mark.parametrize(("currency", "shown"), [("JPY", "1980.00"), ("KWD", "1.980"), ("EUR", "19.80")])
def test_currencies_of_each_kind(currency: str, shown: str) -> None:
    """FC-032: minor units come from the currency, whatever the shop's decimals are."""
    found = read(currency=currency, line_items=[line(total=shown, total_tax="0", taxes=[])], total=shown, total_tax="0")
    assert Decimal(figures(found)["total"]) == Decimal(shown)
    assert reasons(found) == []


def test_a_currency_that_nobody_knows() -> None:
    found = read(currency="BTC")
    assert reasons(found) == [HoldReason.MAPPING]
    assert not canonical(found).totals.ListFields()


def test_coupons_are_in_the_lines_already() -> None:
    """FC-021: discount = Σ(subtotal − total), stated without tax."""
    item = line(subtotal="100.00", subtotal_tax="10.00", total="80.00", total_tax="8.00")
    coupon = {"id": 13, "code": "ten", "discount": "20", "discount_tax": "2", "discount_type": "fixed_cart"}
    found = canonical(read(line_items=[item], coupon_lines=[coupon], total="88.00", total_tax="8.00"))
    assert str(amount(found.lines[0].unit_price)) == "100.00"
    assert str(amount(found.lines[0].discount)) == "20.00"
    (discount,) = found.discounts
    assert (discount.code, discount.basis) == ("ten", money_pb2.DISCOUNT_BASIS_NET)
    assert str(amount(discount.amount)) == "20.00"
    assert checks.findings(found) == []


def test_fees_and_a_negative_one() -> None:
    fees = [
        {"id": 9, "name": "Gift wrap", "total": "2.00", "total_tax": "0.20", "taxes": [{"id": 1, "total": "0.20"}]},
        {"id": 10, "name": "Rebate", "total": "-1.00", "total_tax": "-0.10", "taxes": [{"id": 1, "total": "-0.10"}]},
    ]
    found = canonical(read(fee_lines=fees, total="13.20", total_tax="1.20"))
    assert [str(amount(fee.amount.gross)) for fee in found.fees] == ["2.20", "-1.10"]
    assert checks.findings(found) == []


def test_gift_cards_are_a_payment_inside_the_total() -> None:
    """The plugin takes them off the order's total; 12.10 were sold, 2.10 are left to pay."""
    found = read(total="2.10", gift_cards=[{"id": 2, "code": "SU9F", "amount": 10}])
    assert figures(found) == {
        "net": "11.00", "tax": "1.10", "shipping": "0.00", "fees": "0.00", "gift_cards": "10.00", "total": "12.10"
    }  # fmt: skip
    payments = [(payment.kind, str(amount(payment.amount))) for payment in canonical(found).payments]
    assert payments == [(order_pb2.PAYMENT_KIND_GIFT_CARD, "10.00"), (order_pb2.PAYMENT_KIND_GATEWAY, "2.10")]
    assert reasons(found) == []
    assert [payment.id.partition("-")[0] for payment in received(canonical(found))] == ["gift", "order"]


# ---- lines -------------------------------------------------------------------------------------------------------


def test_bundles() -> None:
    """The parent carries the price, or only groups; its children name it."""
    parent = line(id=1, total="0.00", total_tax="0.00", taxes=[], bundled_items=[2])
    child = line(id=2, bundled_by="1", bundled_items=[])
    part = line(id=3, total="0.00", total_tax="0.00", taxes=[], composite_parent=2)
    found = canonical(read(line_items=[parent, child, part])).lines
    assert [item.parent_id for item in found] == ["", "1", "2"]
    assert [item.kind for item in found] == [
        order_pb2.LINE_KIND_BUNDLE, order_pb2.LINE_KIND_GOODS, order_pb2.LINE_KIND_GOODS
    ]  # fmt: skip


def test_a_line_without_a_product() -> None:
    """An unknown product or SKU is accepted by the shop as a nameless line of nothing."""
    found = canonical(read(line_items=[line(product_id=0, sku=None, name="")])).lines[0]
    assert (found.kind, found.sku, found.product_id) == (order_pb2.LINE_KIND_CUSTOM, "", "")


def test_fractional_quantities_of_plugins() -> None:
    assert canonical(read(line_items=[line(quantity=Decimal("1.50"))])).lines[0].quantity.ordered == "1.5"
    assert canonical(read(line_items=[line(quantity="2")])).lines[0].quantity.ordered == "2"
    assert "line 1 states its quantity as 'two'" in details(read(line_items=[line(quantity="two")]))


def test_attributes_leave_out_what_moves_by_itself() -> None:
    meta = [
        {"id": 1, "key": "engraving", "value": "ADA"},
        {"id": 2, "key": "_reduced_stock", "value": "2"},
        {"id": 3, "key": "parts", "value": ["a", "b"]},
    ]
    found = canonical(read(line_items=[line(meta_data=meta)]))
    assert dict(found.lines[0].attributes) == {"engraving": "ADA"}


def test_attributes_of_the_order() -> None:
    meta = [
        {"key": "delivery_date", "value": "2026-12-01"},
        {"key": "_wc_order_attribution_utm_source", "value": "newsletter"},
        {"key": "_branch", "value": 7},
        {"key": "_edit_lock", "value": "123:1"},
        {"key": "po", "value": "PO-9"},
        {"key": "_wcpay_mode", "value": "test"},
    ]
    dialect = Dialect(hidden_meta=("_branch",), purchase_order_meta=("po",))
    found = canonical(reading(order(meta_data=meta), "woocommerce", dialect))
    assert dict(found.attributes) == {
        "delivery_date": "2026-12-01", "_wc_order_attribution_utm_source": "newsletter", "_branch": "7", "po": "PO-9"
    }  # fmt: skip
    assert found.purchase_order_number == "PO-9"
    assert found.test


# ---- the buyer ---------------------------------------------------------------------------------------------------


def test_a_guest_has_one_key_whatever_the_spelling() -> None:
    found = canonical(read()).customer
    assert found.key == guest_key("woocommerce", "guest@example.test")
    assert (found.id, found.kind, found.name) == ("", customer_pb2.CUSTOMER_KIND_PERSON, "Gast Gästle")


def test_a_company_with_a_vat_number() -> None:
    billing = {"company": "Depot AG", "email": "a@example.test", "state": "DE-BY", "country": "de"}
    meta = [{"key": "vat_number", "value": "DE123"}, {"key": "is_vat_exempt", "value": "yes"}]
    found = canonical(read(customer_id=7, billing=billing, meta_data=meta)).customer
    assert (found.id, found.key, found.kind) == ("7", "7", customer_pb2.CUSTOMER_KIND_COMPANY)
    assert (found.company.name, found.company.tax_id, found.tax_exempt) == ("Depot AG", "DE123", True)
    assert (found.billing.region_code, found.billing.country_code) == ("DE-BY", "DE")


def test_nobody() -> None:
    found = canonical(read(billing=[], shipping=[]))
    assert (found.customer.kind, found.customer.key) == (customer_pb2.CUSTOMER_KIND_ANONYMOUS, "")
    assert not found.HasField("billing")
    assert not found.HasField("shipping")


# ---- times, forms, and what is no order --------------------------------------------------------------------------


def test_times_are_those_in_gmt() -> None:
    found = read(date_created="2026-11-23T07:51:39")
    assert to_datetime(canonical(found).placed_at).isoformat() == "2026-11-23T06:51:39+00:00"
    assert found.source_modified is not None
    assert found.source_modified.isoformat() == "2026-11-23T06:51:40+00:00"


def test_a_date_in_the_shops_zone_alone_is_not_guessed() -> None:
    found = read(date_created_gmt=None, date_created="2026-11-23T07:51:39")
    assert not canonical(found).HasField("placed_at")
    assert "in the shop's own time only" in details(found)


def test_alternative_types_are_one_content() -> None:
    """Plugins and old versions: numbers as texts, texts as numbers, lists as objects, ids as texts."""
    plain = canonical(read(meta_data=[{"id": 1, "key": "branch", "value": "7"}]))
    odd = order(
        id="19",
        number=19,
        customer_id="0",
        prices_include_tax="no",
        total=Decimal("12.10"),
        total_tax=Decimal("1.1"),
        meta_data={"0": {"id": 1, "key": "branch", "value": 7}},
        line_items={"1": line(id="1", quantity="1", product_id="10", variation_id="", total=11, total_tax="1.1")},
        tax_lines=[rate(rate_id="1", rate_percent="10.0000", compound="")],
        shipping=[],
        refunds=None,
    )
    assert digest(canonical(reading(odd, "woocommerce", Dialect()))) == digest(plain)


def test_meta_data_as_a_plain_object() -> None:
    assert dict(canonical(read(meta_data={"branch": 7, "list": [1], "none": None})).attributes) == {"branch": "7"}


def test_what_moves_without_a_change_is_not_content() -> None:
    moved = read(
        date_modified_gmt="2026-11-24T00:00:00", version="12.0", cart_hash="x", is_editable=True, _links={"self": []}
    )
    assert digest(canonical(moved)) == digest(canonical(read()))
    assert moved.source_modified != read().source_modified


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID."}, "error answer"),
        ({"id": 24}, "has no status"),
        ({"id": 0, "status": "x", "line_items": [], "total": "1"}, "no WooCommerce order"),
    ],
)
def test_what_is_no_order_is_said_so(body: dict[str, Any], words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        reading(body, "woocommerce", Dialect())
