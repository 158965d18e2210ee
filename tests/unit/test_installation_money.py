"""What a contract or a route asks for, a store that cannot tell it, and that this is said before anything runs."""

from pathlib import Path
from typing import Any

import pytest

from adapters import KINDS
from simulators.shopify import RETURN_TOPICS
from tallystick.errors import SetupError
from tallystick.installation import Addresses, Installation, assemble
from tallystick.secrets import Secret
from tallystick.settings import Settings
from tests.unit.contract.written import rules

PAYMENTS: dict[str, Any] = {"payments": {"to": "journal_id", "otherwise": {"use": "7"}}}


def assembled(
    folder: Path,
    store: str,
    *,
    flows: dict[str, str] | None = None,
    trust: bool = True,
    topics: tuple[str, ...] = (),
    **parts: Any,
) -> Installation:
    (folder / "shop.yaml").write_text(rules(**parts), encoding="utf-8")
    secret = Secret.of("s" * 8)
    connections = {
        "shopify": {"kind": "shopify", "shop": "example", "access_token": secret, "webhook_secrets": [secret],
                    "trust_bodies": trust, "topics": topics},
        "woocommerce": {"kind": "woocommerce", "url": "https://shop.example", "consumer_key": secret,
                        "consumer_secret": secret, "webhook_secrets": [secret]},
        "odoo": {"kind": "odoo", "url": "https://odoo.example", "database": "d", "login": "l", "api_key": secret},
    }  # fmt: skip
    route = {"store": store, "erp": "odoo", "contract": folder / "shop.yaml", "since": "2026-01-01T00:00:00Z"}
    settings = Settings.model_validate({"connections": connections, "routes": [{**route, "flows": flows or {}}]})
    return assemble(settings, KINDS, Addresses("k:1", "postgresql://p/d"))


LIVE = {"payments": "live"}


async def test_payments_need_a_section_of_the_contract(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="has no section `payments`"):
        assembled(tmp_path, "woocommerce", flows=LIVE)
    await assembled(tmp_path, "woocommerce", flows=LIVE, **PAYMENTS).close()


async def test_payments_need_a_store_that_tells_them_one_by_one(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="'shopify' brings no single payments: set `trust_bodies: false` on it"):
        assembled(tmp_path, "shopify", flows=LIVE, **PAYMENTS)
    await assembled(tmp_path, "shopify", flows=LIVE, trust=False, **PAYMENTS).close()
    await assembled(tmp_path, "shopify", **PAYMENTS).close()


async def test_fc_083_a_risk_that_nobody_tells_would_hold_nothing(tmp_path: Path) -> None:
    """FC-083"""
    with pytest.raises(SetupError, match="'woocommerce' brings no risk of fraud: not offered by this system"):
        assembled(tmp_path, "woocommerce", hold_risk="high")
    with pytest.raises(SetupError, match="'shopify' brings no risk of fraud: set `trust_bodies: false`"):
        assembled(tmp_path, "shopify", hold_risk="high")
    await assembled(tmp_path, "shopify", hold_risk="high", trust=False).close()


async def test_returns_need_a_store_that_keeps_them(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match=r"returns cannot go by it \(ReturnSource\): not offered by this system"):
        assembled(tmp_path, "woocommerce", flows={"returns": "live"})


async def test_returns_need_a_store_that_tells_of_them_in_time(tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="'shopify' does not tell of returns in time: add returns/update to its"):
        assembled(tmp_path, "shopify", flows={"returns": "live"}, topics=_without(RETURN_TOPICS, "returns/update"))
    await assembled(tmp_path, "shopify", flows={"returns": "live"}, topics=RETURN_TOPICS).close()


def _without(topics: tuple[str, ...], one: str) -> tuple[str, ...]:
    return tuple(topic for topic in topics if topic != one)
