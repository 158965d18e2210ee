"""HeldService: what has stopped, and what people do about it."""

from service import asking
from service.callers import Context, actor
from service.errors import ApiError, invalid, precondition
from service.paging import cursor_of, next_token, page_size
from tallystick.ledger.acts import Act, Acts, Lane, NotHeld
from tallystick.ledger.views import Filter, Views
from tallystick.telemetry import Metrics
from tallystick.v1 import held_pb2 as pb
from tallystick.v1 import held_pb2_grpc

_USUAL = 50
_ID_MAX = 200
Request = pb.ResumeHeldRequest | pb.SkipHeldRequest | pb.MarkAppliedRequest


class HeldOrders(held_pb2_grpc.HeldServiceServicer):
    """One per process."""

    def __init__(self, views: Views, acts: Acts, metrics: Metrics) -> None:
        self._views = views
        self._acts = acts
        self._metrics = metrics

    async def ListHeld(self, request: pb.ListHeldRequest, context: Context) -> pb.ListHeldResponse:  # noqa: N802
        """A page of what is held."""
        wanted = Filter(
            connection=asking.end(self._views, request.connection, "connection"),
            target=asking.end(self._views, request.target, "target"),
            reason=request.reason,
        )
        limit = page_size(request.page_size, _USUAL)
        found, more = await self._views.held(wanted, limit, cursor_of(request, (str, str, str)))
        return pb.ListHeldResponse(held=found, next_page_token=next_token(request, more))

    async def ResumeHeld(self, request: pb.ResumeHeldRequest, context: Context) -> pb.ResumeHeldResponse:  # noqa: N802
        """Try again."""
        act = _act(request, context, required=False)
        lane = await self._lane(request)
        try:
            return pb.ResumeHeldResponse(resumed=(await self._acts.resume(lane, act)).held)
        except NotHeld as error:
            raise _not_held(lane, error) from error

    async def SkipHeld(self, request: pb.SkipHeldRequest, context: Context) -> pb.SkipHeldResponse:  # noqa: N802
        """Never send it."""
        act = _act(request, context, required=True)
        lane = await self._lane(request)
        try:
            skipped = await self._acts.skip(lane, act)
        except NotHeld as error:
            raise _not_held(lane, error) from error
        if not skipped.again:
            self._metrics.effects.labels("orders", lane.target, "skipped").inc()
        return pb.SkipHeldResponse(skipped=skipped.held)

    async def MarkApplied(self, request: pb.MarkAppliedRequest, context: Context) -> pb.MarkAppliedResponse:  # noqa: N802
        """A person has made the document."""
        act = _act(request, context, required=True)
        external_id = _printable(request.external_id, "external_id")
        if not external_id:
            raise invalid("external_id", "the target's id of the document that was made")
        number = _printable(request.document_number, "document_number")
        lane = await self._lane(request)
        try:
            marked = await self._acts.mark_applied(lane, act, external_id, number)
        except NotHeld as error:
            raise _not_held(lane, error) from error
        return pb.MarkAppliedResponse(applied=marked.held)

    async def _lane(self, request: Request) -> Lane:
        """The lane that is named: exactly as `ListHeld` names it, or as an order is named anywhere."""
        key = request.name
        targets = await self._views.held_in(key, request.request_id)
        if not targets and not key.startswith("customer/"):
            key = (await asking.order(self._views, key)).name
            targets = await self._views.held_in(key, request.request_id)
        if request.target:
            return Lane(request.target, key)
        if not targets:
            raise precondition("NOT_HELD", f"{key} is not held anywhere")
        if len(targets) > 1:
            raise invalid("target", f"{key} is held in {', '.join(targets)}; say in which")
        return Lane(targets[0], key)


def _act(request: Request, context: Context, *, required: bool) -> Act:
    request_id = asking.request_id(request.request_id)
    return Act(actor(context), request_id, asking.note(request.reason, required=required))


def _printable(text: str, field: str) -> str:
    if len(text) > _ID_MAX or not text.isprintable():
        raise invalid(field, f"at most {_ID_MAX} printable characters")
    return text.strip()


def _not_held(lane: Lane, error: NotHeld) -> ApiError:
    return precondition("NOT_HELD", str(error), target=lane.target, name=lane.key)
