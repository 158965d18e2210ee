"""What is asked and told about fulfilments, and what of it was read back.

A page of fulfilment orders, and the list of all fulfilments, each stay below 1000 points; the one fulfilment that
matters is then read whole.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.shopify.client import ShopifyClient
from adapters.shopify.fields import Json, count, identifier, objects, part, text
from tallystick.errors import Unreadable

#: What a page shows. Of fulfilments and their lines more than these are refused rather than cut.
ORDERS = 10
LINES = 40
FULFILMENTS = 100
FULFILMENT_LINES = 250

_TASK_LINES = "nodes { id remainingQuantity lineItem { id } } pageInfo { hasNextPage endCursor }"

READ_FULFILMENT_ORDERS = f"""query ReadFulfilmentOrders($id: ID!, $first: Int!, $after: String, $lines: Int!) {{
  order(id: $id) {{
    fulfillmentOrders(first: $first, after: $after) {{
      nodes {{
        id status
        assignedLocation {{ name location {{ id }} }}
        lineItems(first: $lines) {{ {_TASK_LINES} }}
      }}
      pageInfo {{ hasNextPage endCursor }}
    }}
  }}
}}
"""

#: The lines of a fulfilment order after the first page of them.
READ_FULFILMENT_ORDER_LINES = f"""query ReadFulfilmentOrderLines($id: ID!, $first: Int!, $after: String!) {{
  fulfillmentOrder(id: $id) {{ lineItems(first: $first, after: $after) {{ {_TASK_LINES} }} }}
}}
"""

READ_FULFILMENTS = """query ReadFulfilments($id: ID!, $first: Int!) {
  order(id: $id) { fulfillments(first: $first) { id status totalQuantity trackingInfo(first: 5) { number } } }
}
"""

_WHOLE = """
fragment FulfilmentFields on Fulfillment {
  id status
  trackingInfo(first: 100) { number company url }
  fulfillmentLineItems(first: 250) { nodes { quantity lineItem { id } } pageInfo { hasNextPage } }
}
"""

READ_FULFILMENT = (
    """query ReadFulfilment($id: ID!) {
  fulfillment(id: $id) { ...FulfilmentFields }
}
"""
    + _WHOLE
)

CREATE_FULFILMENT = """mutation CreateFulfilment($fulfillment: FulfillmentInput!) {
  fulfillmentCreate(fulfillment: $fulfillment) { fulfillment { id } userErrors { field message } }
}
"""

#: Without `notifyCustomer`, which is false by itself.
UPDATE_TRACKING = """mutation UpdateTracking($fulfillmentId: ID!, $trackingInfoInput: FulfillmentTrackingInput!) {
  fulfillmentTrackingInfoUpdate(fulfillmentId: $fulfillmentId, trackingInfoInput: $trackingInfoInput) {
    fulfillment { id }
    userErrors { field message }
  }
}
"""

ALL = (
    READ_FULFILMENT_ORDERS,
    READ_FULFILMENT_ORDER_LINES,
    READ_FULFILMENTS,
    READ_FULFILMENT,
    CREATE_FULFILMENT,
    UPDATE_TRACKING,
)


@dataclass(frozen=True, slots=True)
class Remainder:
    """What one location still has to ship of one line."""

    task: str
    row: str
    line: str
    pieces: int
    location: str
    location_name: str
    #: Not on hold, not scheduled for later.
    ready: bool


@dataclass(frozen=True, slots=True)
class Brief:
    """A fulfilment as the list shows it, cancelled ones left out."""

    id: str
    pieces: int
    numbers: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Shipped:
    """A fulfilment, whole. `tracking` holds (number, carrier, address)."""

    id: str
    lines: Mapping[str, int]
    tracking: tuple[tuple[str, str, str], ...]

    @property
    def numbers(self) -> tuple[str, ...]:
        """Its tracking numbers."""
        return tuple(number for number, _, _ in self.tracking)


class Shipping:
    """Reads what a shop has to ship and has shipped. Raises what `ShopifyClient.query` raises."""

    def __init__(self, client: ShopifyClient) -> None:
        self._client = client

    async def remainders(self, order_id: str) -> list[Remainder] | None:
        """Of every line at every location; None when there is no such order."""
        found: list[Remainder] = []
        variables: dict[str, Any] = {"id": _gid("Order", order_id), "first": ORDERS, "lines": LINES, "after": None}
        while True:
            order = (await self._client.query(READ_FULFILMENT_ORDERS, variables)).get("order")
            if order is None:
                return None
            page = part(part(order).get("fulfillmentOrders"))
            for node in objects(page.get("nodes")):
                found += await self._task(node)
            info = part(page.get("pageInfo"))
            if info.get("hasNextPage") is not True:
                return found
            variables["after"] = text(info.get("endCursor"))

    async def _task(self, node: Json) -> list[Remainder]:
        shown = part(node.get("lineItems"))
        rows = objects(shown.get("nodes"))
        while part(shown.get("pageInfo")).get("hasNextPage"):
            after = text(part(shown["pageInfo"]).get("endCursor"))
            variables = {"id": text(node.get("id")), "first": FULFILMENT_LINES, "after": after}
            more = await self._client.query(READ_FULFILMENT_ORDER_LINES, variables)
            shown = part(part(more.get("fulfillmentOrder")).get("lineItems"))
            rows += objects(shown.get("nodes"))
        return [_remainder(node, row) for row in rows]

    async def fulfilments(self, order_id: str) -> list[Brief] | None:
        """All that were made and not cancelled, the earliest first; None when there is no such order."""
        data = await self._client.query(READ_FULFILMENTS, {"id": _gid("Order", order_id), "first": FULFILMENTS})
        order = data.get("order")
        if order is None:
            return None
        nodes = objects(part(order).get("fulfillments"))
        if len(nodes) >= FULFILMENTS:
            raise Unreadable(f"the order has {FULFILMENTS} fulfilments or more, which one read cannot show")
        return [_brief(node) for node in nodes if _stands(node)]

    async def fulfilment(self, fulfilment_id: str) -> Shipped | None:
        """One, whole; None when it is not there or was cancelled."""
        data = await self._client.query(READ_FULFILMENT, {"id": _gid("Fulfillment", fulfilment_id)})
        node = part(data.get("fulfillment"))
        if not node or not _stands(node):
            return None
        lines = part(node.get("fulfillmentLineItems"))
        if part(lines.get("pageInfo")).get("hasNextPage"):
            raise Unreadable(f"the fulfilment has more than {FULFILMENT_LINES} lines, which one read cannot show")
        return Shipped(identifier(node.get("id")), _pieces(lines), _tracking(node))


def _gid(kind: str, number: str) -> str:
    return f"gid://shopify/{kind}/{number}"


def fulfilment_gid(number: str) -> str:
    """The global id of a fulfilment."""
    return _gid("Fulfillment", number)


def _remainder(task: Json, row: Json) -> Remainder:
    assigned = part(task.get("assignedLocation"))
    return Remainder(
        task=text(task.get("id")),
        row=text(row.get("id")),
        line=identifier(part(row.get("lineItem")).get("id")),
        pieces=count(row.get("remainingQuantity")),
        location=identifier(part(assigned.get("location")).get("id")),
        location_name=text(assigned.get("name")),
        ready=task.get("status") in ("OPEN", "IN_PROGRESS"),
    )


def _brief(node: Json) -> Brief:
    numbers = (text(one.get("number")) for one in objects(node.get("trackingInfo")))
    return Brief(identifier(node.get("id")), count(node.get("totalQuantity")), tuple(one for one in numbers if one))


def _stands(node: Json) -> bool:
    return node.get("status") not in ("CANCELLED", "ERROR", "FAILURE")


def _pieces(lines: Json) -> dict[str, int]:
    found: Counter[str] = Counter()
    for row in objects(lines.get("nodes")):
        found[identifier(part(row.get("lineItem")).get("id"))] += count(row.get("quantity"))
    return dict(found)


def _tracking(node: Json) -> tuple[tuple[str, str, str], ...]:
    infos = objects(node.get("trackingInfo"))
    return tuple(
        (text(one.get("number")), text(one.get("company")), text(one.get("url"))) for one in infos if one.get("number")
    )
