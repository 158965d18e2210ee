"""The words of a contract's section `returns`: when goods on their way back are announced to the ERP, and where to."""

from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class RestockUnknown(StrEnum):
    """What it means for the stock when a store does not tell what became of goods."""

    YES = "yes"
    NO = "no"
    HOLD = "hold"


class ReturnWhen(StrEnum):
    """From which state of a return on the ERP has a document of it."""

    #: The buyer asks; what is declined later is taken off again.
    REQUESTED = "requested"
    #: The shop agreed: the warehouse is told what to expect.
    APPROVED = "approved"
    #: All of it was dealt with, or the return is closed.
    RECEIVED = "received"


class Returns(BaseModel):
    """Goods that come back, whether or not money is given back for them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    when: ReturnWhen = ReturnWhen.APPROVED
    #: Of a return that is over: pieces of which the store does not say what became of them.
    restock_unknown: RestockUnknown = RestockUnknown.HOLD
    #: Where goods go that are sold again: the store's location on the left, the ERP's place on the right. With rows, a
    #: location without one is held; without any, goods go back to where they left from.
    locations: dict[str, str] = {}
    #: The ERP's place for goods that somebody has to look at first; left out, they go where the others go.
    processing: str = ""
    #: The ERP's place for goods that are not sold again; left out, they are none of its business.
    not_restocked: str = ""
    #: The store's reason on the left, the ERP's words for it on the right; others are passed on as they are.
    reasons: dict[str, str] = {}
