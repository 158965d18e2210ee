"""Requests to the REST API `wc/v3`, and what its refusals mean."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from adapters.http import HttpDoor, Lost, NotSent, Reply
from tallystick.clock import Budget, Clock
from tallystick.errors import NotFound, TallystickError, Unauthorised, Unavailable, Unreadable
from tallystick.ports import Doubt, NotApplied, Refused
from tallystick.reasons import HoldReason

from .fields import Json, part, rows, text
from .settings import WooCommerceSettings

_ROOT = "wp-json"
_V3 = f"{_ROOT}/wc/v3"
PER_PAGE = 100
#: Refusals for good that come as HTTP 500, `data` being a bare number (seen on WooCommerce 11.0.1).
_PERMANENT = frozenset({"woocommerce_rest_cannot_create_order_refund", "woocommerce_rest_invalid_order_refund"})


class InvalidParameter(TallystickError):
    """HTTP 400 `rest_invalid_param`: this version does not know these parameters."""

    def __init__(self, names: tuple[str, ...]) -> None:
        super().__init__(f"the shop refuses the parameters {', '.join(names)}; its WooCommerce may be too old")
        self.names = names


class Permanent(TallystickError):
    """The code says that it is refused for good, whatever the status says."""


class NoRoute(Unavailable):
    """HTTP 404 `rest_no_route`: nobody answers at this address, the shop itself or an extension being away."""


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list. `total` and `pages` are None when the shop does not state them."""

    rows: list[Json]
    total: int | None
    pages: int | None


class Api:
    """Requests to one shop. Reads raise `Unavailable`, `Unauthorised`, `NotFound`, `InvalidParameter`."""

    def __init__(self, door: HttpDoor, settings: WooCommerceSettings, clock: Clock) -> None:
        self._door = door
        self._settings = settings
        self._clock = clock

    async def index(self) -> Json:
        """What WordPress tells everybody: name, home address, time zone, offered APIs."""
        return part(self._content(await self._door.read("GET", f"{_ROOT}/")))

    async def one(self, path: str) -> Json:
        """One object."""
        return part(self._content(await self._get(path, {})))

    async def page(self, path: str, params: Mapping[str, str]) -> Page:
        """One page of a list."""
        reply = await self._get(path, params)
        content = self._content(reply)
        if not isinstance(content, list):
            raise Unavailable(f"the shop answered {path} with something that is no list")
        headers = reply.headers
        return Page(rows(content), _number(headers.get("x-wp-total")), _number(headers.get("x-wp-totalpages")))

    async def all(self, path: str, params: Mapping[str, str] | None = None) -> list[Json]:
        """All pages of a short list."""
        found: list[Json] = []
        number = last = 1
        while number <= last:
            page = await self.page(path, {**(params or {}), "per_page": str(PER_PAGE), "page": str(number)})
            found += page.rows
            last, number = page.pages or 1, number + 1
        return found

    async def change(self, method: str, path: str, body: Json, budget: Budget) -> Json | NotApplied | Refused | Doubt:
        """The answer to a write, which is sent once, its permit already taken. Never raises."""
        headers, query = self._signed({})
        headers["Content-Type"] = "application/json"
        data = json.dumps(body).encode()
        try:
            reply = await self._door.write(
                method, f"{_V3}/{path}", budget=budget, params=query, headers=headers, data=data
            )
        except NotSent as error:
            return NotApplied(str(error), reached=False)
        except Lost as error:
            return Doubt(str(error))
        return self._written(reply)

    def _written(self, reply: Reply) -> Json | NotApplied | Refused | Doubt:
        """A page instead of JSON comes from before or behind the shop, which may be at work still."""
        if reply.status == 429:
            return NotApplied("HTTP 429", reply.retry_after_s(self._clock.now().timestamp()), throttled=True)
        try:
            content = self._content(reply)
        except NotFound as error:
            return Refused(HoldReason.DELETED_IN_TARGET, f"the shop does not know it any more ({error})")
        except Unauthorised as error:
            return NotApplied(str(error))
        except TallystickError as error:
            if 400 <= reply.status < 500 or isinstance(error, Permanent):
                return Refused(HoldReason.DATA, f"the shop refuses the call: {error}")
            return Doubt(str(error), unanswered=not reply.body.lstrip().startswith(b"{"))
        return part(content)

    async def _get(self, path: str, params: Mapping[str, str]) -> Reply:
        headers, query = self._signed(params)
        return await self._door.read("GET", f"{_V3}/{path}", params=query, headers=headers)

    def _signed(self, params: Mapping[str, str]) -> tuple[dict[str, str], dict[str, str]]:
        """Headers and query with the key in one of them."""
        headers, key = {"Accept": "application/json"}, self._settings.consumer_key.reveal()
        secret, query = self._settings.consumer_secret.reveal(), dict(params)
        if self._settings.query_auth:
            query |= {"consumer_key": key, "consumer_secret": secret}
        else:
            headers["Authorization"] = "Basic " + base64.b64encode(f"{key}:{secret}".encode()).decode()
        return headers, query

    def _content(self, reply: Reply) -> Any:
        """The answer's content. The text of `message` is in the shop's language, so only `code` is looked at."""
        try:
            content = reply.json()
        except Unreadable as error:
            raise Unavailable(
                f"HTTP {reply.status} with a page instead of JSON: a firewall, a maintenance page, or PHP notices "
                "before the answer (switch display_errors off)"
            ) from error
        if reply.status < 300:
            return content
        raise _refusal(reply.status, part(content))


def _refusal(status: int, content: Json) -> TallystickError:
    code = text(content.get("code"))[:80]
    if status in (401, 403):
        return Unauthorised(
            f"HTTP {status} {code}: the shop refuses the key; it needs the right to read, its user has to manage the "
            "shop, and a host that strips the Authorization header needs `query_auth: true`"
        )
    if (status == 404 and code != "rest_no_route") or code == "woocommerce_rest_shop_order_invalid_id":
        return NotFound(f"HTTP 404 {code}")
    if status == 400 and code == "rest_invalid_param":
        return InvalidParameter(tuple(part(part(content.get("data")).get("params"))))
    if code == "rest_no_route":
        return NoRoute("HTTP 404 rest_no_route: WooCommerce is switched off, or permalinks are set to plain")
    return Permanent(f"HTTP {status} {code}") if code in _PERMANENT else Unavailable(f"HTTP {status} {code}")


def _number(header: str | None) -> int | None:
    return int(header) if header and header.isdigit() else None
