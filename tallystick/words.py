"""Where an order or a record is and what happened to it, as sentences for people. No personal data."""

from tallystick.canonical.keys import parts
from tallystick.reasons import words
from tallystick.v1 import order_sync_pb2 as pb
from tallystick.v1 import record_pb2

_STATES = {
    pb.SYNC_STATE_ACCEPTED: "its newest revision is on its way to {target}",
    pb.SYNC_STATE_SYNCING: "it is being written to {target}",
    pb.SYNC_STATE_WAITING: "it waits and goes on by itself: {reason}",
    pb.SYNC_STATE_HELD: "it is held until somebody acts: {reason}",
    pb.SYNC_STATE_SYNCED: "it is in {target} as {document}",
    pb.SYNC_STATE_NOT_ELIGIBLE: "it is not for {target}: {reason}",
    pb.SYNC_STATE_SKIPPED: "somebody decided that it is not sent to {target}",
    pb.SYNC_STATE_ADOPTED: "it was in {target} before us as {document}, and is only observed",
}

_EVENTS = {
    pb.ORDER_EVENT_KIND_FIRST_SEEN: "{it} was seen for the first time",
    pb.ORDER_EVENT_KIND_RECORDED: "revision {revision} was written down for {target}",
    pb.ORDER_EVENT_KIND_STEP_DONE: "revision {revision}: {target} has done the step {step}",
    pb.ORDER_EVENT_KIND_CHECKED: "revision {revision}: what {target} holds was read back and is right",
    pb.ORDER_EVENT_KIND_IN_DOUBT: "revision {revision}: an answer of {target} was lost, so it is looked up",
    pb.ORDER_EVENT_KIND_HELD: "revision {revision} is held: {reason}",
    pb.ORDER_EVENT_KIND_APPLIED: "revision {revision} is in {target}{document}",
    pb.ORDER_EVENT_KIND_VERIFIED: "revision {revision} was compared with {target}: nothing differs",
    pb.ORDER_EVENT_KIND_SUPERSEDED: "revision {revision} gave way to a newer one",
    pb.ORDER_EVENT_KIND_NOT_ELIGIBLE: "revision {revision} is not for {target}",
    pb.ORDER_EVENT_KIND_RESYNC_REQUESTED: "{actor} asked for a resync into {target}",
    pb.ORDER_EVENT_KIND_RESUMED: "{actor} resumed what was held for {target}: {reason}",
    pb.ORDER_EVENT_KIND_SKIPPED: "{actor} skipped what was held for {target}: {reason}",
    pb.ORDER_EVENT_KIND_MARKED_APPLIED: "{actor} marked revision {revision} as applied in {target}{document}",
    pb.ORDER_EVENT_KIND_ADOPTED: "{actor} bound the order to a document that {target} had before us",
}


def state_words(sync: pb.TargetSync | record_pb2.Record) -> str:
    """The state of an order, or of a record, in one target."""
    document = sync.document_number or sync.external_id or "a document"
    text = _STATES.get(sync.state, "its state is not known")
    reason = words(sync.reason) if sync.reason else "the reason is not known"
    return text.format(target=sync.target, document=document, reason=reason)


def record_words(record: record_pb2.Record) -> str:
    """The state of a record; one behind something that is held waits for that, and for the person who acts on it."""
    if record.behind:
        return f"it waits behind {record.behind}, which is held: {words(record.reason)}"
    if record.state == pb.SYNC_STATE_NOT_ELIGIBLE and not record.reason:
        return f"it is not for {record.target}: {record.detail or 'the reason is not known'}"
    return state_words(record)


def event_words(event: pb.OrderEvent) -> str:
    """One moment in the story of an order."""
    if event.kind not in _EVENTS:
        return "something happened that this version has no words for"
    about = _about(event)
    return about + _EVENTS[event.kind].format(
        revision=event.revision,
        target=event.target,
        step=event.step or "that was due",
        reason=words(event.reason) if event.reason else event.detail or "the reason is not known",
        actor=event.actor or "somebody",
        it="it" if about else "the order",
        document=f" as {event.document}" if event.document else "",
    )


def _about(event: pb.OrderEvent) -> str:
    """Which part of the order; nothing for the order itself."""
    if event.entity_type in ("", "order"):
        return ""
    return f"{event.entity_type} {short_name(event.record)}: " if event.record else f"{event.entity_type}: "


def short_name(record: str) -> str:
    """What is left of a record's name within its order: the id in the store, or the revision that made it."""
    names = parts(record)
    return names[3] if len(names) > 3 else names[-1]
