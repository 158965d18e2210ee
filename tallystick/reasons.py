"""The closed lists of reasons: why a lane is held, why it waits, why an order is not for the ERP at all.

They are written to the ledger, shown by the API, and are the only labels that metrics carry for trouble.
"""

from enum import StrEnum


class HoldReason(StrEnum):
    """A person has to look. The lane has no due time; its value is the plain sentence an accountant reads."""

    DATA = "DATA"
    MAPPING = "MAPPING"
    UNBALANCED = "UNBALANCED"
    LOCKED = "LOCKED"
    FOREIGN = "FOREIGN"
    DELETED_IN_TARGET = "DELETED_IN_TARGET"
    IN_DOUBT_NO_LOOKUP = "IN_DOUBT_NO_LOOKUP"
    ATTEMPTS = "ATTEMPTS"
    PARENT_SKIPPED = "PARENT_SKIPPED"
    PARENT_MISSING = "PARENT_MISSING"
    EDIT_OR_REFUND_UNCLEAR = "EDIT_OR_REFUND_UNCLEAR"
    FRAUD_RISK = "FRAUD_RISK"

    @property
    def words(self) -> str:
        """The reason in words, without the detail."""
        return _HOLD_WORDS[self]

    @property
    def advice(self) -> str:
        """What a person does about it."""
        return _HOLD_ADVICE[self]


_HOLD_WORDS = {
    HoldReason.DATA: "the target refused the content",
    HoldReason.MAPPING: "something in the order has no counterpart in the target or in the contract's tables",
    HoldReason.UNBALANCED: "the amounts do not add up to the total",
    HoldReason.LOCKED: "the document in the target can no longer be changed",
    HoldReason.FOREIGN: "the document found under our reference is not ours",
    HoldReason.DELETED_IN_TARGET: "the document was deleted in the target; it is never made anew silently",
    HoldReason.IN_DOUBT_NO_LOOKUP: "an answer was lost and the target offers no way to look it up",
    HoldReason.ATTEMPTS: "every attempt failed",
    HoldReason.PARENT_SKIPPED: "the order that this belongs to was skipped",
    HoldReason.PARENT_MISSING: "the order that this belongs to has not come",
    HoldReason.EDIT_OR_REFUND_UNCLEAR: "the store does not tell whether quantities were edited or refunded",
    HoldReason.FRAUD_RISK: "the store sees a risk of fraud",
}

_HOLD_ADVICE = {
    HoldReason.DATA: "put right what the target refused, where it comes from or in the target, and resume it",
    HoldReason.MAPPING: "make the counterpart in the target, or add its row to the contract, and resume it",
    HoldReason.UNBALANCED: "correct the amounts in the store; or book it by hand and mark it as applied",
    HoldReason.LOCKED: "make the change in the target by hand and mark it as applied; or skip it",
    HoldReason.FOREIGN: "take our reference off the document that is not ours, and resume it",
    HoldReason.DELETED_IN_TARGET: "make the document anew by hand and mark it as applied; or skip it",
    HoldReason.IN_DOUBT_NO_LOOKUP: "look in the target: mark it as applied if it is there, else resume it",
    HoldReason.ATTEMPTS: "end what made the attempts fail, and resume it",
    HoldReason.PARENT_SKIPPED: "skip it as its order was; or book it by hand and mark it as applied",
    HoldReason.PARENT_MISSING: "resync the order that it belongs to; it goes on once that has come",
    HoldReason.EDIT_OR_REFUND_UNCLEAR: "compare the document with the store, correct it, and mark this as applied",
    HoldReason.FRAUD_RISK: "clear the order in the store, and it goes on by itself; or cancel it there",
}


class WaitReason(StrEnum):
    """It goes on by itself at the lane's due time."""

    THROTTLED = "THROTTLED"
    TARGET_DOWN = "TARGET_DOWN"
    TRANSIENT = "TRANSIENT"
    DEPENDENCY = "DEPENDENCY"
    QUIET_TIME = "QUIET_TIME"
    LATE_WINDOW = "LATE_WINDOW"

    @property
    def words(self) -> str:
        """The reason in words."""
        return _WAIT_WORDS[self]


_WAIT_WORDS = {
    WaitReason.THROTTLED: "the target asks for a slower pace",
    WaitReason.TARGET_DOWN: "the target does not answer",
    WaitReason.TRANSIENT: "the last try failed for a passing reason",
    WaitReason.DEPENDENCY: "something that it needs is not in the target yet",
    WaitReason.QUIET_TIME: "an answer was lost, and what was sent may still become visible in the target",
    WaitReason.LATE_WINDOW: "an earlier request without an answer may still arrive at the target",
}


class NotEligible(StrEnum):
    """Seen, and by rule not for the ERP: a source object without effects."""

    DRAFT = "DRAFT"
    PENDING_PAYMENT = "PENDING_PAYMENT"
    UNPAID = "UNPAID"
    PAYMENT_FAILED = "PAYMENT_FAILED"
    CANCELLED = "CANCELLED"
    ORDER_CANCELLED = "ORDER_CANCELLED"
    UNCHANGED = "UNCHANGED"
    RETURN_PENDING = "RETURN_PENDING"
    RETURN_OVER = "RETURN_OVER"
    NO_GOODS = "NO_GOODS"
    TEST_ORDER = "TEST_ORDER"
    COPY = "COPY"
    FRAUD_RISK = "FRAUD_RISK"
    BEFORE_SINCE = "BEFORE_SINCE"
    NOT_ROLLED_OUT = "NOT_ROLLED_OUT"
    GONE = "GONE"
    NOT_FOR_SALE = "NOT_FOR_SALE"
    NO_PRICE = "NO_PRICE"
    OUTDATED = "OUTDATED"
    CONSUMER = "CONSUMER"
    MASKED = "MASKED"

    @property
    def words(self) -> str:
        """The reason in words."""
        return _NOT_ELIGIBLE_WORDS[self]


_NOT_ELIGIBLE_WORDS = {
    NotEligible.DRAFT: "it was never placed (a draft or a checkout left behind)",
    NotEligible.PENDING_PAYMENT: "the buyer has not finished the payment, so it is not placed yet",
    NotEligible.UNPAID: "it is not paid yet, and the contract books orders when they are paid",
    NotEligible.PAYMENT_FAILED: "its payment failed",
    NotEligible.CANCELLED: "it was cancelled before a document was made",
    NotEligible.ORDER_CANCELLED: "its order was cancelled as a whole, and the order's document with it",
    NotEligible.UNCHANGED: "nothing that is booked has changed since it was booked",
    NotEligible.RETURN_PENDING: "it is not as far as the contract asks for before the ERP is told of it",
    NotEligible.RETURN_OVER: "it was declined or cancelled before the ERP was told of it",
    NotEligible.NO_GOODS: "no goods come back by it that the ERP keeps",
    NotEligible.TEST_ORDER: "it is a test order",
    NotEligible.COPY: "it is a copy of another channel's order, which crosses from there",
    NotEligible.FRAUD_RISK: "the store sees a risk of fraud; it goes on by itself once the store clears it",
    NotEligible.BEFORE_SINCE: "it was placed before the route's start; adopt it to bind an existing document",
    NotEligible.NOT_ROLLED_OUT: "the route is not live for this kind of order",
    NotEligible.GONE: "it is no longer in the store",
    NotEligible.NOT_FOR_SALE: "it is not for sale in the ERP (archived, or not to be sold)",
    NotEligible.NO_PRICE: "the ERP has no price of it in the list that the contract names",
    NotEligible.OUTDATED: "the figure waited too long to be sent and is decided anew",
    NotEligible.CONSUMER: "it is a consumer, and the contract carries companies by themselves only",
    NotEligible.MASKED: "the store masks its name or address, and nothing masked enters the target",
}


def words(reason: str) -> str:
    """Any reason in words; its name in small letters where another version wrote it."""
    for kind in (HoldReason, WaitReason, NotEligible):
        if reason in kind.__members__:
            return kind[reason].words
    return reason.replace("_", " ").lower()


def advice(reason: str) -> str:
    """What a person does about a reason for a hold; empty where another version wrote it."""
    return HoldReason[reason].advice if reason in HoldReason.__members__ else ""


def not_eligible(said: str) -> str:
    """The reason that these are the words of; empty for none."""
    return next((reason for reason, text in _NOT_ELIGIBLE_WORDS.items() if text == said), "")
