"""The HTTP side of the double: access tokens and Admin GraphQL."""

import json
import re
from typing import Any

from aiohttp import web

from simulators.shopify.bucket import REQUEST_MAX
from simulators.shopify.graph import refund_node
from simulators.shopify.selection import Connection, Field, Malformed, Query, bound, cut, objects, parse, points
from simulators.shopify.shop import Shop

_NUMBER = re.compile(r"(\d+)$")


def application(shop: Shop) -> web.Application:
    """Serves one shop."""
    admin = _Admin(shop)
    app = web.Application(client_max_size=1 << 22)
    app.router.add_post("/admin/oauth/access_token", admin.token)
    app.router.add_post("/admin/api/{version}/graphql.json", admin.graphql)
    return app


class _Admin:
    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    async def token(self, request: web.Request) -> web.StreamResponse:
        async def handler() -> web.Response:
            form = await request.post()
            right = (form.get("client_id"), form.get("client_secret")) == (self._shop.client_id, self._shop.secret)
            if not right or form.get("grant_type") != "client_credentials":
                return web.json_response({"error": "invalid_client"}, status=400)
            token, life_s = self._shop.tokens.grant()
            return web.json_response(
                {"access_token": token, "scope": ",".join(self._shop.scopes), "expires_in": life_s}
            )

        return await self._shop.faults.run("token", request, handler)

    async def graphql(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        version = self._shop.served(request.match_info["version"])

        async def handler() -> web.Response:
            answer = self._answer(request, body, version)
            answer.headers["X-Shopify-API-Version"] = version
            if self._shop.deprecated_reason:
                answer.headers["X-Shopify-API-Deprecated-Reason"] = self._shop.deprecated_reason
            return answer

        return await self._shop.faults.run(str(body.get("operationName")), request, handler)

    def _answer(self, request: web.Request, body: dict[str, Any], version: str) -> web.Response:
        if not self._shop.tokens.good(request.headers.get("X-Shopify-Access-Token", "")):
            self._shop.journal.note("token refused", self._shop.domain)
            refused = "[API] Invalid API key or access token (unrecognized login or wrong password)"
            return web.json_response({"errors": refused}, status=401)
        try:
            query = parse(body["query"])
            return self._run(query, body.get("variables") or {}, version)
        except (Malformed, KeyError) as error:
            return _failed("BAD_REQUEST", str(error))

    def _run(self, query: Query, values: dict[str, Any], version: str) -> web.Response:
        missing = [name for name, kind in query.variables.items() if kind.endswith("!") and values.get(name) is None]
        if missing:
            return _failed("INVALID_VARIABLE", f"Variable ${missing[0]} was provided invalid value")
        requested = points(query.fields, values)
        if requested > REQUEST_MAX:
            return _failed("MAX_COST_EXCEEDED", f"Query cost is {requested}, which exceeds the single query max cost")
        bucket = self._shop.bucket
        if not bucket.take(requested):
            return self._throttled(requested)
        data = {one.name: cut(self._root(one, values, version), one.fields, values) for one in query.fields}
        data, errors = self._denied(data)
        actual = min(requested, max(1, objects(data) - 1))
        bucket.give_back(requested - actual)
        self._shop.journal.note("read", query.name, values.get("id"))
        reply: dict[str, Any] = {"data": data, "extensions": {"cost": bucket.told(requested, actual)}}
        if errors:
            reply["errors"] = errors
        return web.json_response(reply, dumps=_dumps)

    def _root(self, one: Field, values: dict[str, Any], version: str) -> Any:
        shop, name = self._shop, one.name
        match name:
            case "shop":
                return {"id": shop.gid, "myshopifyDomain": shop.domain, "currencyCode": shop.currency}
            case "currentAppInstallation":
                return {"accessScopes": [{"handle": scope} for scope in shop.scopes]}
            case "order" | "refund":
                return self._node(values["id"])
            case "nodes":
                return [self._node(gid) for gid in values["ids"]]
            case "inventorySetQuantities":
                key = bound(one, "key", values, "idempotent")
                return shop.stockroom.set_quantities(bound(one, "input", values), key, version)
            case "webhookSubscriptionCreate":
                return self._subscribe(values)
            case "webhookSubscriptions":
                hooks = shop.hooks.subscriptions.values()
                return _listed([{"topic": h.topic.replace("/", "_").upper(), "uri": h.address} for h in hooks], values)
            case "orders" | "ordersCount":
                return self._found(name, values)
        if name in shop.roots:
            return shop.roots[name](values)
        raise Malformed(f"Field '{name}' doesn't exist on type 'QueryRoot'")

    def _node(self, gid: str) -> Any:
        number = _number(gid)
        if "/Order/" in gid:
            order = self._shop.visible(number)
            return order and self._shop.node(order)
        if "/Refund/" in gid:
            found = self._shop.find_refund(number)
            return found and refund_node(*found)
        return self._shop.pricebook.node(number)

    def _subscribe(self, values: dict[str, Any]) -> dict[str, Any]:
        topic, address = str(values["topic"]), str(values["webhookSubscription"].get("uri", ""))
        resource, _, event = topic.lower().partition("_")
        name = f"{resource}/{event}"
        if not address.startswith(("http://", "https://")):
            error = {"field": ["webhookSubscription", "uri"], "message": "Address is invalid"}
            return {"webhookSubscription": None, "userErrors": [error]}
        if any((one.topic, one.address) == (name, address) for one in self._shop.hooks.subscriptions.values()):
            taken = "Address for this topic has already been taken"
            error = {"field": ["webhookSubscription", "uri"], "message": taken}
            return {"webhookSubscription": None, "userErrors": [error]}
        made = self._shop.hooks.subscribe(name, address)
        return {"webhookSubscription": {"id": f"gid://shopify/WebhookSubscription/{made.id}"}, "userErrors": []}

    def _found(self, name: str, values: dict[str, Any]) -> dict[str, Any]:
        """The orders of a search, or their number."""
        found = self._shop.search(values["query"])
        if name == "ordersCount":
            return {"count": len(found), "precision": "EXACT"}
        return _listed([self._shop.node(order) for _, order in found], values, [key for key, _ in found])

    def _denied(self, data: dict[str, Any]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
        """A field whose scope is missing is null, beside an error that names it."""
        errors = []
        for field in self._shop.denied_fields:
            for path in _blank(data, field, []):
                message = f"Access denied for {field} field."
                errors.append({"message": message, "path": path, "extensions": {"code": "ACCESS_DENIED"}})
        return data, errors

    def _throttled(self, requested: int) -> web.Response:
        error = {"message": "Throttled", "extensions": {"code": "THROTTLED"}}
        reply = {"errors": [error], "extensions": {"cost": self._shop.bucket.told(requested, None)}}
        return web.json_response(reply, status=self._shop.throttled_status)


def _listed(nodes: list[Any], values: dict[str, Any], keys: list[str] | None = None) -> dict[str, Any]:
    return Connection(nodes, keys or []).page(int(values["first"]), values.get("after"))


def _number(gid: str) -> int:
    match = _NUMBER.search(gid.partition("?")[0])
    if match is None:
        raise Malformed(f"Invalid global id '{gid}'")
    return int(match[1])


def _blank(value: Any, field: str, path: list[Any]) -> list[list[Any]]:
    found = []
    if isinstance(value, list):
        for index, item in enumerate(value):
            found += _blank(item, field, [*path, index])
    elif isinstance(value, dict):
        for name in list(value):
            if name == field and value[name] is not None:
                value[name] = None
                found.append([*path, name])
            else:
                found += _blank(value[name], field, [*path, name])
    return found


def _failed(code: str, message: str) -> web.Response:
    return web.json_response({"errors": [{"message": message, "extensions": {"code": code}}]})


def _dumps(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False)
