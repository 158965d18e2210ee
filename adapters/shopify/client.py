"""One GraphQL request to the Admin API: token, cost, and what its errors mean.

A query may be repeated, a mutation is sent once. Throttling comes as HTTP 200 with the code THROTTLED, and as 429
(both are reported); an HTTP 200 may hold errors beside data, and then its data is not to be trusted.
"""

import asyncio
import json
import random
import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, NoReturn

from adapters.http import HttpDoor, Lost, NotSent, Reply
from adapters.shopify.costs import Points, cost_of
from adapters.shopify.fields import Json, objects, part, text
from adapters.shopify.settings import ShopifySettings
from adapters.shopify.tokens import Tokens
from adapters.shopify.versions import Versions
from tallystick.clock import Budget, Clock
from tallystick.errors import TallystickError, Throttled, Unauthorised, Unavailable, Unreadable
from tallystick.pacing import Slots, yields_now
from tallystick.ports import Doubt, NotApplied

#: How often a throttled request is sent again, and how long it waits for that, before the caller is told.
THROTTLED_TRIES = 4
THROTTLED_WAIT_MAX_S = 20.0
#: How often one that waits for points looks whether replies to others gave some back.
POINTS_AGAIN_S = 0.25

_OPERATION = re.compile(r"(?:query|mutation) (\w+)")
_REFUSED = {
    401: "Shopify refused the access token: make a new one, or check the app's credentials",
    402: "the shop is frozen for unpaid bills; it answers again when they are paid",
    403: "the app lacks an access scope, or it was uninstalled",
    404: "there is no such shop or API version: check `shop` and `api_version`",
    423: "the shop is locked; its owner has to ask Shopify why",
}


class ShopifyClient:
    """Requests to one shop."""

    def __init__(self, settings: ShopifySettings, door: HttpDoor, clock: Clock) -> None:
        self._path = f"/admin/api/{settings.api_version}/graphql.json"
        self._door = door
        self._clock = clock
        self._tokens = Tokens(settings, door, clock)
        self._points = Points(clock)
        self._queue = Slots(1)
        self.versions = Versions(settings.api_version)

    async def query(self, document: str, variables: Mapping[str, Any]) -> Json:
        """The `data` of a reply without errors.

        Raises `Unavailable` (also `Throttled`), `Unauthorised`, `Unreadable`.
        """
        name = _operation(document)
        body = json.dumps({"query": document, "variables": variables, "operationName": name}).encode()
        for _ in range(THROTTLED_TRIES - 1):
            try:
                return await self._once(name, body)
            except Throttled as throttled:
                wait_s = 1.0 if throttled.retry_after_s is None else throttled.retry_after_s
                if wait_s > THROTTLED_WAIT_MAX_S:
                    raise
                await asyncio.sleep(wait_s * (1 + random.random() * 0.2))
        return await self._once(name, body)

    async def change(self, document: str, variables: Mapping[str, Any], budget: Budget) -> Json | NotApplied | Doubt:
        """The `data` of a mutation, sent once, its permit already taken. Never raises for what Shopify answers."""
        name = _operation(document)
        body = json.dumps({"query": document, "variables": variables, "operationName": name}).encode()
        try:
            await self._permit(name)
            token = await self._tokens.current()
            reply = await self._door.write("POST", self._path, budget=budget, headers=_headers(token), data=body)
        except Throttled as error:
            return NotApplied(str(error), error.retry_after_s, throttled=True)
        except (NotSent, TallystickError) as error:
            return NotApplied(str(error), reached=False)
        except Lost as error:
            return Doubt(str(error))
        return self._told(name, token, reply)

    def _told(self, name: str, token: str, reply: Reply) -> Json | NotApplied | Doubt:
        """Costs, scopes and tokens are looked at before anything runs; what fails later may have been applied."""
        if reply.status == 401:
            self._tokens.refused(token)
        if reply.status == 429:
            return NotApplied("HTTP 429", reply.retry_after_s(self._clock.now().timestamp()), throttled=True)
        try:
            return self._data(name, reply)
        except Throttled as error:
            return NotApplied(str(error), error.retry_after_s, throttled=True)
        except Unauthorised as error:
            return NotApplied(str(error))
        except Unavailable as error:
            return Doubt(str(error))
        except Unreadable as error:
            return Doubt(str(error), unanswered=False)

    async def _once(self, name: str, body: bytes) -> Json:
        await self._permit(name)
        token = await self._tokens.current()
        reply = await self._send(token, body)
        if reply.status == 401 and self._tokens.refused(token):
            reply = await self._send(await self._tokens.current(), body)
        return self._data(name, reply)

    async def _permit(self, name: str) -> None:
        """Wait for the points; each reply may tell that more are there than was thought.

        In the order of arrival: a request for many points would never see them together while others ask for few.
        """
        await self._queue.take(yields_now())
        try:
            while (wait_s := self._points.wait_s(name)) > 0:
                if wait_s > THROTTLED_WAIT_MAX_S:
                    raise Throttled("Shopify's points are used up", wait_s)
                await asyncio.sleep(min(wait_s, POINTS_AGAIN_S))
        finally:
            self._queue.give_back()

    async def _send(self, token: str, body: bytes) -> Reply:
        return await self._door.read("POST", self._path, headers=_headers(token), data=body)

    def _data(self, name: str, reply: Reply) -> Json:
        self.versions.told(reply.headers)
        if reply.status in _REFUSED:
            raise Unauthorised(f"{_REFUSED[reply.status]} (HTTP {reply.status})")
        if reply.status >= 500:
            raise Unavailable(f"Shopify answered HTTP {reply.status}")
        payload = _payload(name, reply)
        if cost := cost_of(payload):
            self._points.told(name, cost)
        if payload.get("errors"):
            _raise(name, payload)
        if reply.status != 200 or not isinstance(payload.get("data"), dict):
            raise Unreadable(f"Shopify answered {name} with HTTP {reply.status} and without data")
        return part(payload["data"])


def _headers(token: str) -> dict[str, str]:
    return {"Content-Type": "application/json", "X-Shopify-Access-Token": token}


def _payload(name: str, reply: Reply) -> Json:
    try:
        payload = reply.json()
    except Unreadable as error:
        raise Unavailable(
            f"Shopify answered {name} with HTTP {reply.status} and a page, or half of an answer"
        ) from error
    if not isinstance(payload, dict):
        raise Unreadable("Shopify's answer is JSON, but no object")
    return payload


def _operation(document: str) -> str:
    match = _OPERATION.search(document)
    if match is None:
        raise ValueError("the document has no named query or mutation")
    return match[1]


def _raise(name: str, payload: Json) -> NoReturn:
    """What the errors of an answer mean. Their texts may name what a buyer typed, so only their codes are told."""
    errors = payload["errors"]
    if not isinstance(errors, list):
        raise Unreadable(f"Shopify answered {name} with an error in the form of older replies")
    codes = {text(part(error.get("extensions")).get("code")) for error in objects(errors)}
    if "THROTTLED" in codes:
        cost = cost_of(payload)
        raise Throttled("Shopify throttles: its points are used up", None if cost is None else cost.wait_s)
    if codes & {"ACCESS_DENIED", "SHOP_INACTIVE"}:
        raise Unauthorised(f"Shopify denied {_where(errors)} of {name}: grant the app the scope for it, then reinstall")
    if codes & {"INTERNAL_SERVER_ERROR", "TIMEOUT"}:
        raise Unavailable(f"Shopify failed inside {name}")
    raise Unreadable(f"Shopify refused {name}: {', '.join(sorted(codes)) or 'no code'}")


def _where(errors: object) -> str:
    paths = {
        ".".join(str(step) for step in path if not isinstance(step, int | Decimal))
        for path in (error.get("path") for error in objects(errors))
        if isinstance(path, list)
    }
    return ", ".join(sorted(paths)) or "a field"
