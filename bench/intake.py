"""Deliveries a second at the edge, at 64 connections, against a bare aiohttp handler on the same broker."""

from dataclasses import dataclass
from statistics import median

from bench.children import Child, child
from bench.installation import SECRET
from bench.report import Progress
from bench.servers import Servers
from tallystick.kafka.admin import ensure_topics
from tallystick.kafka.topics import INTAKE
from tallystick.settings import KafkaSettings

CONNECTIONS = 64


@dataclass(frozen=True, slots=True)
class Served:
    """Medians over all rounds of one contender."""

    per_s: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True, slots=True)
class IntakeFigures:
    """Both contenders in the same run. `ratio` is the median of the ratios of neighbouring rounds."""

    ours: Served
    bare: Served
    ratio: float
    rss_mb: float


async def measure(servers: Servers, progress: Progress, *, rounds: int, seconds: float) -> IntakeFigures:
    """Turn by turn, so that what else the machine does hits both."""
    prefix, database = servers.prefix(), await servers.database()
    await ensure_topics(servers.kafka, KafkaSettings(partitions=8, prefix=prefix), (INTAKE,))
    async with (
        child("load", SECRET) as load,
        child("our_webhooks", servers.kafka, database, prefix) as ours,
        child("bare_webhooks", servers.kafka, prefix + INTAKE.name, SECRET) as bare,
    ):
        for contender in (bare, ours):
            await _round(load, contender, min(2.0, seconds))
        served: dict[str, list[dict[str, float]]] = {"bare": [], "ours": []}
        for number in range(rounds):
            for name, contender in (("bare", bare), ("ours", ours)):
                progress.step(f"intake, {name}, round {number + 1} of {rounds}")
                served[name].append(await _round(load, contender, seconds))
        rss_mb = ours.rss_mb()
    ratios = [mine["per_s"] / other["per_s"] for mine, other in zip(served["ours"], served["bare"], strict=True)]
    return IntakeFigures(_medians(served["ours"]), _medians(served["bare"]), median(ratios), rss_mb)


async def _round(load: Child, server: Child, seconds: float) -> dict[str, float]:
    answer = await load.ask(address=server.said["address"], connections=CONNECTIONS, seconds=seconds)
    if answer["failed"]:
        raise RuntimeError(f"{answer['failed']} deliveries were not answered by 200")
    return {name: float(str(value)) for name, value in answer.items()}


def _medians(rounds: list[dict[str, float]]) -> Served:
    return Served(*(median(one[name] for one in rounds) for name in ("per_s", "p50_ms", "p99_ms")))
