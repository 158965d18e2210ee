"""The failure catalogue's cases of refunds, from the canonical refund to the credit document."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from tallystick.canonical import written
from tallystick.canonical.money import money
from tallystick.contract.compile import Contract
from tallystick.contract.document import Hold, LineRole, RefundDocument
from tallystick.contract.load import ContractError, parse_contract
from tallystick.reasons import HoldReason
from tallystick.v1 import refund_pb2
from tests.unit.contract.written import contract, rules

D = Decimal
_MUG: dict[str, Any] = {
    "line_id": "7",
    "kind": "goods",
    "sku": "MUG",
    "title": "Mug",
    "quantity": 2,
    "restock": "yes",
    "amount": {"gross": "23.80"},
    "taxes": [{"rate_percent": "19"}],
}
_POST = {"id": "9", "title": "Post", "amount": {"gross": "5.35"}, "taxes": [{"rate_percent": "7"}]}
_SHARES = [
    {"amount": {"gross": "119.00"}, "taxes": [{"rate_percent": "19"}]},
    {"amount": {"gross": "53.50"}, "taxes": [{"rate_percent": "7"}]},
]


def refund(*lines: dict[str, Any], **parts: Any) -> refund_pb2.Refund:
    """A refund of these lines; see `tallystick.canonical.written`."""
    return written.refund({"lines": list(lines), **parts})


def credited(rules: Contract, given: refund_pb2.Refund) -> RefundDocument:
    """The document, which has to be there and to balance."""
    document = rules.refund(given)
    assert isinstance(document, RefundDocument), document
    assert rules.balance(document).difference == 0
    return document


def held(rules: Contract, given: refund_pb2.Refund) -> Hold:
    """The reason why there is none."""
    hold = rules.refund(given)
    assert isinstance(hold, Hold), hold
    return hold


def test_lines_and_shipping_are_credited_as_the_store_stated_them() -> None:
    document = credited(contract(), refund(_MUG, shipping_lines=[_POST]))
    assert (document.order_id, document.refund_id, document.total) == ("1042", "R1", D("29.15"))
    assert [(line.key, line.product, line.quantity, line.unit_price, line.taxes) for line in document.lines] == [
        ("7", "MUG", D(2), D("11.90"), ("19 incl",)),
        ("shipping-9", "SHIPPING", D(1), D("5.35"), ("7 incl",)),
    ]


def test_prices_without_tax_are_credited_without_it() -> None:
    given = refund({**_MUG, "amount": {"net": "20.00"}}, tax_basis="excluded")
    (line,) = credited(contract(), given).lines
    assert (line.unit_price, line.taxes, line.net, line.tax) == (D("10.00"), ("19 excl",), D("20.00"), D("3.80"))


# ---- goods ---------------------------------------------------------------------------------------------------------


def test_fc_084_money_back_and_no_goods_is_a_credit_without_stock() -> None:
    document = credited(contract(), refund({**_MUG, "restock": "no"}))
    assert (document.total, document.restocked) == (D("23.80"), ())


def test_goods_that_came_back_are_named_by_their_line() -> None:
    """The same line twice in one refund, once into stock and once not."""
    document = credited(contract(), refund({**_MUG, "restock": "no"}, _MUG))
    assert [line.key for line in document.lines] == ["7", "7-2"]
    assert document.restocked == (("7-2", D(2)),)


@pytest.mark.parametrize(("policy", "restocked"), [("yes", (("7", D(2)),)), ("no", ())])
def test_fc_086_unknown_is_decided_by_the_contract(policy: str, restocked: tuple[object, ...]) -> None:
    rules = contract(refunds={"restock_unknown": policy})
    assert credited(rules, refund({**_MUG, "restock": "unknown"})).restocked == restocked


def test_fc_086_unknown_is_held_unless_the_contract_decides() -> None:
    hold = held(contract(), refund({**_MUG, "restock": "unknown"}))
    assert hold.reason is HoldReason.MAPPING
    assert "does not say whether the goods of line 7 went back into stock" in hold.detail


@pytest.mark.parametrize("other", [{"kind": "gift_card"}, {"kind": "custom"}, {"quantity": 0}])
def test_what_has_no_stock_never_goes_back_into_it(other: dict[str, Any]) -> None:
    """Money for a part of a line gives back no piece of it."""
    document = credited(contract(), refund({**_MUG, "restock": "unknown", **other}))
    assert document.restocked == ()
    assert sum(line.gross for line in document.lines) == D("23.80")


# ---- what belongs to no line ---------------------------------------------------------------------------------------


def test_fc_085_goodwill_goes_to_its_own_product_with_the_taxes_of_the_order() -> None:
    rules = contract(products={"goodwill": "GOODWILL"})
    document = credited(rules, refund(adjustment={"gross": "10.00"}, order_shares=_SHARES))
    assert [(line.role, line.product, line.gross, line.tax, line.taxes) for line in document.lines] == [
        (LineRole.GOODWILL, "GOODWILL", D("6.90"), D("1.10"), ("19 incl",)),
        (LineRole.GOODWILL, "GOODWILL", D("3.10"), D("0.20"), ("7 incl",)),
    ]


def test_fc_085_goodwill_without_tax_where_the_contract_says_so() -> None:
    rules = contract(products={"goodwill": "GOODWILL"}, refunds={"goodwill_tax": "untaxed"})
    (line,) = credited(rules, refund(adjustment={"gross": "10.00"}, order_shares=_SHARES)).lines
    assert (line.gross, line.tax, line.taxes) == (D("10.00"), D(0), ())


def test_fc_085_goodwill_without_a_product_is_held() -> None:
    hold = held(contract(), refund(adjustment={"gross": "10.00"}))
    assert (hold.reason, "name it under `products.goodwill`" in hold.detail) == (HoldReason.MAPPING, True)


def test_what_was_kept_of_the_goods_stands_below_zero() -> None:
    """A restocking fee: pieces for 23.80 came back, 20.00 were paid."""
    rules = contract(products={"kept": "KEPT"}, refunds={"goodwill_tax": "untaxed"})
    document = credited(rules, refund(_MUG, adjustment={"gross": "-3.80"}))
    assert [(line.role, line.gross) for line in document.lines] == [
        (LineRole.GOODS, D("23.80")),
        (LineRole.KEPT, D("-3.80")),
    ]
    assert document.total == D("20.00")


def test_goods_for_nothing_are_a_document_of_zero() -> None:
    rules = contract(products={"kept": "KEPT"})
    document = credited(rules, refund(_MUG, adjustment={"gross": "-23.80"}, order_shares=_SHARES))
    assert (document.total, document.restocked) == (D(0), (("7", D(2)),))


def test_duties_and_fees_are_credited_under_their_own_products() -> None:
    fee = {"id": "4", "title": "Wrap", "amount": {"gross": "2.38"}, "taxes": [{"rate_percent": "19"}]}
    document = credited(contract(), refund(_MUG, fees=[fee], duties="12.30"))
    assert [line.product for line in document.lines] == ["MUG", "FEE", "DUTY"]
    assert document.total == D("38.48")


# ---- money and dates -----------------------------------------------------------------------------------------------


def test_fc_031_two_currencies_never_stand_in_one_refund() -> None:
    given = refund(_MUG, shipping_lines=[_POST])
    given.shipping_lines[0].amount.gross.currency_code = "ISK"
    hold = held(contract(), given)
    assert (hold.reason, hold.detail) == (
        HoldReason.UNBALANCED,
        "shipping_lines.amount.gross is in ISK, the refund is in EUR",
    )


def test_fc_035_a_refund_is_in_the_currency_of_its_order() -> None:
    """However the rate has moved; gain and loss are the ERP's."""
    reference = {"to": "currency", "rows": {"USD": "base.USD"}}
    document = credited(contract(refunds={"currencies": reference}), refund(_MUG, currency_code="USD"))
    assert (document.currency, document.fields) == ("USD", {"currency": "base.USD"})


def test_fc_036_a_currency_that_the_erp_does_not_keep_is_held() -> None:
    assert held(contract(), refund(_MUG, currency_code="SEK")).reason is HoldReason.MAPPING


@pytest.mark.parametrize(("zone", "day"), [("Asia/Bangkok", date(2026, 11, 26)), ("UTC", date(2026, 11, 25))])
def test_fc_058_the_day_is_the_selling_entitys(zone: str, day: date) -> None:
    document = credited(contract(time_zone=zone), refund(_MUG, refunded_at="2026-11-25T23:50:00Z"))
    assert document.business_date == day


def test_fc_123_a_refund_without_an_amount_is_never_zero() -> None:
    given = refund(_MUG)
    given.ClearField("total")
    hold = held(contract(), given)
    assert (hold.reason, hold.detail) == (HoldReason.DATA, "the refund states no amount")


def test_a_cent_is_rounding_and_more_is_held() -> None:
    cent = credited(contract(), refund(_MUG, total="23.81"))
    assert [(line.role, line.gross) for line in cent.lines][-1] == (LineRole.ROUNDING, D("0.01"))
    hold = held(contract(), refund(_MUG, total="23.90"))
    assert hold.reason is HoldReason.UNBALANCED
    assert "the store's total is 23.90 EUR, the ERP would compute 23.80" in hold.detail


def test_a_wrong_tax_is_held_though_the_total_is_right() -> None:
    hold = held(contract(), refund({**_MUG, "amount": {"gross": "23.80", "tax": "1.00"}}))
    assert hold.reason is HoldReason.UNBALANCED
    assert "tax at 19 %: the store charged 1.00 EUR" in hold.detail


@pytest.mark.parametrize(
    ("broken", "words"),
    [
        (lambda given: given.ClearField("refunded_at"), "the refund has no date"),
        (lambda given: given.total.CopyFrom(money("EUR", D("-1"))), "the total is negative: -1"),
        (lambda given: given.lines[0].amount.tax.CopyFrom(money("EUR", D("9"))), "is not gross"),
        (lambda given: setattr(given.lines[0], "quantity", "-2"), "line 7 gives back -2 pieces"),
        (lambda given: setattr(given.lines[0], "quantity", "two"), "line 7: "),
        (lambda given: given.total.CopyFrom(money("EUR", D("23.805"))), "but EUR has 2 decimals"),
    ],
)
def test_what_cannot_be_computed_with_is_held(broken: Any, words: str) -> None:
    given = refund(_MUG)
    broken(given)
    assert words in held(contract(), given).detail


def test_header_rows_begin_at_the_refund() -> None:
    header = [{"to": "ref", "from": "order_number"}, {"to": "narration", "from": "reason"}]
    document = credited(contract(refunds={"header": header}), refund(_MUG, reason="broken"))
    assert document.fields == {"ref": "1042", "narration": "broken"}


def test_an_example_is_an_order_or_a_refund() -> None:
    neither = rules(examples=[{"name": "neither", "expect": {}}])
    with pytest.raises(ContractError, match="one of `order`, `refund`, `return`, `product` and `customer`"):
        parse_contract(neither, "test.yaml")


def test_an_example_of_a_refund_is_tried_when_the_contract_is_loaded() -> None:
    wrong = rules(examples=[{"name": "mugs", "refund": {"lines": [_MUG]}, "expect": {"total": "23.81"}}])
    with pytest.raises(ContractError, match=r"total is '23\.80'"):
        parse_contract(wrong, "test.yaml")
