"""What comes back to a shop: returns that buyers ask for or staff opens, what becomes of the pieces, and their ends.

Whether a return moves the date of its order the vendor does not tell; `moves_order` says what this shop does.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from simulators.shopify.fulfilments import MAIN
from simulators.shopify.graph import stamp
from simulators.shopify.model import Disposal, Order, Return, ReturnLine
from simulators.shopify.selection import Connection

if TYPE_CHECKING:
    from simulators.shopify.shop import Shop

Json = dict[str, Any]


class Counter:
    """The side of one shop at which goods come in."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        self.moves_order = True
        self._last_id = 9_000_000_000
        #: What the API answers, by the field's name.
        self.roots: dict[str, Callable[[Mapping[str, Any]], Json | None]] = {"return": self._shown}

    # ---- what buyers and staff do ----

    def request(self, order_id: int, pieces: Mapping[int, int], reason: str = "too-small") -> Return:
        """A buyer asks to send pieces back, by line id. Raises ValueError for what was not shipped."""
        return self._made(order_id, pieces, reason, "REQUESTED", "request")

    def open(self, order_id: int, pieces: Mapping[int, int], reason: str = "too-small") -> Return:
        """Staff makes a return, which needs nobody's approval."""
        return self._made(order_id, pieces, reason, "OPEN", "approve")

    def approve(self, made: Return) -> None:
        """The shop agrees."""
        self._moved(made, "OPEN", "approve", "REQUESTED")

    def decline(self, made: Return) -> None:
        """The shop refuses."""
        self._moved(made, "DECLINED", "decline", "REQUESTED")

    def cancel(self, made: Return) -> None:
        """It comes to nothing."""
        self._moved(made, "CANCELED", "cancel", "REQUESTED", "OPEN")

    def close(self, made: Return) -> None:
        """Nothing more is to happen."""
        self._moved(made, "CLOSED", "close", "OPEN")

    def reopen(self, made: Return) -> None:
        """It goes on."""
        self._moved(made, "OPEN", "reopen", "CLOSED")

    def remove(self, made: Return, pieces: Mapping[int, int]) -> None:
        """Some pieces are not to come back after all."""
        for line in made.lines:
            line.quantity -= pieces.get(line.line_id, 0)
        made.lines = [line for line in made.lines if line.quantity]
        self._changed(made, "update")

    def dispose(self, made: Return, line_id: int, quantity: int, kind: str = "RESTOCKED", location: int = MAIN) -> None:
        """Pieces have come, or are known not to come: RESTOCKED, NOT_RESTOCKED, PROCESSING_REQUIRED or MISSING."""
        order = self._shop.orders[made.order_id]
        line = next(one for one in made.lines if one.line_id == line_id)
        line.disposals.append(Disposal(kind, quantity, location))
        if kind == "RESTOCKED":
            sku = next(one.item.sku for one in order.lines if one.id == line_id)
            self._shop.stockroom.put_back(sku, quantity, location)
        self._changed(made, "process")

    # ---- what the API shows ----

    def order(self, order: Order) -> Json:
        """The fields of an order that tell of its returns."""
        return {"returns": Connection([_node(order, one) for one in order.returns])}

    def _shown(self, values: Mapping[str, Any]) -> Json | None:
        wanted = int(str(values["id"]).rpartition("/")[2])
        found = ((order, one) for order in self._shop.orders.values() for one in order.returns)
        return next((_node(order, one) for order, one in found if one.id == wanted), None)

    # ---- inside ----

    def _made(self, order_id: int, pieces: Mapping[int, int], reason: str, status: str, event: str) -> Return:
        order = self._shop.orders[order_id]
        for line_id, quantity in pieces.items():
            if quantity > order.shipped(line_id) - order.returned(line_id):
                raise ValueError("Return line items must have been fulfilled, and not be on another return")
        lines = [ReturnLine(self._id(), line_id, quantity, reason) for line_id, quantity in pieces.items()]
        name = f"#{order.number}-R{len(order.returns) + 1}"
        made = Return(self._id(), order.id, name, status, self._shop.now().replace(microsecond=0), lines)
        order.returns.append(made)
        self._changed(made, event)
        return made

    def _moved(self, made: Return, status: str, event: str, *allowed: str) -> None:
        if made.status not in allowed:
            raise ValueError(f"a return that is {made.status} cannot become {status}")
        made.status = status
        self._changed(made, event)

    def _changed(self, made: Return, event: str) -> None:
        order = self._shop.orders[made.order_id]
        body = {
            "id": made.id,
            "admin_graphql_api_id": f"gid://shopify/Return/{made.id}",
            "name": made.name,
            "status": made.status.lower(),
            "order": {"id": order.id, "admin_graphql_api_id": order.gid},
        }
        self._shop.returned(order, event, body, moves=self.moves_order)

    def _id(self) -> int:
        self._last_id += 1
        return self._last_id


def _node(order: Order, made: Return) -> Json:
    refunds = [{"id": f"gid://shopify/Refund/{one.id}"} for one in order.refunds if one.return_id == made.id]
    return {
        "__typename": "Return",
        "id": f"gid://shopify/Return/{made.id}",
        "name": made.name,
        "status": made.status,
        "createdAt": stamp(made.at),
        "returnLineItems": Connection([_line(line) for line in made.lines]),
        "reverseFulfillmentOrders": Connection([{"lineItems": Connection([_reverse(line) for line in made.lines])}]),
        "refunds": Connection(refunds),
    }


def _line(line: ReturnLine) -> Json:
    shipped = {"id": f"gid://shopify/FulfillmentLineItem/{line.id}", "lineItem": _sold(line)}
    return {
        "__typename": "ReturnLineItem",
        "id": f"gid://shopify/ReturnLineItem/{line.id}",
        "quantity": line.quantity,
        "processedQuantity": sum(one.quantity for one in line.disposals),
        "returnReasonDefinition": {"handle": line.reason} if line.reason else None,
        "fulfillmentLineItem": shipped,
    }


def _sold(line: ReturnLine) -> Json:
    return {"id": f"gid://shopify/LineItem/{line.line_id}"}


def _reverse(line: ReturnLine) -> Json:
    return {
        "fulfillmentLineItem": {"id": f"gid://shopify/FulfillmentLineItem/{line.id}"},
        "dispositions": [
            {
                "type": one.kind,
                "quantity": one.quantity,
                "location": {"id": f"gid://shopify/Location/{one.location_id}"},
            }
            for one in line.disposals
        ],
    }
