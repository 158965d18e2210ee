"""The failure catalogue's cases of tax and rounding, FC-014 to FC-030, from the canonical order to the ERP's total."""

from decimal import Decimal

from tallystick.contract.document import Hold, LineRole
from tallystick.reasons import HoldReason
from tests.unit.contract.written import booked, contract, held, order


def _five(*amounts: str) -> list[dict[str, object]]:
    return [{"id": str(n), "amount": {"gross": gross, "tax": 0}} for n, gross in enumerate(amounts, 1)]


def test_fc_014_the_whole_tax_on_line_1_is_shared_by_each_lines_own_base() -> None:
    """Three lines of 395.00 less 59.00 at 5 % inside, 53.62 of tax reported on the first."""
    first, *others = _five("375.33", "375.33", "375.34")
    first |= {"amount": {"gross": "375.33", "tax": "53.62"}, "taxes": [{"rate_percent": "5", "amount": "53.62"}]}
    others = [line | {"taxes": [{"rate_percent": "5", "amount": "0.00"}]} for line in others]
    document = booked(contract(), order(first, *others))
    assert document.total == Decimal("1126.00")
    assert [line.tax for line in document.lines] == [Decimal("17.87"), Decimal("17.87"), Decimal("17.88")]
    assert sum(line.net for line in document.lines) == Decimal("1072.38")
    assert {line.taxes for line in document.lines} == {("5 incl",)}
    assert any("its own share" in note for note in document.notes)


def test_fc_014_lines_that_state_no_tax_at_all_get_their_share_too() -> None:
    first, *others = _five("375.33", "375.33", "375.34")
    first |= {"amount": {"gross": "375.33", "tax": "53.62"}, "taxes": [{"rate_percent": "5"}]}
    document = booked(contract(), order(first, *others))
    assert {line.rates for line in document.lines} == {(Decimal(5),)}


def test_fc_014_a_tax_that_no_sharing_explains_is_held() -> None:
    first, *others = _five("375.33", "375.33", "375.34")
    first |= {"amount": {"gross": "375.33", "tax": "40.00"}, "taxes": [{"rate_percent": "5"}]}
    hold = held(contract(), order(first, *others))
    assert hold.reason is HoldReason.UNBALANCED
    assert "the store charged 40.00 EUR, the ERP would compute 17.87" in hold.detail


def test_fc_015_what_was_paid_wins_and_the_cent_stands_on_a_line_of_its_own() -> None:
    """35.71 goods and 3.13 shipping at 12 %: the lines' taxes make 4.67, the shop shows and charges 4.66."""
    sold = order(
        {"amount": {"net": "35.71"}, "taxes": [{"rate_percent": "12"}]},
        shipping_lines=[{"id": 7, "amount": {"net": "3.13"}, "taxes": [{"rate_percent": "12"}]}],
        tax_basis="excluded",
        totals={"tax": "4.66"},
    )
    document = booked(contract(), sold)
    assert document.total == Decimal("43.50")
    assert [(line.role, line.unit_price) for line in document.lines][-1] == (LineRole.ROUNDING, Decimal("-0.01"))


def test_fc_015_a_header_that_contradicts_itself_is_refused_by_policy() -> None:
    sold = order(
        {"amount": {"net": "35.71"}, "taxes": [{"rate_percent": "12"}]},
        tax_basis="excluded",
        totals={"tax": "4.29", "total": "39.99"},
    )
    hold = held(contract(), sold)
    assert hold.reason is HoldReason.UNBALANCED
    assert "a difference of -0.01" in hold.detail


def test_fc_016_the_total_paid_is_booked_and_the_cent_is_located() -> None:
    sold = order(
        {"amount": {"net": "54.17"}, "unit_price": "54.1666667", "taxes": [{"rate_percent": "20"}]},
        {"amount": {"net": "41.67"}, "unit_price": "41.6666667", "taxes": [{"rate_percent": "20"}]},
        tax_basis="excluded",
        totals={"tax": "19.17"},
    )
    document = booked(contract(), sold)
    assert document.total == Decimal("115.01")
    assert document.lines[-1].unit_price == Decimal("0.01")
    assert any("the ERP would compute 115.00" in note and "add up to 115.00" in note for note in document.notes)


_FC_017 = [
    {"amount": {"net": net, "tax": tax}, "taxes": [{"rate_percent": "8"}]}
    for net, tax in (("15.38", "1.23"), ("1.00", "0.08"), ("4.13", "0.33"), ("12.13", "0.97"), ("0.75", "0.06"))
]


def test_fc_017_two_cents_of_tax_are_rounding_within_the_bound() -> None:
    document = booked(contract(), order(*_FC_017, tax_basis="excluded", totals={"tax": "2.69"}))
    assert document.lines[-1].unit_price == Decimal("0.02")
    assert document.total == Decimal("33.39") + Decimal("2.69")


def test_fc_017_above_the_bound_they_are_held() -> None:
    rules = contract(rounding={"per_part": 1, "at_most": 1})
    hold = held(rules, order(*_FC_017, tax_basis="excluded", totals={"tax": "2.69"}))
    assert hold.reason is HoldReason.UNBALANCED
    assert "the taxes make 2.67, the order states 2.69; rounding may explain at most 0.01" in hold.detail


def test_fc_018_and_fc_128_tax_rounded_half_down_or_half_up_reconciles_in_both_bases() -> None:
    """2.875 of tax inside 26.45 or on 23.575: the shop says 2.87 or 2.88, its stated tax is the truth."""
    for stated in ("3.45", "3.44"):
        line = {"amount": {"gross": "26.45", "tax": stated}, "taxes": [{"rate_percent": "15"}]}
        for basis in ("included", "excluded"):
            rules = contract(taxes={"basis": basis, "rates": {"15": {"included": "i", "excluded": "e"}}})
            assert booked(rules, order(line)).total == Decimal("26.45")


def test_fc_018_a_target_that_rounds_half_down_is_predicted_as_it_rounds() -> None:
    sold = order({"amount": {"net": "28.75", "tax": "2.87"}, "taxes": [{"rate_percent": "10"}]}, tax_basis="excluded")
    document = booked(contract(arithmetic={"rounding": "half_down"}), sold)
    assert [line.role for line in document.lines] == [LineRole.GOODS]
    assert booked(contract(), sold).lines[-1].unit_price == Decimal("-0.01")


def test_fc_019_the_line_is_the_truth_not_a_unit_price_of_many_digits() -> None:
    sold = order({"quantity": 10, "unit_price": "14.309999999", "amount": {"gross": "143.10", "net": "143.10"}})
    (line,) = booked(contract(), sold).lines
    assert (line.quantity, line.unit_price) == (Decimal(10), Decimal("14.31"))


def test_fc_020_shipping_with_tax_inside_is_split_like_goods() -> None:
    sold = order(
        {"amount": {"gross": "105.00"}, "taxes": [{"rate_percent": "5"}]},
        shipping_lines=[{"id": 1, "amount": {"gross": "10.50"}, "taxes": [{"rate_percent": "5"}]}],
    )
    for basis, price in (("included", "10.50"), ("excluded", "10.00")):
        shipping = booked(contract(taxes={"basis": basis}), sold).lines[1]
        assert (shipping.unit_price, shipping.net, shipping.tax) == (Decimal(price), Decimal("10.00"), Decimal("0.50"))


def test_fc_021_a_discount_before_tax_gives_88_not_90() -> None:
    sold = order(
        {"amount": {"net": "80.00"}, "discount": "20.00", "taxes": [{"rate_percent": "10"}]},
        tax_basis="excluded",
        discounts=[{"code": "TWENTY", "basis": "net", "amount": "20.00"}],
    )
    for basis in ("as_store", "included", "excluded"):
        assert booked(contract(taxes={"basis": basis}), sold).total == Decimal("88.00")


def test_fc_022_a_gross_voucher_of_75_on_85_leaves_10_and_nothing_negative() -> None:
    sold = order({"amount": {"gross": "10.00"}, "discount": "75.00", "taxes": [{"rate_percent": "19"}]})
    document = booked(contract(), sold)
    assert document.total == Decimal("10.00")
    assert all(line.unit_price > 0 for line in document.lines)


def test_fc_022_a_negative_total_is_held() -> None:
    hold = held(contract(), order({"amount": {"gross": "-4.25", "net": "-4.25"}}))
    assert hold == Hold(HoldReason.UNBALANCED, "the total is negative: -4.25 EUR")


def test_fc_023_tax_added_again_on_prices_that_contain_it_is_refused() -> None:
    twice = {"amount": {"net": "69.00", "tax": "13.11"}, "taxes": [{"rate_percent": "19"}]}
    hold = held(contract(), order(twice, totals={"total": "69.00"}))
    assert hold.reason is HoldReason.UNBALANCED
    assert "make 82.11 EUR, the total is 69.00" in hold.detail


def test_fc_024_three_for_ten_keeps_its_total_by_each_policy() -> None:
    sold = order({"quantity": 3, "amount": {"gross": "10.00"}, "taxes": [{"rate_percent": "7"}]})

    def lines(**arithmetic: object) -> list[tuple[str, str, str]]:
        document = booked(contract(arithmetic=arithmetic, currencies={"rows": {"EUR": "e"}}), sold)
        assert document.total == Decimal("10.00")
        assert sum(line.tax for line in document.lines) == Decimal("0.65")
        return [(line.key, f"{line.quantity}", f"{line.unit_price}") for line in document.lines]

    assert lines(price_decimals=6) == [("1", "3", "3.333333")]
    assert lines(price_decimals=2, unrepresentable_price="split") == [("1", "2", "3.33"), ("1-split", "1", "3.34")]
    rest = [("1", "3", "3.33"), ("1-rounding", "1", "0.01")]
    assert lines(price_decimals=2, unrepresentable_price="rounding_line") == rest


def test_fc_024_cloth_by_the_metre_cannot_be_split_into_pieces() -> None:
    sold = order({"quantity": "1.5", "amount": {"gross": "10.00"}, "taxes": [{"rate_percent": "7"}]})
    rules = contract(
        arithmetic={"price_decimals": 2, "unrepresentable_price": "split"}, currencies={"rows": {"EUR": "e"}}
    )
    assert [line.key for line in booked(rules, sold).lines] == ["1", "1-rounding"]


def test_fc_025_two_rates_and_an_untaxed_line_keep_their_bases_and_taxes() -> None:
    sold = order(
        {"amount": {"gross": "1080"}, "taxes": [{"rate_percent": "8"}]},
        {"amount": {"gross": "540"}, "taxes": [{"rate_percent": "8"}]},
        {"amount": {"gross": "2200"}, "taxes": [{"rate_percent": "10"}]},
        {"amount": {"gross": "300", "net": "300"}},
        currency_code="JPY",
    )
    document = booked(contract(), sold)
    by_tax = {line.taxes: Decimal(0) for line in document.lines}
    for line in document.lines:
        by_tax[line.taxes] += line.tax
    assert by_tax == {("8 incl",): 120, ("10 incl",): 200, (): 0}


def test_fc_025_canadian_taxes_stand_together_on_one_line() -> None:
    taxes = [{"rate_percent": "5"}, {"rate_percent": "9.975"}]
    sold = order({"amount": {"net": "100.00", "tax": "14.98"}, "taxes": taxes}, tax_basis="excluded")
    assert booked(contract(), sold).lines[0].taxes == ("5 excl", "9.975 excl")
    together = {"rates": {"9.975 + 5": {"excluded": "gst+qst"}}}
    assert booked(contract(taxes=together), sold).lines[0].taxes == ("gst+qst",)


def test_fc_025_a_compound_tax_needs_a_row_of_its_own_and_is_predicted_on_the_tax_before_it() -> None:
    taxes = [{"rate_percent": "5"}, {"rate_percent": "8", "compound": True}]
    sold = order({"amount": {"net": "100.00", "tax": "13.40"}, "taxes": taxes}, tax_basis="excluded")
    assert held(contract(), sold).reason is HoldReason.MAPPING
    document = booked(contract(taxes={"rates": {"5+8c": {"excluded": "both"}}}), sold)
    assert document.lines[0].rates == (Decimal(5), Decimal("8.40"))


def test_fc_026_a_target_that_cuts_fractions_gets_a_second_line_of_the_same_tax() -> None:
    """5 at 66.7 are 333.5: the shop charges 334, the ERP would book 333."""
    sold = order({"quantity": 5, "amount": {"net": "334"}, "taxes": [{"rate_percent": "10"}]}, currency_code="JPY")
    rules = contract(
        taxes={"basis": "excluded"},
        arithmetic={"price_decimals": 1, "line_rounding": "down", "unrepresentable_price": "rounding_line"},
        currencies={"rows": {"JPY": "y"}},
    )
    document = booked(rules, sold)
    assert [line.unit_price for line in document.lines] == [Decimal("66.8")]
    cut = order({"quantity": 7, "amount": {"net": "334"}, "taxes": [{"rate_percent": "10"}]}, currency_code="JPY")
    first, second = booked(rules, cut).lines
    assert (first.unit_price, second.unit_price, second.taxes) == (Decimal("47.7"), Decimal(1), first.taxes)
    assert "has no unit price in the ERP" in booked(rules, cut).notes[0]


def test_fc_027_tax_once_per_document_is_predicted_and_absorbed() -> None:
    """Three lines of 1.15 at 10 %: 0.12 each in the shop, 0.35 in one rounding."""
    lines = [{"amount": {"net": "1.15"}, "taxes": [{"rate_percent": "10"}]}] * 3
    rules = contract(arithmetic={"tax_rounding": "per_document"})
    document = booked(rules, order(*lines, tax_basis="excluded"))
    assert (document.total, document.lines[-1].unit_price) == (Decimal("3.81"), Decimal("0.01"))
    assert len(booked(contract(), order(*lines, tax_basis="excluded")).lines) == 3


_DELIVERY = {
    "amount": {"net": "100.00", "tax": "7.28"},
    "taxes": [{"rate_percent": "7", "amount": "7.00"}, {"title": "Retail Delivery Fee", "amount": "0.28"}],
}


def test_fc_028_a_delivery_fee_among_the_taxes_is_booked_as_a_fee_by_rule() -> None:
    rules = contract(taxes={"as_fees": {"Retail Delivery Fee": "RDF"}})
    goods, fee = booked(rules, order(_DELIVERY, tax_basis="excluded")).lines
    assert (goods.tax, goods.taxes) == (Decimal("7.00"), ("7 excl",))
    assert (fee.role, fee.product, fee.unit_price, fee.taxes) == (LineRole.FEE, "RDF", Decimal("0.28"), ())


def test_fc_028_an_unknown_title_among_the_taxes_is_held() -> None:
    hold = held(contract(), order(_DELIVERY, tax_basis="excluded"))
    assert hold.reason is HoldReason.MAPPING
    assert "'Retail Delivery Fee'" in hold.detail


def test_fc_029_an_exempt_company_gets_the_zero_rate_and_its_tax_id() -> None:
    buyer = {"id": 9, "kind": "company", "tax_exempt": True, "company": {"name": "Nord", "tax_id": "DE123456789"}}
    taxes = [{"rate_percent": "19", "amount": "0.00"}]
    sold = order({"amount": {"net": "84.03", "tax": 0}, "taxes": taxes}, customer=buyer)
    document = booked(contract(taxes={"exempt": "VAT 0 %"}), sold)
    assert document.lines[0].taxes == ("VAT 0 %",)
    assert (document.total, document.customer.tax_id) == (Decimal("84.03"), "DE123456789")


def test_fc_029_a_line_without_tax_carries_none() -> None:
    (line,) = booked(contract(), order({"amount": {"net": "10.00", "gross": "10.00"}})).lines
    assert (line.taxes, line.rates) == ((), ())


def test_fc_030_the_stated_rate_decides_however_the_amounts_round() -> None:
    """0.19 on 0.90 would be 21.1 %; the store says 21."""
    sold = order({"amount": {"net": "0.90", "tax": "0.19"}, "taxes": [{"rate_percent": "21.00"}]}, tax_basis="excluded")
    assert booked(contract(), sold).lines[0].taxes == ("21 excl",)


def test_fc_030_a_rate_that_the_table_does_not_know_is_held_with_the_rates_that_it_knows() -> None:
    sold = order({"amount": {"net": "100.00"}, "taxes": [{"rate_percent": "21.11"}]})
    hold = held(contract(), sold)
    assert hold.reason is HoldReason.MAPPING
    assert "the tax 21.11 % (prices with tax included) has no row in the contract; there are 0, 5, 7" in hold.detail


def test_the_stores_own_code_wins_over_the_rate() -> None:
    codes = {"JP-REDUCED": {"rate": 8, "included": "reduced"}}
    sold = order({"amount": {"gross": "108.00", "tax": "8.00"}, "taxes": [{"code": "JP-REDUCED"}]})
    assert booked(contract(taxes={"codes": codes}), sold).lines[0].taxes == ("reduced",)
