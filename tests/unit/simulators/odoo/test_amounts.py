"""Odoo's own arithmetic: taxes inside and on top, rounded per line or per document, in every currency."""

from decimal import Decimal

import pytest

from simulators.odoo import Odoo

from .orders import Sold, load, loaded, money, sums


def round_globally(odoo: Odoo) -> None:
    odoo.act("res.company", "write", [1], {"tax_calculation_rounding_method": "round_globally"})


def test_one_order_mixes_taxes_inside_and_on_top(odoo: Odoo) -> None:
    order = loaded(
        odoo,
        "1",
        Sold(quantity="3", price="1070", taxes="7_included", discount="10"),
        Sold(quantity="2", price="1000", taxes="7_excluded"),
        Sold("SHIPPING", price="53.50", taxes="7_included"),
        currency="thb",
    )
    assert [(line.price_subtotal, line.price_tax) for line in order.lines] == [
        money("2700.00", "189.00"),
        money("2000.00", "140.00"),
        money("50.00", "3.50"),
    ]
    assert sums(order) == money("4750.00", "332.50", "5082.50")
    assert order.currency == "THB"


def test_yen_by_both_roundings(odoo: Odoo) -> None:
    """FC-033: whatever is computed, what stands in the document has no decimals."""
    lines = [Sold(quantity="3", price="333", taxes="10_included")] * 2
    assert sums(loaded(odoo, "1", *lines, currency="jpy")) == money("1816", "182", "1998")
    round_globally(odoo)
    order = loaded(odoo, "2", *lines, currency="jpy")
    assert sums(order) == money("1816", "182", "1998")
    assert [str(line.price_subtotal) for line in order.lines] == ["908", "908"]


def test_fractions_of_a_yen_are_rounded_away(odoo: Odoo) -> None:
    """FC-033: a store that did not round its tax sends 2604.67."""
    order = loaded(odoo, "1", Sold(price="2604.67", taxes=""), currency="jpy")
    assert sums(order) == money("2605", "0", "2605")
    assert order.amount_total.as_tuple().exponent == 0


def test_dinars_have_three_decimals(odoo: Odoo) -> None:
    """The sums have them in both versions; the price of a piece only in 19, where it is kept as it comes."""
    order = loaded(odoo, "1", Sold(quantity="3", price="1.234", taxes="5_excluded"), currency="kwd")
    if odoo.settings.major == 16:
        assert sums(order) == money("3.690", "0.185", "3.875")
    else:
        assert sums(order) == money("3.702", "0.185", "3.887")


def test_a_price_keeps_its_decimals_only_in_19(odoo: Odoo) -> None:
    order = loaded(odoo, "1", Sold(quantity="3", price="3.333333", taxes=""))
    cut = odoo.settings.major == 16
    assert order.lines[0].price_unit == Decimal("3.33" if cut else "3.333333")
    assert order.amount_total == Decimal("9.99" if cut else "10.00")


def test_quantities_and_discounts_keep_two_decimals(odoo: Odoo) -> None:
    line = loaded(odoo, "1", Sold(quantity="1.005", price="100", taxes="", discount="33.3333")).lines[0]
    assert (line.quantity, line.discount, line.price_total) == money("1.01", "33.33", "67.34")


def test_tax_of_each_line_or_of_the_document(odoo: Odoo) -> None:
    """Three lines of 0.33 with 19 %: 3 x 0.06, or once 0.19."""
    lines = [Sold(price="0.33", taxes="19_excluded")] * 3
    assert sums(loaded(odoo, "1", *lines)) == money("0.99", "0.18", "1.17")
    round_globally(odoo)
    assert sums(loaded(odoo, "2", *lines)) == money("0.99", "0.19", "1.18")


def test_odoo_19_sums_exact_nets_per_document(odoo_16: Odoo, odoo_19: Odoo) -> None:
    """12.12 x 12.12 at 20 % twice: 146.8944 each, together 293.7888."""
    lines = [Sold(quantity="12.12", price="12.12", taxes="20_excluded")] * 2
    for odoo, expected in ((odoo_16, ("293.78", "58.76", "352.54")), (odoo_19, ("293.79", "58.76", "352.55"))):
        round_globally(odoo)
        order = loaded(odoo, "1", *lines)
        assert sums(order) == money(*expected)
        assert [line.price_subtotal for line in order.lines] == [Decimal("146.89")] * 2


def test_prices_with_tax_inside_keep_their_sum(odoo: Odoo) -> None:
    """21.53 with 20 % inside, three times: the buyer's 64.59, whatever is net and whatever tax."""
    lines = [Sold(price="21.53", taxes="20_included")] * 3
    for key in ("1", "2"):
        order = loaded(odoo, key, *lines)
        assert order.amount_total == Decimal("64.59")
        round_globally(odoo)


def test_half_a_cent_goes_to_the_net_in_16_and_to_the_tax_in_19(odoo_16: Odoo, odoo_19: Odoo) -> None:
    """0.15 with 20 % inside is 0.125 and 0.025."""
    assert sums(loaded(odoo_16, "1", Sold(price="0.15", taxes="20_included"))) == money("0.13", "0.02", "0.15")
    assert sums(loaded(odoo_19, "1", Sold(price="0.15", taxes="20_included"))) == money("0.12", "0.03", "0.15")


def test_several_taxes_on_one_line(odoo: Odoo) -> None:
    order = loaded(odoo, "1", Sold(price="100", taxes="5_excluded,8_excluded"))
    assert sums(order) == money("100.00", "13.00", "113.00")
    order = loaded(odoo, "2", Sold(price="113", taxes="5_included,8_included"))
    assert sums(order) == money("100.00", "13.00", "113.00")
    order = loaded(odoo, "3", Sold(price="107", taxes="7_included,10_excluded"))
    assert sums(order) == money("100.00", "17.00", "117.00")


def test_an_untaxed_line_and_a_discount_line(odoo: Odoo) -> None:
    order = loaded(odoo, "1", Sold(price="24", taxes=""), Sold(price="-5", taxes="19_excluded"))
    assert sums(order) == money("19.00", "-0.95", "18.05")


@pytest.mark.parametrize("sign", ["", "-"])
def test_halves_round_away_from_zero(odoo: Odoo, sign: str) -> None:
    order = loaded(odoo, "1", Sold(quantity="0.5", price=f"{sign}0.25", taxes=""))
    assert order.amount_total == Decimal(f"{sign}0.13")


def test_a_line_of_a_product_alone_takes_everything_from_it(odoo: Odoo) -> None:
    """Name, unit, default tax, and the pricelist's price."""
    product = odoo.act("product.product", "search", [["default_code", "=", "MUG"]])[0]
    pricelist = odoo.id_of("tallystick_demo.pricelist_thb")
    rule = {"pricelist_id": pricelist, "product_id": product, "fixed_price": 999.0, "min_quantity": 1}
    odoo.act("product.pricelist.item", "create", rule)
    partner = odoo.partners[0].id
    lines = [(0, 0, {"product_id": product, "product_uom_qty": 1})]
    for one in (pricelist, odoo.id_of("tallystick_demo.pricelist_usd")):
        odoo.act("sale.order", "create", {"partner_id": partner, "order_line": lines, "pricelist_id": one})
    thb, other = (order.lines[0] for order in odoo.orders)
    assert thb.price_unit == 999
    assert (thb.name, thb.taxes) == ("[MUG] Mug", ("tallystick_demo.tax_19_excluded",))
    assert other.price_unit == Decimal("12.90")
    unit = "product_uom" if odoo.settings.major == 16 else "product_uom_id"
    assert odoo.act("sale.order.line", "read", [thb.id], [unit])[0][unit] == [1, "Units"]


def test_another_pricelist_changes_the_currency_not_the_prices(odoo: Odoo) -> None:
    loaded(odoo, "1", Sold(price="10.55", taxes=""))
    assert load(odoo, ("1", [Sold(price="10.55", taxes="")]), currency="jpy")["messages"] == []
    order = odoo.orders[0]
    assert (order.currency, str(order.amount_total)) == ("JPY", "11")
