"""The access token: fixed, or asked for by client credentials and renewed by one asker before it runs out."""

import asyncio
from urllib.parse import urlencode

from adapters.http import HttpDoor, Reply
from adapters.shopify.settings import ShopifySettings
from tallystick.clock import Clock
from tallystick.errors import Unauthorised, Unavailable, Unreadable

PATH = "/admin/oauth/access_token"
#: A token of client credentials lives 24 hours; it is renewed this long before its end.
RENEW_BEFORE_S = 300.0


class Tokens:
    """The token of one shop. Renewing twice at once would be harmless here, but needless."""

    def __init__(self, settings: ShopifySettings, door: HttpDoor, clock: Clock) -> None:
        self._settings = settings
        self._door = door
        self._clock = clock
        self._lock = asyncio.Lock()
        self._token = ""
        self._renew_at_s = 0.0

    async def current(self) -> str:
        """A token that is good for some minutes. Raises `Unauthorised`, `Unavailable`."""
        if self._settings.access_token is not None:
            return self._settings.access_token.reveal()
        async with self._lock:
            if not self._token or self._clock.monotonic_s() >= self._renew_at_s:
                await self._renew()
            return self._token

    def refused(self, token: str) -> bool:
        """The shop refused this token. Whether another one can be had."""
        if token == self._token:
            self._token = ""
        return self._settings.access_token is None

    async def _renew(self) -> None:
        began_s = self._clock.monotonic_s()
        secret = self._settings.client_secret
        assert secret is not None
        form = {
            "grant_type": "client_credentials",
            "client_id": self._settings.client_id,
            "client_secret": secret.reveal(),
        }
        reply = await self._door.read(
            "POST",
            PATH,
            headers={"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"},
            data=urlencode(form).encode(),
        )
        self._token, life_s = _granted(reply)
        self._renew_at_s = began_s + max(life_s - RENEW_BEFORE_S, life_s / 2)


def _granted(reply: Reply) -> tuple[str, float]:
    if reply.status >= 500:
        raise Unavailable(f"Shopify answered HTTP {reply.status} when asked for an access token")
    if reply.status != 200:
        raise Unauthorised(
            f"Shopify refused the app's credentials (HTTP {reply.status}): check client_id and client_secret, and that "
            "the app is installed in this shop"
        )
    granted = reply.json()
    token = granted.get("access_token") if isinstance(granted, dict) else None
    life_s = granted.get("expires_in") if isinstance(granted, dict) else None
    if not isinstance(token, str) or not token:
        raise Unreadable("Shopify granted an access token without a token in it")
    return token, float(life_s) if isinstance(life_s, int) else 24 * 3600.0
