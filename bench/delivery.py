"""Orders a second from the canonical topic to the local ERP, against two loops that others write."""

import asyncio
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import UTC, datetime
from statistics import median

import orjson

from adapters.woocommerce.settings import Dialect
from adapters.woocommerce.translate import reading
from adapters.woocommerce.webhook import parse
from bench.adapter import spelled
from bench.children import Child, child
from bench.installation import CONTRACT, STORE, TARGET
from bench.orders import store_order
from bench.report import Progress
from bench.servers import Servers
from consumers.target import group
from tallystick.canonical.keys import order_key
from tallystick.canonical.times import to_timestamp
from tallystick.contract.document import OrderDocument
from tallystick.contract.load import load_contract
from tallystick.intake.door import to_event
from tallystick.kafka.admin import ensure_topics
from tallystick.kafka.codec import encode
from tallystick.kafka.consumer import rewind
from tallystick.kafka.producer import Message, Producer
from tallystick.kafka.topics import ALL, ORDERS, PRICES, Topic
from tallystick.marks import mark
from tallystick.settings import KafkaSettings
from tallystick.v1 import event_pb2

#: The topic of finished documents that the other loops read; any of ours that is unused here serves.
DOCUMENTS: Topic = PRICES
CONTENDERS = ("bare", "naive ledger", "ours")
PATIENCE_S = 300.0


@dataclass(frozen=True, slots=True)
class DeliveryFigures:
    """Medians in orders a second; the ratios are medians over neighbouring rounds."""

    ours_per_s: float
    bare_per_s: float
    naive_per_s: float
    ratio: float
    naive_ratio: float
    #: Of our worker after a round.
    rss_mb: float


async def measure(servers: Servers, progress: Progress, *, orders: int, rounds: int) -> DeliveryFigures:
    """Turn by turn; each round reads the same topics from the beginning and fills a fresh ledger."""
    prefix = servers.prefix()
    await ensure_topics(servers.kafka, KafkaSettings(partitions=8, prefix=prefix), ALL)
    progress.step(f"filling the topics with {orders} orders")
    await fill(servers.kafka, prefix, orders)
    rates: dict[str, list[float]] = {name: [] for name in CONTENDERS}
    rss_mb = 0.0
    async with child("erp") as erp:
        for number in range(rounds):
            for name in CONTENDERS:
                progress.step(f"delivery, {name}, round {number + 1} of {rounds}")
                rate, rss = await _round(servers, erp, name, prefix, orders)
                rates[name].append(rate)
                rss_mb = max(rss_mb, rss) if name == "ours" else rss_mb
    ratios = [ours / bare for ours, bare in zip(rates["ours"], rates["bare"], strict=True)]
    naive = [ours / other for ours, other in zip(rates["ours"], rates["naive ledger"], strict=True)]
    medians = {name: median(found) for name, found in rates.items()}
    return DeliveryFigures(
        medians["ours"], medians["bare"], medians["naive ledger"], median(ratios), median(naive), rss_mb
    )


async def _round(servers: Servers, erp: Child, name: str, prefix: str, orders: int) -> tuple[float, float]:
    database = await servers.database()
    await erp.ask(begin=True)
    await rewind(servers.kafka, group(TARGET), (ORDERS,), prefix=prefix)
    async with _contender(servers, name, prefix, str(erp.said["url"]), database) as contender:
        told = await _until(erp, orders)
        rss_mb = contender.rss_mb()
    await servers.drop(database)
    if told["documents"] != orders:
        raise RuntimeError(f"{name}: {told['documents']} documents for {orders} orders")
    return orders / float(str(told["elapsed_s"])), rss_mb


def _contender(servers: Servers, name: str, prefix: str, url: str, database: str) -> AbstractAsyncContextManager[Child]:
    if name == "ours":
        return child("our_delivery", servers.kafka, database, prefix, url)
    own = servers.prefix() + "loop"
    dsn = [database] if name == "naive ledger" else []
    return child("bare_delivery", servers.kafka, prefix + DOCUMENTS.name, own, url, *dsn)


async def _until(erp: Child, orders: int) -> dict[str, object]:
    ends_at_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < ends_at_s:
        told = await erp.ask()
        if told["distinct"] == orders:
            return told
        await asyncio.sleep(0.1)
    raise RuntimeError(f"only {told['distinct']} of {orders} orders arrived within {PATIENCE_S:.0f} s")


# ---- the orders ----------------------------------------------------------------------------------------------------


async def fill(kafka: str, prefix: str, orders: int) -> None:
    """The canonical orders on their topic, and the documents that the contract makes of them on another."""
    producer = Producer(kafka, prefix=prefix)
    await producer.start()
    pairs = list(messages(orders))
    for start in range(0, orders, 500):
        await producer.send_all([message for pair in pairs[start : start + 500] for message in pair])
    await producer.stop()


def messages(orders: int) -> Iterator[Sequence[Message]]:
    """For each order its event and its document."""
    contract = load_contract(CONTRACT)
    for number, event in enumerate(events(orders), start=1):
        document = contract.document(event.order)
        assert isinstance(document, OrderDocument)
        ref = order_key(STORE, str(number))
        body = orjson.dumps(spelled(ref, str(mark(ref, 1, b"")), document))
        yield encode(event), Message(DOCUMENTS, ref.encode(), body)


def events(orders: int, first: int = 1) -> Iterator[event_pb2.Event]:
    """As intake would publish them, each with amounts of its own."""
    for number in range(first, first + orders):
        event = to_event(STORE, reading(parse(store_order(number)), STORE, Dialect()))
        event.revision = 1
        event.received_at.CopyFrom(to_timestamp(datetime.now(UTC)))
        yield event
