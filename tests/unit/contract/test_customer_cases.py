"""Who stands on an order's document: named, anonymous, or masked; and what a contract may say of customers."""

from typing import Any

import pytest

from tallystick.contract.document import CustomerDocument
from tallystick.contract.load import ContractError, parse_contract
from tests.unit.contract.written import booked, contract, held, order, rules

_LINE = {"amount": {"gross": "10.00"}}
_ROAD = {"line1": "Markt 1", "city": "Kiel", "country_code": "DE"}


def customer(rules: dict[str, Any] | None = None, **parts: Any) -> CustomerDocument:
    return booked(contract(customer=rules or {}), order(_LINE, **parts)).customer


@pytest.mark.parametrize("buyer", [{}, {"kind": "anonymous", "name": "Somebody"}, {"kind": "person"}])
def test_fc_081_nobody_at_all_is_the_one_anonymous_customer(buyer: dict[str, Any]) -> None:
    found = customer(customer=buyer, billing=_ROAD)
    assert (found.key, found.name, found.street, found.email) == ("anonymous", "Online buyer", "", "")


def test_fc_081_or_holds_where_the_contract_says_so() -> None:
    assert "names no buyer" in held(contract(customer={"anonymous": "hold"}), order(_LINE)).detail


@pytest.mark.parametrize(
    "masked",
    [
        {"id": "9", "key": "9", "kind": "person", "name": "E*** B***", "email": "erika@shop.example"},
        {"kind": "person", "name": "Erika", "email": "e***@shop.example"},
    ],
)
def test_fc_082_a_masked_buyer_is_the_generic_customer(masked: dict[str, Any]) -> None:
    """Two of them would be one stranger, with or without an account in the store."""
    found = customer(customer=masked, billing={**_ROAD, "name": "E*** B***", "phone": "+49*****1"})
    assert (found.key, found.name, found.phone, found.street) == ("anonymous", "Online buyer", "", "")


def test_fc_082_what_is_masked_of_a_named_buyer_is_left_out() -> None:
    buyer = {"id": "9", "key": "9", "kind": "person", "name": "Erika Beispiel", "phone": "+49*****1"}
    found = customer(customer=buyer, billing={**_ROAD, "line1": "M****", "postal_code": "2****"})
    assert (found.key, found.name, found.phone, found.street, found.postal_code) == ("9", "Erika Beispiel", "", "", "")
    assert found.city == "Kiel"
    assert not any("*" in str(value) for value in (found.name, found.email, found.phone, found.street, found.city))


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ({"match": ["phone"]}, "'phone'; allowed are 'account_number'"),
        ({"which": "some"}, "which"),
        ({"owned_by_erp": ["credit_limit"]}, "'credit_limit'; allowed are 'name'"),
        ({"fields": [{"to": "x", "from": "customer.name", "currency": "EUR"}]}, "no amount of money"),
        ({"fields": [{"to": "x", "from": "customer.company.credit_limit", "currency": "EURO"}]}, "EURO"),
    ],
)
def test_what_a_contract_may_not_say(part: dict[str, Any], words: str) -> None:
    with pytest.raises(ContractError, match=words):
        parse_contract(rules(customer=part), "test.yaml")
