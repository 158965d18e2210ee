"""What sinks of orders and of credit notes have in common: load head and lines, read them back, probe by the mark.

The class is E1: `load` reads and writes External IDs in one repeatable-read transaction, so a repeated or a parallel
create folds into one document. Updates are unconditional: a request that was given up may land as late as the server
lets a request run.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Protocol

from tallystick.clock import Budget
from tallystick.contract.document import Document
from tallystick.pacing import Pacer
from tallystick.ports import Answer, Applied, Doubt, Found, Job, Refused, Step, Verdict
from tallystick.reasons import HoldReason

from . import compare
from .deeds import Doer
from .forms import Form
from .loading import Loader
from .parties import Parties
from .readback import Head, Known, Missing, Readback, StoredLine, lined
from .records import Records
from .references import References
from .resolve import Ready, Resolver, removed_lines
from .rows import Item
from .settings import OdooSettings
from .traits import operation_traits
from .translate import Spelling
from .transport import Transport
from .versions import dialect_of

LOAD = Step("load", marks=True)
CHECK = Step("check", writes=False)
Made = Callable[[Sequence[Job], Budget], Awaitable[dict[str, Answer]]]


class Parts(Protocol):
    """Of one connection, what its sinks share."""

    connection: str
    settings: OdooSettings
    transport: Transport
    records: Records
    references: References
    pacer: Pacer
