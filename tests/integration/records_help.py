"""Refunds, payments, shipments and customers in the ledger of a world, by the rows that their flows would make."""

import uuid
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tallystick.canonical.keys import key, order_key
from tallystick.canonical.money import money
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.objects import ObjectKey, Objects, Seen, Sighting
from tallystick.ledger.rows import Claim, EffectState, Head, Intent, Kind, Outcome, Row
from tallystick.reasons import HoldReason, WaitReason
from tallystick.stack import Stack
from tallystick.v1 import (
    customer_pb2,
    event_pb2,
    fulfilment_pb2,
    order_pb2,
    order_sync_pb2,
    price_pb2,
    record_pb2,
    refund_pb2,
    return_pb2,
)
from tallystick.v1.record_pb2_grpc import RecordServiceStub
from tests.integration.api_help import DEADLINE_S, World, open_world
from tests.unit.contract.written import rules

#: What nobody may read in an answer.
CANARY = "Somchai Canary"
_DONE = (EffectState.APPLIED, EffectState.VERIFIED)


def open_records(stack: Stack, dsn: str, folder: Path, more: str = "") -> AbstractAsyncContextManager[World]:
    """A world whose route carries refunds; `more` is what its contract says beside the usual."""
    contract = folder / "records.yaml"
    contract.write_text(rules() + more)
    route = {
        "store": "shop",
        "erp": "erp",
        "contract": contract,
        "since": "2020-01-01T00:00:00Z",
        "flows": {"refunds": "live"},
    }
    return open_world(stack, dsn, folder, routes=[route])


# ---- what crosses --------------------------------------------------------------------------------------------------


def refund(refund_id: str, order_id: str = "1", total: str = "5.00", revision: int = 1) -> Row:
    """A revision of a refund."""
    content = refund_pb2.Refund(id=refund_id, order_id=order_id, total=money("EUR", Decimal(total)), reason=CANARY)
    event = event_pb2.Event(type=event_pb2.ENTITY_TYPE_REFUND, refund=content)
    entity = key("shop", order_id, "refund", refund_id)
    return _row("refund", entity, order_key("shop", order_id), event, refund_id, revision=revision)


def goods_back(return_id: str, order_id: str = "1") -> Row:
    """Goods of an order on their way back."""
    line = return_pb2.ReturnLine(line_id="l1", quantity="2")
    content = return_pb2.Return(number="#1042-R1", state=return_pb2.RETURN_STATE_OPEN, lines=[line])
    event = event_pb2.Event(type=event_pb2.ENTITY_TYPE_RETURN)
    getattr(event, "return").CopyFrom(content)
    entity = key("shop", order_id, "return", return_id)
    return _row("return", entity, order_key("shop", order_id), event, return_id)


def payment(payment_id: str, order_id: str = "1", amount: str = "25.00") -> Row:
    """A payment of an order."""
    paid = order_pb2.Payment(id=payment_id, gateway="card", reference="ch_77", amount=money("EUR", Decimal(amount)))
    event = event_pb2.Event(type=event_pb2.ENTITY_TYPE_ORDER, order=order_pb2.Order(payments=[paid]))
    entity = key("shop", order_id, "payment", payment_id)
    return _row("payment", entity, order_key("shop", order_id), event, payment_id)


def shipment(shipment_id: str, order_id: str = "1", number: str = "1Z999", revision: int = 1) -> Row:
    """What the ERP shipped of an order, for the store."""
    tracking = fulfilment_pb2.Tracking(carrier="DHL", number=number)
    content = fulfilment_pb2.Fulfilment(id=shipment_id, warehouse_id="WH", trackings=[tracking])
    event = event_pb2.Event(type=event_pb2.ENTITY_TYPE_FULFILMENT, fulfilment=content)
    entity = key("erp", "fulfilment", shipment_id)
    lane = order_key("shop", order_id)
    return _row("fulfilment", entity, lane, event, str(revision), "erp", Kind.STATE, revision)


def customer(name: str, revision: int = 1) -> Row:
    """A revision of a customer; 0 is what an order made sure of."""
    company = customer_pb2.Company(payment_terms="Net 30")
    content = customer_pb2.Customer(key=name, kind=customer_pb2.CUSTOMER_KIND_COMPANY, name=CANARY, company=company)
    event = event_pb2.Event(type=event_pb2.ENTITY_TYPE_CUSTOMER, customer=content)
    entity = key("customer", "shop", name)
    return _row("customer", entity, entity, event, str(revision), "shop", Kind.STATE, revision)


def price(sku: str) -> Row:
    """What the ERP asks for a product, for the store."""
    event = event_pb2.Event(type=event_pb2.ENTITY_TYPE_PRODUCT, product=price_pb2.Product(sku=sku, title=sku))
    entity = key("shop", "price", sku)
    return _row("price", entity, entity, event, "1", "erp", Kind.STATE)


def _row(
    kind: str,
    entity: str,
    lane: str,
    event: event_pb2.Event,
    op_id: str,
    connection: str = "shop",
    effect: Kind = Kind.DELTA,
    revision: int = 1,
) -> Row:
    return Row(
        lane_key=lane,
        connection=connection,
        entity_type=kind,
        entity_id=entity,
        operation="tell",
        op_id=op_id,
        kind=effect,
        revision=revision,
        body=event.SerializeToString(),
        external_ref=entity,
        received_at=datetime.now(UTC),
    )


async def shown(world: World, order_id: str, *refunds: str, number: str = "") -> None:
    """The store shows an order with its refunds; the target has not heard of them."""
    objects = Objects(world.pool)
    (started,) = await objects.draw()
    parts = [Sighting(ObjectKey("shop", "refund", one), b"1", None, parent=order_id) for one in refunds]
    main = Sighting(ObjectKey("shop", "order", order_id), b"1", None, number=number or f"#{order_id}")
    await objects.accept([Seen(main, tuple(parts), started)])


async def met(world: World, name: str) -> None:
    """The store shows a customer."""
    objects = Objects(world.pool)
    (started,) = await objects.draw()
    await objects.accept([Seen(Sighting(ObjectKey("shop", "customer", name), b"1", None), (), started)])


# ---- what becomes of it --------------------------------------------------------------------------------------------


def to_store(world: World) -> Ledger:
    """The ledger of the way back."""
    return Ledger(world.pool, "shop", "tests", world.installation.timing, 1.0)


async def take(ledger: Ledger, *rows: Row) -> list[Claim]:
    """Record rows; the lanes that were free are ours."""
    return list((await ledger.record(rows)).claims)


async def end(ledger: Ledger, claims: Sequence[Claim], **fields: Any) -> None:
    """Whatever is at the head of lanes of ours ends in one step, all of it the same way."""
    while claims:
        heads, _ = await ledger.heads(claims)
        if not heads:
            return
        await ledger.intend([Intent(head, "1+test", None) for head in heads])
        settled = await ledger.settle([_outcome(head, **fields) for head in heads])
        claims = settled.mine


def _outcome(
    head: Head,
    state: EffectState = EffectState.APPLIED,
    hold: HoldReason | None = None,
    wait: WaitReason | None = None,
    detail: str | None = None,
    what: str = "",
    doubt: bool = False,
) -> Outcome:
    done = state in _DONE
    return Outcome(
        claim=head.claim,
        seq=head.seq,
        was_state=EffectState.IN_FLIGHT,
        was_step=head.step,
        state=state,
        step=head.step,
        what=what or ("held" if hold else "applied" if done else ""),
        hold=hold,
        wait=wait,
        due_in_s=3600.0,
        detail=detail,
        doubt=doubt,
        external_id=f"7{head.seq}" if done else None,
        number=f"DOC/{head.seq}" if done else "",
        applied_revision=head.revision if done else None,
        contract_version="1+test",
    )


# ---- what is asked -------------------------------------------------------------------------------------------------


def service(world: World) -> Any:
    """The client."""
    return RecordServiceStub(world.channel)


async def record(world: World, name: str, target: str = "") -> record_pb2.Record:
    """The one record of that name."""
    request = record_pb2.GetRecordRequest(name=name, target=target)
    (found,) = (await service(world).GetRecord(request, timeout=DEADLINE_S)).records
    one: record_pb2.Record = found
    return one


async def stands(world: World, name: str) -> tuple[str, str]:
    """State and reason of a record."""
    found = await record(world, name)
    return order_sync_pb2.SyncState.Name(found.state).removeprefix("SYNC_STATE_"), found.reason


async def pages(world: World, **fields: Any) -> list[list[record_pb2.Record]]:
    """All pages of a list."""
    found: list[list[record_pb2.Record]] = []
    request = record_pb2.ListRecordsRequest(**fields)
    while True:
        answer = await service(world).ListRecords(request, timeout=DEADLINE_S)
        found.append(list(answer.records))
        request.page_token = answer.next_page_token
        if not answer.next_page_token:
            return found


async def listed(world: World, **fields: Any) -> list[str]:
    """The names of all pages."""
    return [one.name for page in await pages(world, **fields) for one in page]


async def story(world: World, **fields: Any) -> list[order_sync_pb2.OrderEvent]:
    """All pages of the story of the order shop/1."""
    found: list[order_sync_pb2.OrderEvent] = []
    request = order_sync_pb2.ListOrderEventsRequest(name="shop/1", **fields)
    while True:
        answer = await world.syncs.ListOrderEvents(request, timeout=DEADLINE_S)
        found += answer.events
        request.page_token = answer.next_page_token
        if not answer.next_page_token:
            return found


def request_id() -> str:
    """Never twice the same."""
    return uuid.uuid4().hex
