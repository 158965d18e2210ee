"""The demo company holds everything that the example contracts refer to."""

import re
from decimal import Decimal
from pathlib import Path

import pytest

from simulators.odoo import Odoo

from .orders import Sold, loaded

_CONTRACTS = Path(__file__).resolve().parents[4] / "contracts"


@pytest.mark.parametrize("contract", ["woocommerce-odoo.yaml", "shopify-odoo.yaml"])
def test_every_reference_of_the_contracts_leads_somewhere(odoo: Odoo, contract: str) -> None:
    text = (_CONTRACTS / contract).read_text(encoding="utf-8")
    named = set(re.findall(r"\btallystick_demo\.\w+", text))
    assert len(named) > 20
    for external_id in named:
        assert odoo.id_of(external_id)
    products = re.search(r"^products:\n((?:  .+\n)+)", text, re.MULTILINE)
    assert products is not None
    codes = re.findall(r": ([A-Z]+)$", products[1], re.MULTILINE)
    codes += re.findall(r"Delivery Fee: ([A-Z-]+)", text)
    assert len(codes) >= 7
    for code in codes:
        assert len(odoo.act("product.product", "search", [["default_code", "=", code]])) == 1


def test_rates_and_currencies_are_what_their_names_say(odoo: Odoo) -> None:
    for rate, percent in (("2_6", "2.6"), ("8_1", "8.1"), ("25", "25"), ("0", "0")):
        order = loaded(odoo, rate, Sold(price="100", taxes=f"{rate}_excluded"))
        assert order.amount_tax == Decimal(percent)
    for code in ("thb", "eur", "usd", "jpy", "kwd", "gbp", "chf"):
        assert loaded(odoo, code, currency=code).currency == code.upper()


def test_it_rounds_as_the_contracts_say_unless_it_is_told_otherwise(odoo: Odoo) -> None:
    company = odoo.act("res.company", "read", [1], ["tax_calculation_rounding_method"])[0]
    assert company["tax_calculation_rounding_method"] == "round_per_line"
