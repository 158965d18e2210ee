"""Credit notes of the double, as 16.0 and 19.0 were measured."""

from decimal import Decimal
from typing import Any

import pytest

from simulators.odoo import Credit, Odoo, OdooError

from .orders import BUYER, MODULE, loaded, money, sums

_HEAD = ("id", "move_type", "partner_id/id", "currency_id/id", "ref", "invoice_date")
_LINE = ("id", "product_id", "quantity", "price_unit", "discount", "tax_ids/id")


def load(odoo: Odoo, key: str = "1", quantity: str = "2", price: str = "10") -> Any:
    head = [f"{MODULE}.cn_{key}", "out_refund", f"{MODULE}.{BUYER}", "base.EUR", f"R-{key}", "2026-11-20"]
    line = [f"{MODULE}.cnl_{key}", "MUG", quantity, price, "0", "tallystick_demo.tax_19_excluded"]
    columns = [*_HEAD, *(f"invoice_line_ids/{name}" for name in _LINE)]
    return odoo.act("account.move", "load", columns, [[*head, *line]], context={"tz": "UTC"})


def credit(odoo: Odoo, **parts: str) -> Credit:
    assert load(odoo, **parts)["ids"]
    return odoo.credits[-1]


def refused(odoo: Odoo, method: str, *ids: int) -> str:
    with pytest.raises(OdooError) as raised:
        odoo.act("account.move", method, list(ids))
    assert raised.value.name == "odoo.exceptions.UserError"
    return raised.value.message


def test_it_comes_to_what_the_order_came_to(odoo: Odoo) -> None:
    made = credit(odoo)
    assert (made.amount_untaxed, made.amount_tax, made.amount_total) == money("20", "3.8", "23.8")
    assert sums(loaded(odoo))[2] == Decimal("11.90")
    assert (made.state, made.ref, str(made.invoice_date)) == ("draft", "R-1", "2026-11-20")


def test_a_repeated_load_folds_into_one(odoo: Odoo) -> None:
    for quantity in ("2", "2", "3"):
        credit(odoo, quantity=quantity)
    assert [(len(one.lines), one.amount_total) for one in odoo.credits] == [(1, Decimal("35.7"))]


def test_it_gets_its_number_when_it_is_posted(odoo: Odoo) -> None:
    first, second = credit(odoo, key="1"), credit(odoo, key="2")
    assert first.name in ("", "/")
    assert odoo.act("account.move", "action_post", [second.id, first.id]) is False
    assert (second.name, first.name) == ("RINV/2026/00001", "RINV/2026/00002")


def test_a_second_posting_is_refused_and_takes_others_with_it(odoo: Odoo) -> None:
    first, second = credit(odoo, key="1"), credit(odoo, key="2")
    odoo.act("account.move", "action_post", [first.id])
    message = refused(odoo, "action_post", second.id, first.id)
    assert message.endswith("is already posted." if odoo.db.version == 16 else "must be in draft.")
    assert second.state == "draft"


def test_a_cancelled_one_is_posted_by_16_only(odoo: Odoo) -> None:
    made = credit(odoo)
    odoo.act("account.move", "button_cancel", [made.id])
    if odoo.db.version == 16:
        odoo.act("account.move", "action_post", [made.id])
    else:
        refused(odoo, "action_post", made.id)
    assert made.state == ("posted" if odoo.db.version == 16 else "cancel")


def test_what_is_posted_is_loaded_over_in_16_only(odoo: Odoo) -> None:
    """19 refuses it even with the same content, and takes the reference alone."""
    made = credit(odoo)
    odoo.act("account.move", "action_post", [made.id])
    answer = load(odoo, quantity="3")
    if odoo.db.version == 16:
        assert made.amount_total == Decimal("35.7")
    else:
        assert "readonly fields on a posted move" in answer["messages"][0]["message"]
        assert made.amount_total == Decimal("23.8")
    odoo.act("account.move", "load", ["id", "ref"], [[f"{MODULE}.cn_1", "other"]])
    assert made.ref == "other"


def test_nothing_and_less_than_nothing_cannot_be_posted(odoo: Odoo) -> None:
    made = credit(odoo, price="-10")
    assert "negative total" in refused(odoo, "action_post", made.id)
    odoo.act("account.move", "write", [made.id], {"invoice_line_ids": [[5, 0, 0]]})
    message = refused(odoo, "action_post", made.id)
    assert ("add a line" if odoo.db.version == 16 else "post nothing") in message


def test_a_draft_is_deleted_with_its_names_and_a_posted_one_is_not(odoo: Odoo) -> None:
    made = credit(odoo)
    odoo.act("account.move", "action_post", [made.id])
    refused(odoo, "unlink", made.id)
    odoo.act("account.move", "button_draft", [made.id])
    odoo.act("account.move", "unlink", [made.id])
    assert odoo.act("ir.model.data", "search", [["name", "like", "cn"], ["module", "=", MODULE]]) == []
    assert [entry.what for entry in odoo.journal.entries][-3:] == ["created", "posted", "deleted"]
