"""Returns: goods on their way back, a DELTA effect in the lane of their order, with or without money given back.

A revision of a return says all of it, so one that nothing was sent for gives way to a newer one: a return that is held
because nothing was delivered yet, and is then declined, holds nobody up. Once its document is made, a newer revision
cancels it (the return came to nothing), settles when it asks for the same, and is held with both figures when not.

A refund of a return gives back the money only: its goods come back by the return's document, whichever comes first.
"""

from tallystick.built import Built, Unwanted
from tallystick.canonical import returns
from tallystick.contract.document import Hold
from tallystick.flows.flow import Direction, Source
from tallystick.flows.marking import built
from tallystick.flows.plan import Plan
from tallystick.flows.revisions import part_row
from tallystick.kafka.topics import ORDERS
from tallystick.ledger.rows import Head, Row
from tallystick.ports import Refused
from tallystick.reasons import HoldReason, NotEligible
from tallystick.settings import FlowName, Mode
from tallystick.v1 import event_pb2, refund_pb2, return_pb2

ENTITY = "return"


class Returns:
    """Returns of a store become transfers of an ERP that bring the goods back, each once."""

    name = FlowName.RETURNS
    entity = ENTITY
    direction = Direction.TO_ERP
    topic = ORDERS

    def row(self, plan: Plan, event: event_pb2.Event, body: bytes, source: Source | None) -> Row | None:
        """One effect for a revision of a return; a return of an order that is not for the target makes none."""
        if plan.mode(self.name) is not Mode.LIVE or event.type != event_pb2.ENTITY_TYPE_RETURN:
            return None
        return part_row(ENTITY, of(event).order_id, "bring back", event, body, source)

    def build(self, plan: Plan, head: Head, event: event_pb2.Event) -> Built | Refused | Unwanted:
        """What the revision asks for: the document, its end, or nothing."""
        now = of(event)
        if event.gone or returns.is_over(now):
            if head.external_id is None:
                return Unwanted(NotEligible.GONE if event.gone else NotEligible.RETURN_OVER)
            return built(head, plan.contract.return_over(now), plan.contract.version)
        if head.settled_body is not None and not head.forced:
            return _changed(plan, event_pb2.Event.FromString(head.settled_body), now)
        if event.findings:
            finding = event.findings[0]
            return Refused(HoldReason(finding.reason), finding.detail)
        document = plan.contract.returned(now)
        if isinstance(document, NotEligible):
            return Unwanted(document)
        if isinstance(document, Hold):
            return Refused(document.reason, document.detail)
        return built(head, document, plan.contract.version)


def of(event: event_pb2.Event) -> return_pb2.Return:
    """The return that an event carries; its name is a word of Python."""
    returned: return_pb2.Return = getattr(event, "return")
    return returned


def _changed(plan: Plan, settled: event_pb2.Event, now: return_pb2.Return) -> Refused | Unwanted:
    """What a newer revision is to a return that was dealt with."""
    booked = of(settled)
    if not settled.gone and plan.contract.same_return(booked, now):
        return Unwanted(NotEligible.UNCHANGED)
    if settled.gone or returns.is_over(booked):
        words = "the return came to nothing in the store, and goes on there now; bring its goods back by hand"
    else:
        words = (
            f"the store changed the return after the ERP was told of it: {returns.in_words(booked)} came back, now it "
            f"is {returns.in_words(now)}; correct its transfer by hand"
        )
    return Refused(HoldReason.LOCKED, f"{words}, then mark as applied")


def brings_goods_of(plan: Plan, refund: refund_pb2.Refund) -> bool:
    """Whether the goods that a refund gives money for come back by the document of a return."""
    return bool(refund.return_id) and plan.mode(FlowName.RETURNS) is Mode.LIVE
