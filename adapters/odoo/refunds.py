"""Refunds: a credit note each, beside the order and never a change of it. Load, read back, post.

A customer's credit note is an `account.move` of type `out_refund`, for the order's invoice address and in its currency.
"""

from collections.abc import Sequence

from tallystick.clock import Budget
from tallystick.contract.document import Document
from tallystick.pacing import Pacer
from tallystick.ports import Answer, Job, Step
from tallystick.reasons import HoldReason

from . import compare, deeds
from .deeds import to_be_booked
from .documents import CHECK, LOAD, DocumentSink
from .forms import CREDIT
from .parties import CreditedOrders, refund_of
from .readback import Known
from .records import Records
from .references import References
from .settings import OdooSettings
from .transport import Transport

POST = Step("post")


class RefundSinkOfOdoo(DocumentSink):
    """A `Sink` of credit notes."""

    def __init__(
        self, connection: str, settings: OdooSettings, transport: Transport, records: Records, references: References,
        pacer: Pacer,
    ) -> None:  # fmt: skip
        super().__init__(connection, settings, transport, records, references, pacer,
                         form=CREDIT, mark_field=settings.credit_mark_field,
                         parties=CreditedOrders(connection, records))  # fmt: skip
        self._makers |= {POST: self._post}

    def steps(self, document: Document) -> tuple[Step, ...]:
        """A draft is for people to post."""
        return (LOAD, CHECK, POST) if refund_of(document).confirm else (LOAD, CHECK)

    async def _post(self, jobs: Sequence[Job], budget: Budget) -> dict[str, Answer]:
        return await self._doer.do(deeds.POST, jobs, to_be_booked, budget)

    def _took_effect(self, step: Step, job: Job, known: Known) -> bool:
        return known.booked

    def _later(self, job: Job, known: Known) -> list[compare.Difference]:
        if known.booked or not refund_of(job.document).confirm:
            return []
        return [compare.Difference(HoldReason.LOCKED, f"the {known.called} is {known.values['state']!r} in Odoo")]
