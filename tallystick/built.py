"""What a contract makes of a head: a document with its mark, or nothing."""

from collections.abc import Callable
from dataclasses import dataclass

from tallystick.contract.document import Document
from tallystick.ledger.rows import Head, Row
from tallystick.ports import Refused
from tallystick.reasons import NotEligible


@dataclass(frozen=True, slots=True)
class Built:
    """A document as the contract made it, with its mark."""

    document: Document
    mark: str
    contract_version: str
    #: The customer that has to be in the target first, as a row of its own lane; None for none.
    customer: Row | None = None


@dataclass(frozen=True, slots=True)
class Unwanted:
    """There is nothing to make: the order ended before it had a document."""

    reason: NotEligible


#: The effects that book what differs from a locked document beside it; none where they stand there already, None where
#: it is to be held. Pure.
Beside = Callable[[Head], tuple[Row, ...] | Refused | None]
#: Makes the document of a head, or says why not. Pure.
Build = Callable[[Head], Built | Refused | Unwanted]
