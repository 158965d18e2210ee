"""Orders: a STATE effect for each revision, in the lane that everything else about the order shares."""

from tallystick.built import Built, Unwanted
from tallystick.canonical.keys import order_key
from tallystick.contract.document import Hold
from tallystick.flows import customers
from tallystick.flows.flow import Direction, Source
from tallystick.flows.marking import built
from tallystick.flows.plan import Plan
from tallystick.flows.revisions import revision_row
from tallystick.kafka.topics import ORDERS
from tallystick.ledger.rows import Head, Row
from tallystick.ports import Refused
from tallystick.reasons import HoldReason, NotEligible
from tallystick.settings import FlowName, Mode
from tallystick.v1 import event_pb2, order_pb2

ENTITY = "order"
_NEVER_BOOKED = (order_pb2.ORDER_STATE_CANCELLED, order_pb2.ORDER_STATE_FAILED, order_pb2.ORDER_STATE_DRAFT)


class Orders:
    """Sales orders of a store become documents of an ERP."""

    name = FlowName.ORDERS
    entity = ENTITY
    direction = Direction.TO_ERP
    topic = ORDERS

    def row(self, plan: Plan, event: event_pb2.Event, body: bytes, source: Source | None) -> Row | None:
        """One effect for a revision; what is not eligible is recorded with its reason."""
        if plan.mode(self.name) is Mode.OFF or event.type != event_pb2.ENTITY_TYPE_ORDER:
            return None
        lane = order_key(event.connection, event.object_id)
        not_eligible = self._eligibility(plan, event)
        return revision_row(ENTITY, lane, event, body, source, not_eligible=not_eligible)

    def _eligibility(self, plan: Plan, event: event_pb2.Event) -> NotEligible | None:
        """Why the order is not for the target; None when it is."""
        if plan.mode(self.name) is not Mode.LIVE:
            return NotEligible.NOT_ROLLED_OUT
        if event.gone:
            return NotEligible.GONE
        return plan.contract.eligibility(event.order, plan.route.since, plan.route.only)

    def build(self, plan: Plan, head: Head, event: event_pb2.Event) -> Built | Refused | Unwanted:
        """The document with its customer; or why there is none."""
        state = plan.contract.understood(event.order).state
        over = event.gone or state in _NEVER_BOOKED
        if over and head.external_id is None and head.intents == 0:
            return Unwanted(NotEligible.GONE if event.gone else NotEligible.CANCELLED)
        if over and head.credited:
            return Refused(HoldReason.LOCKED, _credited_words(event))
        if over:
            cancels = plan.contract.cancels and not event.gone and state == order_pb2.ORDER_STATE_CANCELLED
            return _cancelled(plan, head, event) if cancels else Refused(HoldReason.LOCKED, _over_words(event))
        if plan.contract.risky(event.order):
            return Refused(HoldReason.FRAUD_RISK, _risk_words(head, event))
        if event.findings:
            finding = event.findings[0]
            return Refused(HoldReason(finding.reason), finding.detail)
        document = plan.contract.document(event.order)
        if isinstance(document, Hold):
            return Refused(document.reason, document.detail)
        return built(head, document, plan.contract.version, customers.ensure(head, document.customer))


def _cancelled(plan: Plan, head: Head, event: event_pb2.Event) -> Built | Refused:
    """The document to be cancelled. Whether its money adds up, or has counterparts, does not matter any more."""
    made = plan.contract.build(event.order)
    verdict = made.report.verdict()
    if made.document is None:
        return Refused(HoldReason.DATA, verdict.detail if verdict else "the order cannot be read")
    return built(head, made.document, plan.contract.version)


def _credited_words(event: event_pb2.Event) -> str:
    """Cancelling the document would leave credits of a sale that never was, or a sale that was added to it."""
    what = "is no longer in the store" if event.gone else f"is {event.order.store_state or 'cancelled'} in the store"
    how = "credit what is left of it, or cancel its document together with those"
    return (
        f"the order {what}, but credits or supplements of it are booked beside it: {how} by hand, then mark as applied"
    )


def _over_words(event: event_pb2.Event) -> str:
    what = "is no longer in the store" if event.gone else f"is {event.order.store_state or 'cancelled'} in the store"
    return f"the order {what}, but its document is there already; cancel that in the target, then mark it as applied"


def _risk_words(head: Head, event: event_pb2.Event) -> str:
    """Not `Unwanted`: what belongs to the order would end with it, and has to wait for the store's next word."""
    level = order_pb2.RiskLevel.Name(event.order.risk).removeprefix("RISK_LEVEL_").lower()
    told = f"the store sees a {level} risk of fraud; once it clears the order, this goes on by itself"
    if head.external_id is None:
        return told
    return f"{told}. Its document is there already: stop its delivery in the target until then, or cancel the order"
