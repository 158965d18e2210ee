"""Deliveries at the edge: who is let in, what is kept of them, and what each answer says (reliability S1 to S3)."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import structlog

from adapters.woocommerce import KIND as WOOCOMMERCE
from tallystick.clock import SystemClock
from tallystick.intake.delivery import from_record
from tallystick.kafka.consumer import Record
from tallystick.secrets import Secret
from tallystick.stack import Stack
from tests.integration.webhooks_help import (
    ODD_BODY,
    SHOPIFY_SECRETS,
    WOO_SECRETS,
    Edge,
    fresh_edge,
    on_topic,
    shopify_headers,
    woo_headers,
)


@pytest.fixture
async def running(stack: Stack, database: str, topic_prefix: str) -> AsyncIterator[Edge]:
    async with fresh_edge(stack.kafka, database, topic_prefix) as running:
        yield running


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as client:
        yield client


async def post(client: aiohttp.ClientSession, url: str, body: bytes, headers: dict[str, str]) -> int:
    async with client.post(url, data=body, headers=headers) as answer:
        await answer.read()
        return answer.status


async def arrived(stack: Stack, running: Edge, client: aiohttp.ClientSession) -> list[Record]:
    """What is on the intake topic, besides one delivery that tells that all before it would be there."""
    last = b'{"id":999999}'
    assert await post(client, running.url(), last, woo_headers(last)) == 200
    found = await on_topic(stack.kafka, running.prefix)
    assert await running.pending.backlog() == []
    return [record for record in found if record.value != last]


# ---- what is kept --------------------------------------------------------------------------------------------------


async def test_a_signed_delivery_is_on_kafka_byte_for_byte(
    stack: Stack, running: Edge, client: aiohttp.ClientSession
) -> None:
    """FC-101: the signature is checked over raw bytes, and exactly these go on."""
    assert await post(client, running.url(), ODD_BODY, woo_headers(ODD_BODY)) == 200
    [record] = await arrived(stack, running, client)
    delivery = from_record(record)
    assert record.value == ODD_BODY
    assert (delivery.connection, delivery.object_key) == ("woo", "woo/727")
    assert delivery.headers["x-wc-webhook-topic"] == "order.updated"
    assert not any("signature" in name for name in delivery.headers)
    assert running.counted("accepted") == 2


async def test_a_refund_of_shopify_goes_to_the_partition_of_its_order(
    stack: Stack, running: Edge, client: aiohttp.ClientSession
) -> None:
    body = b'{"id":509562969,"order_id":820982911946154508}'
    headers = shopify_headers(body, **{"X-Shopify-Topic": "refunds/create"})
    assert await post(client, running.url("shop"), body, headers) == 200
    [record] = await arrived(stack, running, client)
    assert record.key == b"shop/820982911946154508"


async def test_a_body_that_nobody_can_read_is_kept_under_its_delivery_id(
    stack: Stack, running: Edge, client: aiohttp.ClientSession
) -> None:
    """FC-116 and worse: error objects, a million brackets, no JSON at all. Correctly signed is enough."""
    bodies = [b'{"code":"woocommerce_rest_shop_order_invalid_id","data":{"status":404}}', b"[" * 1_000_000, b"\xff\x00"]
    for body in bodies:
        assert await post(client, running.url(), body, woo_headers(body)) == 200
    found = await arrived(stack, running, client)
    assert sorted(record.value or b"" for record in found) == sorted(bodies)


async def test_one_delivery_id_at_the_same_time_twice_is_two_deliveries(
    stack: Stack, running: Edge, client: aiohttp.ClientSession
) -> None:
    """FC-002: WooCommerce gives two orders of one second the same delivery id, so the edge drops neither."""
    one, other = b'{"id":1}', b'{"id":2}'
    both = [post(client, running.url(), body, woo_headers(body)) for body in (one, other, one)]
    assert await asyncio.gather(*both) == [200, 200, 200]
    assert sorted(record.value or b"" for record in await arrived(stack, running, client)) == [one, one, other]


async def test_a_trace_goes_on_and_an_invalid_one_begins_anew(
    stack: Stack, running: Edge, client: aiohttp.ClientSession
) -> None:
    stated = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    for text in (stated, "00-" + "0" * 32 + "-00f067aa0ba902b7-01", "made up"):
        assert await post(client, running.url(), b'{"id":1}', woo_headers(b'{"id":1}', traceparent=text)) == 200
    traces = [record.header("traceparent") or b"" for record in await arrived(stack, running, client)]
    assert traces[0] == stated.encode()
    assert all(len(trace) == len(stated) and trace[3:35] != b"0" * 32 for trace in traces)
    assert len(set(traces)) == 3


# ---- who is let in -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("place", [0, 7, len(ODD_BODY) // 2, len(ODD_BODY) - 1])
async def test_one_flipped_bit_anywhere_is_refused(
    stack: Stack, running: Edge, client: aiohttp.ClientSession, place: int
) -> None:
    """S1"""
    flipped = bytearray(ODD_BODY)
    flipped[place] ^= 1
    for headers, connection in ((woo_headers(ODD_BODY), "woo"), (shopify_headers(ODD_BODY), "shop")):
        assert await post(client, running.url(connection), bytes(flipped), headers) == 401
    assert await arrived(stack, running, client) == []
    assert running.counted("bad_signature") == running.counted("bad_signature", "shop") == 1


async def test_forged_unsigned_and_foreign_deliveries_leave_nothing_behind(
    stack: Stack, running: Edge, client: aiohttp.ClientSession
) -> None:
    """FC-102"""
    name = "X-WC-Webhook-Signature"
    right = woo_headers(ODD_BODY)
    wrong = [
        woo_headers(ODD_BODY, "a guess"),
        woo_headers(ODD_BODY, SHOPIFY_SECRETS[0]),
        {key: value for key, value in right.items() if key != name},
        {**right, name: ""},
        {**right, name: "ê" * 44},
        {**right, name: right[name].lower()},
        woo_headers(ODD_BODY + b" "),
    ]
    assert [await post(client, running.url(), ODD_BODY, headers) for headers in wrong] == [401] * len(wrong)
    other = shopify_headers(ODD_BODY, **{"X-Shopify-Shop-Domain": "another.myshopify.com"})
    assert await post(client, running.url("shop"), ODD_BODY, other) == 401
    assert await arrived(stack, running, client) == []
    assert running.counted("bad_signature") == len(wrong)


async def test_both_secrets_hold_while_one_follows_the_other(running: Edge, client: aiohttp.ClientSession) -> None:
    """S3"""
    for secret in WOO_SECRETS:
        assert await post(client, running.url(), ODD_BODY, woo_headers(ODD_BODY, secret)) == 200
    for secret in SHOPIFY_SECRETS:
        assert await post(client, running.url("shop"), ODD_BODY, shopify_headers(ODD_BODY, secret)) == 200
    assert await post(client, running.url(), ODD_BODY, woo_headers(ODD_BODY, "whs-secret-0")) == 401


def test_a_secret_that_was_revoked_in_its_file_is_refused_at_once(tmp_path: Path) -> None:
    """S3: rotation takes no restart."""
    file = tmp_path / "secret"
    file.write_text("before\n")
    settings = WOOCOMMERCE.settings(
        url="https://woo.example",
        consumer_key=Secret.of("ck"),
        consumer_secret=Secret.of("cs"),
        webhook_secrets=[Secret(file=file)],
    )
    shop = WOOCOMMERCE.open("woo", settings, SystemClock())
    signed = {name.lower(): value for name, value in woo_headers(ODD_BODY, "before").items()}
    assert shop.verify(signed, ODD_BODY)
    file.write_text("after\n")
    assert not shop.verify(signed, ODD_BODY)


async def test_pings_are_answered_and_not_kept(stack: Stack, running: Edge, client: aiohttp.ClientSession) -> None:
    """WooCommerce's ping is a form without a signature; Shopify's test delivery is signed like any other."""
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert await post(client, running.url(), b"webhook_id=12", form) == 200
    assert await post(client, running.url(), b"webhook_id=12&more=1", form) == 401
    assert await post(client, running.url("shop"), b"webhook_id=12", form) == 401
    tried_out = {"X-Shopify-Test": "true"}
    assert await post(client, running.url("shop"), ODD_BODY, shopify_headers(ODD_BODY, **tried_out)) == 200
    assert await post(client, running.url("shop"), b"{}", shopify_headers(ODD_BODY, **tried_out)) == 401
    assert await arrived(stack, running, client) == []


async def test_only_who_cannot_sign_is_slowed_down(running: Edge, client: aiohttp.ClientSession) -> None:
    """S5, F24: the store may sit behind the same address as whoever tries."""
    forged = woo_headers(ODD_BODY, "a guess")
    answers = [await post(client, running.url(), ODD_BODY, forged) for _ in range(60)]
    assert answers[:20] == [401] * 20
    assert answers[-1] == 429
    assert await post(client, running.url(), ODD_BODY, woo_headers(ODD_BODY)) == 200


async def test_other_addresses_and_methods_are_told_so(running: Edge, client: aiohttp.ClientSession) -> None:
    base = f"http://{running.address}"
    for path in ("/", "/webhooks/", "/webhooks/odoo", "/webhooks/nobody", "/webhooks/woo/", "/metrics"):
        assert await post(client, base + path, ODD_BODY, woo_headers(ODD_BODY)) == 404
    for method in ("GET", "HEAD", "PUT", "OPTIONS"):
        async with client.request(method, running.url()) as answer:
            assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert await post(client, running.url() + "?from=shop", ODD_BODY, woo_headers(ODD_BODY)) == 200


async def test_a_signature_that_never_verifies_is_told_as_a_fault_of_the_setup(
    running: Edge, client: aiohttp.ClientSession
) -> None:
    """FC-127: told once, without the secret; silent where the secret is known to be right."""
    assert await post(client, running.url("shop"), ODD_BODY, shopify_headers(ODD_BODY)) == 200
    with structlog.testing.capture_logs() as logs:
        for _ in range(5):
            assert await post(client, running.url(), ODD_BODY, woo_headers(ODD_BODY, "made up by the shop")) == 401
            assert await post(client, running.url("shop"), ODD_BODY, shopify_headers(ODD_BODY, "a guess")) == 401
    [told] = logs
    assert (told["connection"], told["refused"], told["log_level"]) == ("woo", 3, "error")
    assert "webhook_secrets" in told["hint"]
    assert not any(secret in str(told) for secret in (*WOO_SECRETS, "made up"))


async def test_outcomes_are_counted_from_zero(running: Edge) -> None:
    """A rate over a counter that appears at its first failure misses that failure."""
    assert [running.sample(outcome) for outcome in ("accepted", "bad_signature", "too_large", "invalid")] == [0.0] * 4
    assert running.sample("stale", "shop") == 0.0
