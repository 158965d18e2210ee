"""`/metrics`, `/healthz` and `/readyz` as operators and Prometheus see them."""

import asyncio
import time

import aiohttp
import pytest
from prometheus_client.parser import text_string_to_metric_families

from service.telemetry import telemetry_server
from tallystick.errors import SetupError
from tallystick.installation import Installation
from tests.integration.webhooks_help import installation_at


def installation() -> Installation:
    return installation_at("", "")


async def get(address: str, path: str, accept: str = "") -> tuple[int, str, str]:
    async with (
        aiohttp.ClientSession() as client,
        client.get(f"http://{address}{path}", headers={"Accept": accept}) as answer,
    ):
        return answer.status, answer.headers.get("Content-Type", ""), await answer.text()


async def test_metrics_are_what_prometheus_reads() -> None:
    blank = installation()
    blank.metrics.circuit_state.labels("odoo").set(2)
    async with telemetry_server(blank, list) as address:
        status, content_type, text = await get(address, "/metrics")
        _, open_metrics, _ = await get(address, "/metrics", "application/openmetrics-text; version=1.0.0")
    samples = {
        (sample.name, *sorted(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert (status, content_type.split(";")[0]) == (200, "text/plain")
    assert open_metrics.startswith("application/openmetrics-text")
    assert samples[("tallystick_circuit_state", ("target", "odoo"))] == 2
    assert [key[1][0] for key in samples if key[0] == "tallystick_build_info"] == ["version"]
    assert [len(key[1][1]) for key in samples if key[0] == "tallystick_config_info"] == [12]


def block(seconds: float) -> None:
    """As a computation that never gives way."""
    time.sleep(seconds)


async def test_a_blocked_loop_shows_in_its_lag() -> None:
    """F30: what nobody sees from outside until everything times out."""
    blank = installation()
    async with telemetry_server(blank, list):
        await asyncio.sleep(0)
        block(0.6)
        async with asyncio.timeout(30):
            while not (blank.metrics.registry.get_sample_value("tallystick_event_loop_lag_seconds_count") or 0):
                await asyncio.sleep(0.02)
    late = blank.metrics.registry.get_sample_value("tallystick_event_loop_lag_seconds_sum")
    assert late is not None
    assert late > 0.3


async def test_readiness_says_what_is_missing_and_liveness_does_not_care() -> None:
    missing = ["the webhook server does not listen yet", "Kafka does not answer"]
    async with telemetry_server(installation(), lambda: missing) as address:
        assert await get(address, "/readyz") == (
            503,
            "text/plain; charset=utf-8",
            "not ready: the webhook server does not listen yet\nnot ready: Kafka does not answer\n",
        )
        assert (await get(address, "/healthz"))[0] == 200
        missing.clear()
        assert (await get(address, "/readyz"))[0] == 200


async def test_the_configuration_shows_as_a_digest_only() -> None:
    """S16: two processes can be compared, and nothing of what they were told is told on."""
    async with telemetry_server(installation(), list) as address:
        _, _, text = await get(address, "/metrics")
    assert not any(word in text for word in ("whs-secret", "hush", "woo.example"))


async def test_an_address_that_is_taken_is_a_fault_of_the_setup() -> None:
    first = installation()
    async with telemetry_server(first, list) as address:
        listen = first.settings.listen.model_copy(update={"telemetry": address})
        second = installation()
        taken = Installation(
            second.settings.model_copy(update={"listen": listen}),
            second.adapters,
            {},
            second.addresses,
            second.clock,
            second.timing,
            second.metrics,
        )
        with pytest.raises(SetupError, match="give a free host:port"):
            async with telemetry_server(taken, list):
                pass
