"""A small contract for tests, whose parts each test may replace."""

from typing import Any

import yaml

from tallystick.canonical import written
from tallystick.contract.compile import Contract
from tallystick.contract.document import Hold, OrderDocument
from tallystick.contract.load import parse_contract
from tallystick.v1 import order_pb2

RATES = ("0", "5", "7", "8", "8.1", "9.975", "10", "12", "19", "20", "21")
RULES: dict[str, Any] = {
    "contract": "test",
    "version": 1,
    "time_zone": "Asia/Bangkok",
    "currencies": {"to": "pricelist", "rows": {code: f"list-{code}" for code in ("EUR", "THB", "JPY", "KWD", "USD")}},
    "taxes": {
        "basis": "as_store",
        "rates": {rate: {"included": f"{rate} incl", "excluded": f"{rate} excl"} for rate in RATES},
    },
    "arithmetic": {"price_decimals": 6},
    "products": {role: role.upper() for role in ("shipping", "fee", "tip", "duty", "rounding", "custom")},
}


def rules(**parts: Any) -> str:
    """The YAML text, with top-level parts replaced; a mapping is merged into the part it replaces."""
    data = dict(RULES)
    for name, part in parts.items():
        old = data.get(name)
        data[name] = {**old, **part} if isinstance(old, dict) and isinstance(part, dict) else part
    return yaml.safe_dump(data, sort_keys=False)


def contract(**parts: Any) -> Contract:
    """The compiled contract."""
    return parse_contract(rules(**parts), "test.yaml")


def order(*lines: dict[str, Any], **parts: Any) -> order_pb2.Order:
    """An order of these lines; see `tallystick.canonical.written`."""
    return written.order({"lines": [{"sku": "MUG", "quantity": 1, **line} for line in lines], **parts})


def booked(rules: Contract, sold: order_pb2.Order) -> OrderDocument:
    """The document, which has to be there and to balance."""
    document = rules.document(sold)
    assert isinstance(document, OrderDocument), document
    assert rules.balance(document).difference == 0
    return document


def held(rules: Contract, sold: order_pb2.Order) -> Hold:
    """The reason why there is none."""
    hold = rules.document(sold)
    assert isinstance(hold, Hold), hold
    return hold
