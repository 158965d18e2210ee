"""Whether an order is for the ERP at all. What is not, has no effects; it is shown with its reason."""

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Protocol

from tallystick.canonical.keys import order_key
from tallystick.canonical.times import to_datetime
from tallystick.contract.paths import Path
from tallystick.contract.schema import PostWhen, RiskAt
from tallystick.reasons import NotEligible
from tallystick.v1 import customer_pb2, order_pb2

_BY_STATE = {
    order_pb2.ORDER_STATE_DRAFT: NotEligible.DRAFT,
    order_pb2.ORDER_STATE_PENDING: NotEligible.PENDING_PAYMENT,
    order_pb2.ORDER_STATE_FAILED: NotEligible.PAYMENT_FAILED,
    order_pb2.ORDER_STATE_CANCELLED: NotEligible.CANCELLED,
}
_PAID = {
    order_pb2.PAYMENT_STATE_PAID,
    order_pb2.PAYMENT_STATE_PARTIALLY_REFUNDED,
    order_pb2.PAYMENT_STATE_REFUNDED,
}
_RISKY = {
    RiskAt.NEVER: frozenset[order_pb2.RiskLevel.ValueType](),
    RiskAt.MEDIUM: frozenset({order_pb2.RISK_LEVEL_MEDIUM, order_pb2.RISK_LEVEL_HIGH}),
    RiskAt.HIGH: frozenset({order_pb2.RISK_LEVEL_HIGH}),
}
_AUTHORISED = _PAID | {order_pb2.PAYMENT_STATE_AUTHORISED, order_pb2.PAYMENT_STATE_PARTIALLY_PAID}


class Part(Protocol):
    """The part of the orders that a route is live for; an empty list is no restriction."""

    @property
    def currencies(self) -> tuple[str, ...]:
        """ISO codes."""

    @property
    def channels(self) -> tuple[str, ...]:
        """As the store writes them."""

    @property
    def order_types(self) -> tuple[str, ...]:
        """`b2b`, `b2c`."""

    @property
    def percentage(self) -> int:
        """0 to 100."""


def not_placed(order: order_pb2.Order, since: datetime | None) -> NotEligible | None:
    """What holds for every contract: its state, a test, the route's start. Only for orders without a document yet."""
    if order.test:
        return NotEligible.TEST_ORDER
    if order.state in _BY_STATE:
        return _BY_STATE[order.state]
    if since is not None and order.HasField("placed_at") and to_datetime(order.placed_at) < since:
        return NotEligible.BEFORE_SINCE
    return None


def copied(order: order_pb2.Order, copy_of: Iterable[Path]) -> NotEligible | None:
    """Whether the order was put here from another channel, whose order it names; its own name is none of another."""
    origins = {str(origin).strip() for path in copy_of if (origin := path.get(order)) is not None}
    return NotEligible.COPY if origins - {"", order_key(order.connection, order.id)} else None


def unpaid(order: order_pb2.Order, post_when: PostWhen, but_by: frozenset[str]) -> NotEligible | None:
    """What the contract's `post_when` asks. Cash on delivery is unpaid until somebody paid."""
    if post_when is PostWhen.PLACED or order.payment_method in but_by:
        return None
    enough = _PAID if post_when is PostWhen.PAID else _AUTHORISED
    return None if order.payment_state in enough else NotEligible.UNPAID


def risky(order: order_pb2.Order, hold_at: RiskAt, cleared_tag: str | None) -> bool:
    """Whether the store sees that much risk of fraud, and nobody has cleared the order."""
    return order.risk in _RISKY[hold_at] and (cleared_tag is None or cleared_tag not in order.tags)


def outside(order: order_pb2.Order, part: Part) -> NotEligible | None:
    """Whether the route is live for an order like this."""
    company = order.customer.kind == customer_pb2.CUSTOMER_KIND_COMPANY
    asked = (
        (part.currencies, order.currency_code),
        (part.channels, order.channel),
        (part.order_types, "b2b" if company else "b2c"),
    )
    inside = all(not names or name in names for names, name in asked)
    rolled_out = part.percentage >= 100 or _place(order) < part.percentage
    return None if inside and rolled_out else NotEligible.NOT_ROLLED_OUT


def _place(order: order_pb2.Order) -> int:
    """0 to 99, for ever the same for one order."""
    name = order_key(order.connection, order.id).encode()
    return int.from_bytes(hashlib.sha256(name).digest()[:8]) % 100
