"""What a shop ships: fulfilment orders by location, fulfilments made of them, tracking, and mails to the buyer.

Errors are those that live captures show; the mutations take no key against repeats.
"""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from simulators.shopify.graph import stamp
from simulators.shopify.model import Fulfilment, Line, Order, Task
from simulators.shopify.selection import Connection

if TYPE_CHECKING:
    from simulators.shopify.shop import Shop

Json = dict[str, Any]
#: The location that ships unless something else was agreed.
MAIN = 70_000_001
_OPEN = ("OPEN", "IN_PROGRESS")


class _UserError(Exception):
    def __init__(self, message: str, *field: str) -> None:
        super().__init__(message)
        self.told = {"field": list(field) or ["fulfillment"], "message": message}


class Dispatch:
    """The shipping side of one shop."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        #: Names by id.
        self.locations = {MAIN: "Main warehouse"}
        self._last_id = 8_000_000_000
        #: What the API answers, by the field's name.
        self.roots: dict[str, Callable[[Mapping[str, Any]], Json | None]] = {
            "fulfillmentOrder": self._shown_task,
            "fulfillment": self._shown,
            "fulfillmentCreate": self._create,
            "fulfillmentTrackingInfoUpdate": self._track,
        }

    # ---- what staff does ----

    def assign(self, order_id: int, pieces: Mapping[int, Mapping[int, int]], status: str = "OPEN") -> None:
        """Fulfilment orders anew: for each location the pieces by line id."""
        order = self._shop.orders[order_id]
        order.tasks = [Task(self._id(), location, dict(lines), status) for location, lines in pieces.items()]
        for location in pieces:
            self.locations.setdefault(location, f"Warehouse {location}")

    def ship(self, order_id: int, pieces: Mapping[int, int], number: str = "", location: int = MAIN) -> Fulfilment:
        """Somebody ships by hand, without telling the buyer."""
        order = self._shop.orders[order_id]
        for task in self.tasks(order):
            if task.location_id == location:
                for line_id, count in pieces.items():
                    task.shipped[line_id] = task.shipped.get(line_id, 0) + count
        return self._made(order, location, dict(pieces), {"number": number} if number else {}, notify=False)

    def cancel(self, order_id: int, fulfilment_id: int) -> None:
        """A fulfilment is cancelled; its pieces are to be shipped again."""
        order = self._shop.orders[order_id]
        made = next(one for one in order.fulfilments if one.id == fulfilment_id)
        made.cancelled = True
        self.assign(order_id, {made.location_id: made.pieces})
        self._shop.shipped(order)

    # ---- what the API shows ----

    def tasks(self, order: Order) -> list[Task]:
        """The fulfilment orders; by default one, of all that has to be shipped."""
        if not order.tasks:
            pieces = {line.id: line.item.quantity for line in order.lines if line.item.requires_shipping}
            order.tasks = [Task(self._id(), MAIN, pieces)] if pieces else []
        return order.tasks

    def order(self, order: Order) -> Json:
        """The fields of an order that tell of its shipping."""
        tasks = [self._task(order, task) for task in self.tasks(order)]
        return {"fulfillmentOrders": Connection(tasks), "fulfillments": [_node(one) for one in order.fulfilments]}

    def _shown(self, values: Mapping[str, Any]) -> Json | None:
        found = self._find(_number(values["id"]))
        return None if found is None else _node(found[1])

    def _shown_task(self, values: Mapping[str, Any]) -> Json | None:
        task_id = _number(values["id"])
        found = ((order, task) for order in self._shop.orders.values() for task in self.tasks(order))
        return next((self._task(order, task) for order, task in found if task.id == task_id), None)

    def _task(self, order: Order, task: Task) -> Json:
        lines = [line for line in order.lines if line.id in task.pieces]
        location = {"id": f"gid://shopify/Location/{task.location_id}"}
        return {
            "__typename": "FulfillmentOrder",
            "id": f"gid://shopify/FulfillmentOrder/{task.id}",
            "status": task.status,
            "assignedLocation": {"name": self.locations[task.location_id], "location": location},
            "lineItems": Connection([_task_line(order, task, line) for line in lines]),
        }

    # ---- mutations ----

    def _create(self, values: Mapping[str, Any]) -> Json:
        """`fulfillmentCreate`: all of it or nothing."""
        asked = values["fulfillment"]
        try:
            order, wanted = self._wanted(asked["lineItemsByFulfillmentOrder"])
        except _UserError as error:
            return {"fulfillment": None, "userErrors": [error.told]}
        pieces: dict[int, int] = {}
        for task, line_id, count in wanted:
            task.shipped[line_id] = task.shipped.get(line_id, 0) + count
            pieces[line_id] = pieces.get(line_id, 0) + count
        notify = bool(asked.get("notifyCustomer"))
        made = self._made(order, wanted[0][0].location_id, pieces, asked.get("trackingInfo") or {}, notify=notify)
        return {"fulfillment": _node(made), "userErrors": []}

    def _track(self, values: Mapping[str, Any]) -> Json:
        """`fulfillmentTrackingInfoUpdate`."""
        found = self._find(_number(values["fulfillmentId"]))
        if found is None:
            error = _UserError("Fulfillment does not exist.", "fulfillmentId")
            return {"fulfillment": None, "userErrors": [error.told]}
        order, made = found
        _tracked(made, values["trackingInfoInput"])
        self._shop.journal.note("tracking", str(order.id), (made.id, tuple(made.numbers)))
        self._shop.shipped(order)
        if values.get("notifyCustomer"):
            self._shop.journal.note("mail", str(order.id), made.id)
        return {"fulfillment": _node(made), "userErrors": []}

    def _wanted(self, groups: list[Json]) -> tuple[Order, list[tuple[Task, int, int]]]:
        known = {task.id: (order, task) for order in self._shop.orders.values() for task in self.tasks(order)}
        found = [known.get(_number(group["fulfillmentOrderId"])) for group in groups]
        there = [pair for pair in found if pair is not None]
        if len(there) < len(found) or not there:
            raise _UserError("Fulfillment order does not exist.")
        if len({task.location_id for _, task in there}) > 1:
            raise _UserError("All fulfillment orders must be assigned to a single location.")
        if any(task.status not in _OPEN for _, task in there):
            raise _UserError("Fulfillment order has an unfulfillable status.")
        wanted = []
        for (order, task), group in zip(there, groups, strict=True):
            wanted += _pieces(order, task, group.get("fulfillmentOrderLineItems") or [])
        return there[0][0], wanted

    def _made(
        self, order: Order, location: int, pieces: dict[int, int], tracking: Mapping[str, Any], *, notify: bool
    ) -> Fulfilment:
        made = Fulfilment(self._id(), location, self._shop.now().replace(microsecond=0), pieces)
        _tracked(made, tracking)
        order.fulfilments.append(made)
        self._shop.journal.note("fulfilment", str(order.id), (made.id, location, pieces, tuple(made.numbers)))
        if notify:
            self._shop.journal.note("mail", str(order.id), made.id)
        self._shop.shipped(order)
        return made

    def _find(self, fulfilment_id: int) -> tuple[Order, Fulfilment] | None:
        found = ((order, one) for order in self._shop.orders.values() for one in order.fulfilments)
        return next((pair for pair in found if pair[1].id == fulfilment_id), None)

    def _id(self) -> int:
        self._last_id += 1
        return self._last_id


def _pieces(order: Order, task: Task, asked: list[Json]) -> list[tuple[Task, int, int]]:
    found = []
    for row in asked:
        line = next((one for one in order.lines if _line_id(task, one) == _number(row["id"])), None)
        if row["quantity"] <= 0:
            raise _UserError("Quantity must be greater than 0")
        if line is None or row["quantity"] > _remaining(order, task, line):
            raise _UserError("Invalid fulfillment order line item quantity requested.")
        found.append((task, line.id, int(row["quantity"])))
    return found


def _remaining(order: Order, task: Task, line: Line) -> int:
    """What is still to be shipped; pieces that were refunded or removed are not."""
    planned = task.pieces.get(line.id, 0) - task.shipped.get(line.id, 0)
    return max(0, min(planned, line.current - order.shipped(line.id)))


def _task_line(order: Order, task: Task, line: Line) -> Json:
    return {
        "id": f"gid://shopify/FulfillmentOrderLineItem/{_line_id(task, line)}",
        "totalQuantity": task.pieces[line.id],
        "remainingQuantity": _remaining(order, task, line),
        "lineItem": {"id": f"gid://shopify/LineItem/{line.id}"},
    }


def _line_id(task: Task, line: Line) -> int:
    return task.id * 10_000_000_000_000 + line.id


def _node(made: Fulfilment) -> Json:
    urls = made.urls + [""] * (len(made.numbers) - len(made.urls))
    return {
        "__typename": "Fulfillment",
        "id": f"gid://shopify/Fulfillment/{made.id}",
        "status": "CANCELLED" if made.cancelled else "SUCCESS",
        "createdAt": stamp(made.at),
        "totalQuantity": sum(made.pieces.values()),
        "location": {"id": f"gid://shopify/Location/{made.location_id}"},
        "trackingInfo": [
            {"company": made.company or None, "number": number, "url": url or None}
            for number, url in zip(made.numbers, urls, strict=True)
        ],
        "fulfillmentLineItems": Connection(
            [
                {"quantity": pieces, "lineItem": {"id": f"gid://shopify/LineItem/{line_id}"}}
                for line_id, pieces in made.pieces.items()
            ]
        ),
    }


def _tracked(made: Fulfilment, tracking: Mapping[str, Any]) -> None:
    made.company = tracking.get("company") or ""
    made.numbers = list(tracking.get("numbers") or ([tracking["number"]] if tracking.get("number") else []))
    made.urls = list(tracking.get("urls") or ([tracking["url"]] if tracking.get("url") else []))


def _number(gid: str) -> int:
    return int(gid.rpartition("/")[2])
