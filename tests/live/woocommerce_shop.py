"""A real WooCommerce shop for the live suite, spoken to past the adapter as its owner's tools would."""

import base64
import uuid
from typing import Any

import aiohttp
from yarl import URL

from adapters.woocommerce.settings import WooCommerceSettings
from tallystick.registry import Pace
from tallystick.secrets import Secret

_SKU = "TALLYSTICK-MUG"
_TIMEOUT = aiohttp.ClientTimeout(total=120)
Json = dict[str, Any]


class WooCommerceShop:
    """The REST API with a key that may read and write."""

    def __init__(self, address: str, key: str, secret: str) -> None:
        self._base, self._key, self._secret = URL(address.rstrip("/")), key, secret
        self._headers = {"Authorization": "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()}

    def settings(self, **options: Any) -> WooCommerceSettings:
        """Of a connection to it."""
        given = {
            "url": str(self._base),
            "consumer_key": Secret.of(self._key),
            "consumer_secret": Secret.of(self._secret),
            "webhook_secrets": [Secret.of(uuid.uuid4().hex)],
            "private_network": True,
            "pace": Pace(rate_per_s=100, burst=100, parallel=2),
        }
        return WooCommerceSettings.model_validate({**given, **options})

    async def call(self, method: str, path: str, body: Json | None = None, **params: str) -> Any:
        """One request. Raises `AssertionError` with the shop's words."""
        url = self._base / "wp-json/wc/v3" / path
        async with (
            aiohttp.ClientSession(headers=self._headers, timeout=_TIMEOUT) as session,
            session.request(method, url, json=body, params=params) as reply,
        ):
            content = await reply.json()
            assert reply.status < 300, content
        return content

    async def buy(self, quantity: int = 3) -> Json:
        """A paid order of mugs at 11.90 a piece, with shipping."""
        line = {"product_id": await self._mug(), "quantity": quantity}
        body = {
            "line_items": [line],
            "shipping_lines": [{"method_id": "flat_rate", "method_title": "Courier", "total": "5.00"}],
            "billing": {"first_name": "Erika", "last_name": "Beispiel", "email": "erika@shop.example", "country": "DE"},
            "set_paid": True,
        }
        order: Json = await self.call("POST", "orders", body)
        return order

    async def _mug(self) -> int:
        found = await self.call("GET", "products", sku=_SKU)
        if not found:
            body = {"name": "Mug", "sku": _SKU, "type": "simple", "regular_price": "11.90"}
            found = [await self.call("POST", "products", body)]
        return int(found[0]["id"])
