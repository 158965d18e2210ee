"""The preview: the canonical order, the document, the proof, or why it would be held; it calls nobody."""

import json
from typing import Any

from tallystick.canonical import written
from tallystick.contract.preview import Preview, preview
from tallystick.v1 import event_pb2, order_pb2
from tests.unit.contract.written import contract, order

_LINE = {"sku": "MUG", "quantity": 3, "amount": {"gross": "321.00"}, "taxes": [{"rate_percent": "7"}]}


def _preview(sold: order_pb2.Order, *findings: event_pb2.Finding, **parts: Any) -> Preview:
    found = preview(sold, contract(**parts), findings)
    assert json.loads(json.dumps(found.body)) == found.body
    assert set(found.body) == {"canonical", "document", "balance", "unresolved", "held", "parts"}
    return found


def test_an_order_that_balances() -> None:
    found = _preview(order(_LINE))
    assert found.exit_code == 0
    assert found.body["held"] is None
    assert found.body["balance"] == {
        "store_total": "321.00",
        "document_total": "321.00",
        "difference": "0.00",
        "currency": "EUR",
    }
    assert found.body["canonical"]["currencyCode"] == "EUR"
    (line,) = found.body["document"]["lines"]
    assert (line["product"], line["quantity"], line["unit_price"], line["taxes"]) == ("MUG", "3", "107.00", ["7 incl"])
    assert found.body["document"]["business_date"] == "2026-11-20"


def test_what_only_the_erp_knows_is_listed_and_holds_nothing() -> None:
    unresolved = _preview(order(_LINE)).body["unresolved"]
    assert [(item["kind"], item["value"]) for item in unresolved] == [("product", "MUG"), ("customer", "anonymous")]


def test_a_rate_without_a_row_is_listed_and_the_balance_is_proved_all_the_same() -> None:
    unknown = _LINE | {"taxes": [{"rate_percent": "23"}]}
    for basis in ("included", "excluded"):
        found = _preview(order(unknown, currency_code="SEK"), taxes={"basis": basis})
        kinds = [(item["kind"], item["value"]) for item in found.body["unresolved"]]
        assert ("tax", "23") in kinds
        assert ("currency", "SEK") in kinds
        assert (found.exit_code, found.body["balance"]["difference"]) == (0, "0.00")


def test_a_tax_without_a_rate_is_listed_and_the_stores_amount_proves_the_balance() -> None:
    line = {"amount": {"net": "10.00", "tax": "1.23"}, "taxes": [{"title": "Levy", "amount": "1.23"}]}
    found = _preview(order(line, tax_basis="excluded"))
    assert (found.exit_code, found.body["balance"]["document_total"]) == (0, "11.23")


def test_an_order_that_does_not_add_up_shows_both_totals() -> None:
    found = _preview(order(_LINE, totals={"total": "322.00"}))
    assert (found.exit_code, found.body["held"]["reason"]) == (3, "UNBALANCED")
    assert found.body["balance"]["store_total"] == "322.00"
    assert found.body["balance"]["document_total"] == "321.00"
    assert found.body["balance"]["difference"] == "-1.00"


def test_an_order_that_cannot_be_computed_with_has_no_document() -> None:
    sold = order(_LINE)
    sold.lines[0].amount.net.currency_code = "USD"
    found = _preview(sold)
    assert (found.exit_code, found.body["document"]) == (3, None)
    assert found.body["balance"] == {
        "store_total": "321.00",
        "document_total": None,
        "difference": None,
        "currency": "EUR",
    }


def test_an_order_without_readable_totals_still_has_an_answer() -> None:
    sold = order_pb2.Order(connection="shop", id="1", state=order_pb2.ORDER_STATE_PLACED, currency_code="BTC")
    found = _preview(sold)
    assert (found.exit_code, found.body["balance"]["store_total"]) == (3, None)


def test_an_order_that_is_not_for_the_erp_says_why() -> None:
    found = _preview(order(_LINE, state="draft"))
    assert (found.exit_code, found.body["held"]["reason"]) == (3, "DRAFT")


def test_what_the_adapter_found_holds_the_order() -> None:
    finding = event_pb2.Finding(reason="EDIT_OR_REFUND_UNCLEAR", detail="line 1 was 2, is 1")
    found = _preview(order(_LINE), finding)
    assert (found.exit_code, found.body["held"]) == (
        3,
        {"reason": "EDIT_OR_REFUND_UNCLEAR", "detail": "line 1 was 2, is 1"},
    )


_BACK = {"line_id": "1", "kind": "goods", "restock": "no", **_LINE, "quantity": 1, "amount": {"gross": "107.00"}}


def _with_refund(*findings: event_pb2.Finding, **parts: Any) -> Preview:
    back = written.refund({"id": "R1", "lines": [_BACK], **parts})
    event = event_pb2.Event(type=event_pb2.ENTITY_TYPE_REFUND, object_id="R1", refund=back, findings=findings)
    return preview(order(_LINE), contract(), parts=[event])


def test_a_refund_of_the_order_is_shown_beside_it() -> None:
    found = _with_refund()
    (part,) = found.body["parts"]
    assert (found.exit_code, part["type"], part["id"], part["held"]) == (0, "refund", "R1", None)
    assert part["balance"] == {
        "store_total": "107.00",
        "document_total": "107.00",
        "difference": "0.00",
        "currency": "EUR",
    }
    assert [line["product"] for line in part["document"]["lines"]] == ["MUG"]


def test_a_refund_that_would_be_held_says_why() -> None:
    finding = event_pb2.Finding(reason="UNBALANCED", detail="122.00 of 107.00")
    found = _with_refund(finding)
    assert (found.exit_code, found.body["parts"][0]["held"]) == (
        3,
        {"reason": "UNBALANCED", "detail": "122.00 of 107.00"},
    )
    unmapped = _with_refund(currency_code="SEK").body["parts"][0]
    assert (unmapped["document"], unmapped["held"]["reason"]) == (None, "MAPPING")
    assert _with_refund(order_cancelled=True).body["parts"][0]["held"]["reason"] == "ORDER_CANCELLED"
