"""Which spelling a payload is in, and the one order inside it."""

from adapters.shopify.fields import Json, parse, part
from adapters.shopify.state import ShopifyOrder
from adapters.shopify.translate_graphql import order_from_graphql
from adapters.shopify.translate_rest import order_from_rest
from tallystick.errors import Unreadable


def order_of(raw: bytes) -> ShopifyOrder:
    """The order of a webhook body, a reply of the legacy API or a reply of GraphQL. Raises `Unreadable`."""
    found = _inside(parse(raw))
    return order_from_graphql(found) if _is_graphql(found) else order_from_rest(found)


def _inside(payload: object) -> Json:
    if isinstance(payload, list):
        payload = _only(payload)
    if not isinstance(payload, dict):
        raise Unreadable("this is JSON, but no object; an order of Shopify is one")
    if payload.get("errors"):
        raise Unreadable("this is an error that Shopify answered with, not an order")
    found = part(payload["data"]) if "data" in payload else payload
    for name in ("order", "node"):
        if isinstance(found.get(name), dict):
            return part(found[name])
    for name in ("orders", "nodes"):
        if name in found:
            return _only(found[name])
    return found


def _only(orders: object) -> Json:
    listed = orders.get("nodes") if isinstance(orders, dict) else orders
    if not isinstance(listed, list) or len(listed) != 1:
        count = len(listed) if isinstance(listed, list) else "no"
        raise Unreadable(f"this page holds {count} orders; give one order at a time")
    return part(listed[0])


def _is_graphql(order: Json) -> bool:
    return str(order.get("id", "")).startswith("gid://") or "lineItems" in order
