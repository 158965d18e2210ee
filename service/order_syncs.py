"""OrderSyncService: where orders are, their stories, resyncs."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime

from service import asking
from service.callers import Context, actor
from service.errors import ApiError, invalid, not_found, precondition
from service.paging import PAGE_MAX, cursor_of, next_token, page_size
from service.watch import Watches
from tallystick.clock import Clock
from tallystick.ledger.events import after_snapshot
from tallystick.ledger.operations import Operations, RequestReused, Wanted
from tallystick.ledger.views import Filter, Views
from tallystick.v1 import operation_pb2, order_sync_pb2_grpc
from tallystick.v1 import order_sync_pb2 as pb

_ORDERS_USUAL = 50
_EVENTS_USUAL = 100
_OPERATIONS_USUAL = 50
_LOOK_AGAIN_S = 0.2


class OrderSyncs(order_sync_pb2_grpc.OrderSyncServiceServicer):
    """One per process."""

    def __init__(self, views: Views, operations: Operations, watches: Watches, clock: Clock) -> None:
        self._views = views
        self._operations = operations
        self._watches = watches
        self._clock = clock

    # ---- looks -----------------------------------------------------------------------------------------------------

    async def GetOrderSync(self, request: pb.GetOrderSyncRequest, context: Context) -> pb.GetOrderSyncResponse:  # noqa: N802
        """One order."""
        order = await asking.order(self._views, request.name)
        found = await self._views.get(order, asking.target(self._views, request.target))
        if found is None:
            raise not_found("ORDER", f"no store has shown an order {request.name[:60]!r}")
        order_sync, snapshot = found
        return pb.GetOrderSyncResponse(order_sync=order_sync, resume_token=after_snapshot(snapshot).token)

    async def ListOrderSyncs(self, request: pb.ListOrderSyncsRequest, context: Context) -> pb.ListOrderSyncsResponse:  # noqa: N802
        """A page of orders."""
        cursor = cursor_of(request, (datetime, str, str))
        limit = page_size(request.page_size, _ORDERS_USUAL)
        found, more = await self._views.page(self._filter(request), limit, cursor)
        return pb.ListOrderSyncsResponse(order_syncs=found, next_page_token=next_token(request, more))

    def _filter(self, request: pb.ListOrderSyncsRequest) -> Filter:
        since = request.HasField("changed_since")
        return Filter(
            connection=asking.connection(self._views, request.connection),
            target=asking.target(self._views, request.target),
            state=asking.state(request.state),
            reason=request.reason,
            changed_since=asking.instant(request.changed_since, "changed_since") if since else None,
        )

    async def ListOrderEvents(  # noqa: N802
        self, request: pb.ListOrderEventsRequest, context: Context
    ) -> pb.ListOrderEventsResponse:
        """A page of the story of one order."""
        order = await asking.order(self._views, request.name)
        cursor = cursor_of(request, (datetime, int, int, str))
        limit = page_size(request.page_size, _EVENTS_USUAL)
        target = asking.end(self._views, request.target, "target")
        found, more = await self._views.story(order, target, limit, cursor, newest_first=request.newest_first)
        return pb.ListOrderEventsResponse(events=found, next_page_token=next_token(request, more))

    async def WatchOrderSync(  # noqa: N802
        self, request: pb.WatchOrderSyncRequest, context: Context
    ) -> AsyncIterator[pb.WatchOrderSyncResponse]:
        """Events as they happen."""
        async for answer in self._watches.watch(request, context):
            yield answer

    # ---- resyncs ---------------------------------------------------------------------------------------------------

    async def ResyncOrders(self, request: pb.ResyncOrdersRequest, context: Context) -> pb.ResyncOrdersResponse:  # noqa: N802
        """Begin a resync."""
        request_id = asking.request_id(request.request_id)
        note = asking.note(request.reason, required=False)
        wanted = await self._wanted(request)
        try:
            operation = await self._operations.create(request_id, wanted, actor(context), note)
        except RequestReused as error:
            raise precondition("REQUEST_ID_REUSED", str(error)) from error
        return pb.ResyncOrdersResponse(operation=operation)

    async def _wanted(self, request: pb.ResyncOrdersRequest) -> Wanted:
        target = asking.target(self._views, request.target)
        if request.HasField("window") == bool(request.names):
            raise invalid("names", "name orders, or else a window; one of the two")
        if request.names:
            return Wanted(names=await self._names(request), target=target)
        window = request.window
        if not window.connection or not window.HasField("since"):
            raise invalid("window", "needs a connection and a time since when")
        until = asking.instant(window.until, "window.until") if window.HasField("until") else None
        connection = asking.connection(self._views, window.connection, "window.connection")
        since = asking.instant(window.since, "window.since")
        if until is not None and until < since:
            raise invalid("window.until", "lies before window.since")
        if window.from_store and target:
            raise invalid("target", "what a store shows goes wherever its routes lead; leave the target out")
        return Wanted(connection=connection, since=since, until=until, target=target, from_store=window.from_store)

    async def _names(self, request: pb.ResyncOrdersRequest) -> tuple[str, ...]:
        if len(request.names) > PAGE_MAX:
            raise invalid("names", f"at most {PAGE_MAX}; for more, give a window")
        orders = await asking.orders_or_new(self._views, request.names, "names")
        return tuple(sorted({order.name for order in orders}))

    async def GetOperation(self, request: pb.GetOperationRequest, context: Context) -> pb.GetOperationResponse:  # noqa: N802
        """An operation, when it has ended or the time to wait is over."""
        ends_at_s = self._clock.monotonic_s() + asking.wait_s(request.wait, context, _LOOK_AGAIN_S)
        operation = await self._operations.get(request.operation_id)
        while operation is not None and operation.state == operation_pb2.OPERATION_STATE_RUNNING:
            if self._clock.monotonic_s() >= ends_at_s:
                break
            await asyncio.sleep(_LOOK_AGAIN_S)
            operation = await self._operations.get(request.operation_id)
        return pb.GetOperationResponse(operation=_known(operation))

    async def CancelOperation(  # noqa: N802
        self, request: pb.CancelOperationRequest, context: Context
    ) -> pb.CancelOperationResponse:
        """Leave undone what is not done yet."""
        operation = await self._operations.cancel(request.operation_id, actor(context))
        return pb.CancelOperationResponse(operation=_known(operation))

    async def ListOperations(self, request: pb.ListOperationsRequest, context: Context) -> pb.ListOperationsResponse:  # noqa: N802
        """A page of operations."""
        cursor = cursor_of(request, (datetime, str))
        limit = page_size(request.page_size, _OPERATIONS_USUAL)
        found, more = await self._operations.page(request.running, limit, cursor)
        return pb.ListOperationsResponse(operations=found, next_page_token=next_token(request, more))


def _known(operation: operation_pb2.Operation | None) -> operation_pb2.Operation:
    if operation is None:
        raise _no_operation()
    return operation


def _no_operation() -> ApiError:
    return not_found("OPERATION", "there is no such operation")
