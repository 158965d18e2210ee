"""Orders with fresh numbers for the live suite, so that each case is independent of all that ran before."""

import uuid
from typing import Any

from adapters.odoo import OdooAdapter
from tallystick.contract.document import OrderDocument
from tallystick.ports import Found, Job, Refused
from tests.unit.adapters.odoo import jobs
from tests.unit.adapters.odoo.jobs import step, step_of

from .odoo_company import DESK, MUG

MUGS = {**jobs.MUGS, "sku": MUG}
TABLE = {**jobs.DESK, "sku": DESK}


def fresh(*lines: dict[str, Any], **parts: Any) -> OrderDocument:
    """An order that nobody has seen yet; three mugs and a desk (151.10 EUR) when no lines are given."""
    number = uuid.uuid4().hex[:12]
    return jobs.document(*(lines or (MUGS, TABLE)), **{"id": number, "number": number, **parts})


def again(made: OrderDocument, *lines: dict[str, Any], **parts: Any) -> OrderDocument:
    """The same order with other content."""
    return fresh(*lines, **{"id": made.order_id, "number": made.number, **parts})


async def refused(adapter: OdooAdapter, name: str, made: Job) -> Refused:
    """The refusal of a step, which there has to be."""
    (answer,) = await step(adapter.orders, name, made)
    assert isinstance(answer, Refused), answer
    return answer


async def probed(adapter: OdooAdapter, name: str, made: Job, *, whole: bool = False) -> Found:
    """What the server says about a step."""
    (found,) = await adapter.orders.probe(step_of(adapter.orders, made, name), [made], whole=whole)
    return found
