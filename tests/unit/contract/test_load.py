"""A contract is read word by word: what is wrong is told with its line, what was written and what is allowed."""

from pathlib import Path
from typing import Any

import pytest

from tallystick.contract.load import ContractError, load_contract, parse_contract
from tallystick.errors import SetupError
from tests.unit.contract.written import contract, rules

ROOT = Path(__file__).parents[3]
EXAMPLES = sorted((ROOT / "contracts").glob("*-*.yaml"))


def _findings(text: str) -> list[str]:
    with pytest.raises(ContractError) as caught:
        parse_contract(text, "shop.yaml")
    assert str(caught.value) == "\n".join(map(str, caught.value.findings))
    return [str(finding) for finding in caught.value.findings]


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_the_example_contracts_keep_their_own_examples(path: Path) -> None:
    assert load_contract(path).name == path.stem


def test_there_are_example_contracts() -> None:
    assert {path.stem for path in EXAMPLES} >= {"shopify-odoo", "woocommerce-odoo"}


MISTAKES: list[tuple[dict[str, Any], str]] = [
    ({"confrim": True}, "unknown key 'confrim'; allowed are arithmetic, bundles, confirm,"),
    ({"confrim": True}, "did you mean 'confirm'?"),
    ({"arithmetic": {"tax_rounding": "per_lines"}},
     "tax_rounding is 'per_lines'; allowed are 'per_line' or 'per_document'"),
    ({"arithmetic": {"round": 1}},
     "unknown key 'round'; allowed are line_rounding, price_decimals, rounding, tax_rounding, unrepresentable_price"),
    ({"time_zone": "Bangkok"}, "'Bangkok' is no IANA time zone"),
    ({"currencies": {"rows": {"BTC": "1"}}}, "the currency 'BTC' is not one of ISO 4217"),
    ({"arithmetic": {"price_decimals": 2}}, "price_decimals is 2, but KWD has 3 decimals"),
    ({"taxes": {"rates": {"VAT": {"included": "x"}}}}, "'VAT' is no rate in per cent"),
    ({"taxes": {"rates": {"7": {"included": "x"}, "7.0": {"included": "y"}}}}, "'7.0' and '7' are one rate"),
    ({"taxes": {"rates": {"7": {}}}}, "this tax has no code; fill `included`, `excluded` or both"),
    ({"taxes": {"basis": "included", "rates": {"7": {"excluded": "x"}}}}, "`included` is empty"),
    ({"header": [{"to": "ref", "from": "nubmer"}]}, "'nubmer' has no 'nubmer'; allowed are attributes, billing,"),
    ({"header": [{"to": "ref", "from": "nubmer"}]}, "did you mean 'number'?"),
    ({"header": [{"to": "ref", "from": "shipping.town"}]}, "'shipping.town' has no 'town'; allowed are city, company,"),
    ({"header": [{"to": "ref", "from": "number", "value": 1}]}, "'ref' needs either `from`"),
    ({"header": [{"to": "ref", "value": 1}, {"to": "ref", "value": 2}]}, "'ref' is filled twice"),
    ({"header": [{"to": "pricelist", "value": 1}]}, "'pricelist' is filled twice"),
    ({"header": [{"to": "ref", "from": "channel", "table": "chanel"}], "tables": {"channel": {"rows": {}}}},
     "there is no table 'chanel'; allowed are channel; did you mean 'channel'?"),
    ({"header": [{"to": "ref", "from": "number", "charset": "latin-0"}]}, "charset is 'latin-0'"),
    ({"header": [{"to": "ref", "from": "number", "max": 0}]}, "max is 0; input should be greater than"),
    ({"payments": {"gateways": {"card": "J"}}}, "the key 'to' is missing"),
    ({"payments": {"to": "journal"}}, "no payment could be booked; fill `gateways`, `gift_card` or `otherwise`"),
    ({"payments": {"to": "journal", "gateways": {"card": ""}}}, "card is empty; name where its payments are booked"),
    ({"payments": {"to": "journal", "gateways": {"card": {"by_currency": {}}}}}, "card is empty"),
    ({"payments": {"to": "journal", "gift_card": {"by_currency": {"BTC": "J"}}}}, "'BTC' is not one of ISO 4217"),
    ({"payments": {"to": "journal", "gateway": {}}},
     "unknown key 'gateway'; allowed are gateways, gift_card, otherwise, since, to"),
    ({"payments": {"to": "journal", "otherwise": "pass"}}, "'pass'; allowed are 'hold'"),
    ({"hold_risk": "some"}, "hold_risk is 'some'; allowed are 'never', 'medium' or 'high'"),
    ({"customer": {"limits": {"zip": 5}}}, "unknown field 'zip'; allowed are city, email, name, phone, postal_code"),
    ({"customer": {"tax_id": ["customer.vat"]}}, "'customer.vat' has no 'vat'"),
    ({"lines": [{"to": "x", "from": "currency_code"}]}, "'currency_code' has no 'currency_code'"),
    ({"examples": [{"name": "one", "order": {"lines": []}, "expect": {"total": 5}}]},
     "example 'one': total is '0.00', 5 was expected"),
    ({"examples": [{"name": "one", "order": {"sate": 1}, "expect": {}}]}, "example 'one' cannot be read: order has no"),
]  # fmt: skip


@pytest.mark.parametrize(("parts", "told"), MISTAKES)
def test_a_mistake_is_told_with_what_is_allowed(parts: dict[str, Any], told: str) -> None:
    found = _findings(rules(**parts))
    assert any(told in finding for finding in found), found


def test_every_mistake_is_told_at_once_each_with_its_line() -> None:
    text = (
        "contract: x\n"
        "version: one\n"
        "time_zone: UTC\n"
        "currencies: {to: p, rows: {}}\n"
        "taxes:\n"
        "  basis: sometimes\n"
        "  rates: {}\n"
        "colour: red\n"
    )
    lines = [finding.split(": ")[0] for finding in _findings(text)]
    assert lines == ["shop.yaml:2", "shop.yaml:6", "shop.yaml:8"]


def test_a_payment_without_a_place_is_told_at_its_own_line() -> None:
    text = rules() + "payments:\n  to: journal\n  gateways:\n    card: J-1\n    wallet: ''\n"
    (found,) = _findings(text)
    assert found.startswith(f"shop.yaml:{len(text.splitlines())}: wallet is empty")


def test_a_missing_key_is_named() -> None:
    assert "shop.yaml:1: the key 'currencies' is missing" in _findings("contract: x\n")
    assert len(_findings("")) == 5


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("contract: [", "shop.yaml:1: this is not YAML"),
        ("contract: a\ncontract: b\n", "shop.yaml:2: 'contract' is written twice, first in line 1"),
        ("a: &a [*a]\n", "this is nested too deeply"),
    ],
)
def test_what_is_no_clean_yaml_is_refused_with_its_line(text: str, told: str) -> None:
    assert any(told in finding for finding in _findings(text))


def test_a_rate_without_quotes_is_the_same_rate_and_norway_is_no_truth_value() -> None:
    text = rules(taxes={"rates": {}}).replace("rates: {}", "rates: {7.70: {included: i, excluded: e}}")
    parse_contract(text + "states: {NO: placed, 8: draft}\n", "shop.yaml")


def test_the_version_follows_the_rules_and_not_comments_or_examples() -> None:
    text = rules()
    example = "examples: [{name: e, order: {test: true}, expect: {not_eligible: TEST_ORDER}}]\n"
    assert parse_contract(text + "# a remark\n" + example, "x").version == contract().version
    assert contract(confirm=False).version != contract().version
    assert contract().version.startswith("1+")


def test_a_file_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        load_contract(tmp_path / "none.yaml")
    (tmp_path / "latin.yaml").write_bytes(b"contract: caf\xe9")
    with pytest.raises(SetupError, match="not UTF-8"):
        load_contract(tmp_path / "latin.yaml")
