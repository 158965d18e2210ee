"""Jobs for the Odoo adapter, made as the engine makes them: an order by hand, the example contract, our marks."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

from adapters.odoo import OdooAdapter
from adapters.odoo.settings import OdooSettings
from simulators.odoo import Odoo, application, demo_company
from simulators.odoo import OdooSettings as OdooServer
from simulators.serving import serve
from tallystick.canonical import written
from tallystick.canonical.keys import key, order_key
from tallystick.clock import Budget, Clock, SystemClock
from tallystick.contract.compile import Contract
from tallystick.contract.document import (
    CustomerDocument,
    OrderDocument,
    PaymentDocument,
    RefundDocument,
    ReturnDocument,
)
from tallystick.contract.load import load_contract
from tallystick.marks import mark
from tallystick.ports import Answer, Applied, Job, Refused, Sink, Step
from tallystick.registry import Pace
from tallystick.secrets import Secret

CLOCK = SystemClock()
_CONTRACT = Path(__file__).resolve().parents[4] / "contracts" / "woocommerce-odoo.yaml"
MUGS = {"id": "11", "sku": "MUG", "title": "Mug", "quantity": 3, "amount": {"gross": "32.10"},
        "taxes": [{"rate_percent": "7"}]}  # fmt: skip
DESK = {"id": "12", "sku": "DESK", "title": "Desk", "quantity": 1, "amount": {"gross": "119.00"},
        "taxes": [{"rate_percent": "19"}]}  # fmt: skip
ONE_MUG = {"line_id": "11", "kind": "goods", "sku": "MUG", "title": "Mug", "quantity": 1, "restock": "no",
           "amount": {"gross": "10.70"}, "taxes": [{"rate_percent": "7"}]}  # fmt: skip
MUG_BACK = {"line_id": "11", "sku": "MUG", "title": "Mug", "quantity": 1, "reason": "too-small"}
BUYER = {"id": "77", "key": "77", "kind": "person", "name": "Erika Beispiel", "email": "erika@shop.example"}


@cache
def contract() -> Contract:
    """The example contract of a WooCommerce shop."""
    return load_contract(_CONTRACT)


def document(*lines: dict[str, Any], **parts: Any) -> OrderDocument:
    """What the contract makes of an order; mugs and a desk when no lines are given."""
    given = {
        "connection": "woocommerce",
        "id": "1042",
        "channel": "checkout",
        "customer": BUYER,
        "lines": list(lines or (MUGS, DESK)),
    }
    made = contract().document(written.order({**given, **parts}))
    assert isinstance(made, OrderDocument), made
    return made


def job(made: OrderDocument, revision: int = 1, *, sent: tuple[str, ...] = (), **more: Any) -> Job:
    """The effect of a revision of an order."""
    ref = order_key(made.connection, made.order_id)
    return Job(ref, revision, str(mark(ref, revision, repr(made).encode())), made, sent_lines=sent, **more)


def credited(order: OrderDocument, *lines: dict[str, Any], **parts: Any) -> RefundDocument:
    """What the contract makes of a refund of an order; one mug when no lines are given."""
    given = {"connection": order.connection, "order_id": order.order_id, "currency_code": order.currency, "id": "9"}
    made = contract().refund(written.refund({**given, "lines": list(lines or (ONE_MUG,)), **parts}))
    assert isinstance(made, RefundDocument), made
    return made


def refund_job(made: RefundDocument, order: Job, **more: Any) -> Job:
    """The effect of a refund, whose order is in Odoo."""
    ref = key(made.connection, made.order_id, "refund", made.refund_id)
    text = str(mark(ref, 1, repr(made).encode()))
    return Job(ref, 1, text, made, dependencies={"order": order.external_id or ""}, **more)


def sent_back(order: OrderDocument, *lines: dict[str, Any], **parts: Any) -> ReturnDocument:
    """What the contract makes of a return of an order; one mug when no lines are given."""
    given = {"connection": order.connection, "order_id": order.order_id, "id": "5", "number": "1042-R1"}
    made = contract().returned(written.returned({**given, "lines": list(lines or (MUG_BACK,)), **parts}))
    assert isinstance(made, ReturnDocument), made
    return made


def return_job(made: ReturnDocument, order: Job, revision: int = 1, **more: Any) -> Job:
    """The effect of a revision of a return, whose order is in Odoo."""
    ref = key(made.connection, made.order_id, "return", made.return_id)
    text = str(mark(ref, revision, repr(made).encode()))
    return Job(ref, revision, text, made, **{"dependencies": {"order": order.external_id or ""}, **more})


def paid(order: OrderDocument, **parts: Any) -> PaymentDocument:
    """What the contract makes of a payment of an order; the whole by card when nothing else is given."""
    given = {"id": "order-1042", "gateway": "stripe", "amount": str(order.total), "reference": "ch_1", **parts}
    names = {"connection": order.connection, "id": order.order_id, "number": order.number}
    sold = written.order({**names, "currency_code": order.currency, "lines": [], "payments": [given]})
    made = contract().payment(sold, sold.payments[0])
    assert isinstance(made, PaymentDocument), made
    return made


def payment_job(made: PaymentDocument, order: Job, **more: Any) -> Job:
    """The effect of a payment, whose order is in Odoo."""
    ref = key(made.connection, made.order_id, "payment", made.payment_id)
    text = str(mark(ref, 1, repr(made).encode()))
    return Job(ref, 1, text, made, dependencies={"order": order.external_id or ""}, **more)


def document_of(made: Job) -> OrderDocument:
    """The job's order."""
    assert isinstance(made.document, OrderDocument)
    return made.document


def refund_of(made: Job) -> RefundDocument:
    """The job's refund."""
    assert isinstance(made.document, RefundDocument)
    return made.document


def customer_job(customer: CustomerDocument, **more: Any) -> Job:
    """The effect that makes sure of a customer."""
    ref = key("customer", customer.connection, customer.key)
    return Job(ref, 1, str(mark(ref, 1, b"customer")), customer, **more)


def company(version: str) -> Odoo:
    """The company of the example contracts, with two products. Odoo 19 would round tax per document."""
    odoo = Odoo(OdooServer(version=version, rounding="round_per_line"))
    demo_company(odoo)
    odoo.add_product("MUG", "Mug", "10.00")
    odoo.add_product("DESK", "Desk", "100.00")
    return odoo


@asynccontextmanager
async def connected(odoo: Odoo, clock: Clock = CLOCK, **options: Any) -> AsyncIterator[OdooAdapter]:
    """The adapter, as long as the double is served."""
    async with serve(application(odoo)) as address:
        adapter = OdooAdapter("odoo", settings(address, odoo, **options), clock)
        try:
            yield adapter
        finally:
            await adapter.close()


def settings(address: str, odoo: Odoo, **options: Any) -> OdooSettings:
    """Those of a connection to the double, without a pace that tests would wait for."""
    given = {
        "url": address,
        "database": odoo.settings.database,
        "login": odoo.settings.login,
        "api_key": Secret.of(odoo.settings.key),
        "private_network": True,
        "pace": Pace(rate_per_s=10_000, burst=10_000, parallel=8),
        **options,
    }
    return OdooSettings.model_validate(given)


def budget(seconds: float = 20.0) -> Budget:
    """Time for one request."""
    return Budget(CLOCK, CLOCK.monotonic_s() + seconds)


async def prepared(sink: Sink, *jobs: Job) -> list[Job]:
    """The jobs with their references resolved, which has to succeed."""
    found = await sink.prepare(jobs)
    assert not any(isinstance(one, Refused) for one in found), found
    return [one for one in found if isinstance(one, Job)]


async def step(sink: Sink, name: str, *jobs: Job, seconds: float = 20.0) -> list[Answer]:
    """Prepare and make one step."""
    ready = await prepared(sink, *jobs)
    return list(await sink.send(step_of(sink, jobs[0], name), ready, budget(seconds)))


def step_of(sink: Sink, made: Job, name: str) -> Step:
    """The step of that name."""
    return next(one for one in sink.steps(made.document) if one.name == name)


async def with_customer(adapter: OdooAdapter, made: Job) -> Job:
    """The job with its customer in Odoo."""
    assert isinstance(made.document, OrderDocument)
    customer = customer_job(made.document.customer)
    (answer,) = await step(adapter.customers, "ensure", customer)
    assert isinstance(answer, Applied), answer
    return replace(made, dependencies={"customer": answer.external_id})


async def deliver(adapter: OdooAdapter, made: Job, *, until: str = "") -> Job:
    """An order by all steps; the job as the ledger knows it then."""
    return await deliver_to(adapter.orders, await with_customer(adapter, made), until=until)


async def deliver_to(sink: Sink, made: Job, *, until: str = "") -> Job:
    """All steps of a sink, one after the other, each of which has to be applied."""
    for one in sink.steps(made.document):
        (answer,) = await step(sink, one.name, made)
        assert isinstance(answer, Applied), (one.name, answer)
        made = replace(made, external_id=answer.external_id or made.external_id)
        if one.name == until:
            break
    if isinstance(made.document, PaymentDocument | ReturnDocument):
        return made
    assert isinstance(made.document, OrderDocument | RefundDocument)
    return replace(made, sent_lines=tuple(line.key for line in made.document.lines))


def revised(earlier: Job, made: OrderDocument, revision: int) -> Job:
    """The next revision of an order that is in Odoo."""
    known = {"external_id": earlier.external_id, "dependencies": earlier.dependencies}
    return job(made, revision, sent=earlier.sent_lines, **known)
