"""RecordService: where refunds, payments, returns, shipments, customers and prices are."""

from datetime import datetime

from service import asking
from service.callers import Context
from service.errors import invalid, not_found
from service.paging import cursor_of, next_token, page_size
from tallystick.flows.flow import Direction
from tallystick.flows.kinds import KINDS
from tallystick.ledger.records import Records, Wanted, Way
from tallystick.ledger.views import Views
from tallystick.settings import Mode, Route
from tallystick.v1 import record_pb2 as pb
from tallystick.v1 import record_pb2_grpc

_USUAL = 50
_KINDS = sorted(kind.name for kind in KINDS)


def ways(route: Route) -> list[Way]:
    """What crosses on a route, there and back."""
    found = []
    for kind in KINDS:
        to_erp = kind.direction is Direction.TO_ERP
        ends = (route.store, route.erp) if to_erp else (route.erp, route.store)
        found.append(Way(kind.name, *ends, kind.shown_by_stores, route.mode_of(kind.flow) is not Mode.OFF))
    return found


class RecordBook(record_pb2_grpc.RecordServiceServicer):
    """One per process."""

    def __init__(self, views: Views, records: Records) -> None:
        self._views = views
        self._records = records

    async def GetRecord(self, request: pb.GetRecordRequest, context: Context) -> pb.GetRecordResponse:  # noqa: N802
        """One record in each of its targets."""
        name = asking.record(request.name)
        found = await self._records.named(name, asking.end(self._views, request.target, "target"))
        if not found:
            raise not_found("RECORD", f"nobody has shown a record {name[:60]!r}; lists and stories name them in full")
        return pb.GetRecordResponse(records=found)

    async def ListRecords(self, request: pb.ListRecordsRequest, context: Context) -> pb.ListRecordsResponse:  # noqa: N802
        """A page of records."""
        cursor = cursor_of(request, (datetime, str, str))
        limit = page_size(request.page_size, _USUAL)
        found, more = await self._records.page(await self._wanted(request), limit, cursor)
        return pb.ListRecordsResponse(records=found, next_page_token=next_token(request, more))

    async def _wanted(self, request: pb.ListRecordsRequest) -> Wanted:
        if request.kind and request.kind not in _KINDS:
            raise invalid("kind", f"{request.kind[:60]!r} is no kind of record; there are {', '.join(_KINDS)}")
        since = asking.instant(request.since, "since") if request.HasField("since") else None
        before = asking.instant(request.before, "before") if request.HasField("before") else None
        if since and before and before < since:
            raise invalid("before", "lies before since")
        return Wanted(
            kind=request.kind,
            connection=asking.end(self._views, request.connection, "connection"),
            target=asking.end(self._views, request.target, "target"),
            state=asking.state(request.state),
            reason=request.reason,
            order=await asking.order(self._views, request.order, "order") if request.order else None,
            since=since,
            before=before,
        )
