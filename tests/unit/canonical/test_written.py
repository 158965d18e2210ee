"""Orders written by hand: what follows from the rest may be left out, and mistakes name their place."""

from decimal import Decimal
from typing import Any

import pytest

from tallystick.canonical.money import amount
from tallystick.canonical.written import order
from tallystick.errors import Unreadable
from tallystick.v1 import customer_pb2, order_pb2


def test_what_is_left_out_is_computed() -> None:
    built = order(
        {
            "lines": [{"sku": "A", "quantity": 2, "amount": {"gross": "107.00"}, "taxes": [{"rate_percent": 7}]}],
            "fees": [{"amount": {"net": "1.00", "tax": "0.07"}}],
            "customer": {"kind": "company", "tags": ["vip"]},
            "attributes": {"vat": 12},
        }
    )
    assert (built.state, built.lines[0].id, built.lines[0].quantity.ordered) == (3, "1", "2")
    assert amount(built.lines[0].amount.net) == Decimal("100.00")
    assert amount(built.totals.total) == Decimal("108.07")
    assert built.customer.kind == customer_pb2.CUSTOMER_KIND_COMPANY
    assert ([*built.customer.tags], built.attributes["vat"]) == (["vip"], "12")
    assert built.state == order_pb2.ORDER_STATE_PLACED


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ({"nubmer": 1}, "order has no field 'nubmer'"),
        ({"state": "paid"}, "order.state is 'paid'; allowed are draft, pending, placed, cancelled, failed"),
        ({"lines": {"sku": "A"}}, "order.lines is {'sku': 'A'}; a list is expected"),
        ({"lines": [{"sku": "A"}]}, "order.lines.0 has no amount"),
        ({"totals": 5}, "order.totals is 5; a group of fields is expected"),
        ({"attributes": "x"}, "order.attributes is 'x'; a group of fields is expected"),
        ({"totals": {"total": "a lot"}}, "'a lot' is not a decimal number"),
        ({"placed_at": "today"}, "no date and time"),
    ],
)
def test_mistakes_name_their_place(data: dict[str, Any], told: str) -> None:
    with pytest.raises(Unreadable) as caught:
        order(data)
    assert told in str(caught.value)
