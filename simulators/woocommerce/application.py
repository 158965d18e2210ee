"""The shop's REST API over HTTP: keys, routes, errors, faults.

The real shop takes keys as Basic authorisation only over https; the double stands for a shop behind TLS.
"""

import base64
import binascii
import json
from collections.abc import Awaitable, Callable, Mapping
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from aiohttp import web

from . import errors, queries, webhooks_api, writes
from .errors import ApiError
from .model import Order
from .shape import encode, only
from .shop import Shop

_ROOT = "/wp-json/wc/v3"
Handler = Callable[[web.Request], Awaitable[web.Response]]


def application(shop: Shop) -> web.Application:
    """The aiohttp application of one shop."""
    return _Api(shop).application()


class _Api:
    def __init__(self, shop: Shop) -> None:
        self._shop = shop

    def application(self) -> web.Application:
        routes: list[tuple[str, str, Handler]] = [
            ("GET", "/orders", self.list_orders),
            ("POST", "/orders", self.create_order),
            ("GET", r"/orders/{id:\d+}", self.get_order),
            ("PUT", r"/orders/{id:\d+}", self.update_order),
            ("POST", r"/orders/{id:\d+}", self.update_order),
            ("DELETE", r"/orders/{id:\d+}", self.delete_order),
            ("GET", r"/orders/{id:\d+}/refunds", self.list_refunds),
            ("POST", r"/orders/{id:\d+}/refunds", self.create_refund),
            ("GET", r"/orders/{id:\d+}/refunds/{refund:\d+}", self.get_refund),
            ("GET", r"/orders/{id:\d+}/notes", self.list_notes),
            ("POST", r"/orders/{id:\d+}/notes", self.create_note),
            ("GET", r"/orders/{id:\d+}/shipment-trackings", self.list_trackings),
            ("POST", r"/orders/{id:\d+}/shipment-trackings", self.create_tracking),
            ("DELETE", r"/orders/{id:\d+}/shipment-trackings/{tracking}", self.delete_tracking),
            ("GET", "/products", self.list_products),
            ("POST", "/products/batch", self.change_products),
            ("POST", r"/products/{id:\d+}/variations/batch", self.change_products),
            ("GET", "/customers", self.list_customers),
            ("GET", r"/customers/{id:\d+}", self.get_customer),
            ("GET", "/webhooks", self.list_webhooks),
            ("POST", "/webhooks", self.create_webhook),
            ("GET", r"/webhooks/{id:\d+}", self.get_webhook),
            ("PUT", r"/webhooks/{id:\d+}", self.update_webhook),
            ("DELETE", r"/webhooks/{id:\d+}", self.delete_webhook),
            ("GET", "/system_status", self.system_status),
        ]
        app = web.Application(client_max_size=8 * 1024 * 1024)
        app.router.add_get("/wp-json/", self._answered("GET /", self.index, public=True))
        app.router.add_get("/wp-json/wc/v3", self._answered("GET /wc/v3", self.routes, public=True))
        for method, path, handler in routes:
            operation = f"{method} {path.replace(chr(92) + 'd+', '').replace(':', '')}"
            app.router.add_route(method, _ROOT + path, self._answered(operation, handler))
        app.router.add_route("*", "/{rest:.*}", self._answered("no route", self._no_route, public=True))
        return app

    def _answered(
        self, operation: str, handler: Handler, *, public: bool = False
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def honest(request: web.Request) -> web.Response:
            try:
                if not public:
                    self._authorise(request)
                return await handler(request)
            except ApiError as error:
                return _json(error.body, error.status)

        async def answer(request: web.Request) -> web.StreamResponse:
            # The body is read first: a fault that applies the call later has no connection to read from any more.
            await request.read()
            return await self._shop.faults.run(operation, request, lambda: honest(request))

        return answer

    def _authorise(self, request: web.Request) -> None:
        if self._shop.settings.offline:
            raise errors.no_route()
        key, secret = _credentials(request)
        known = self._shop.settings.keys.get(key)
        if known is None:
            raise errors.cannot_view()
        if known[0] != secret:
            raise errors.wrong_secret()
        wanted = "read" if request.method in ("GET", "HEAD") else "write"
        if known[1] not in (wanted, "read_write"):
            raise errors.lacks_permission(wanted)

    async def _no_route(self, request: web.Request) -> web.Response:
        raise errors.no_route()

    # ---- the shop itself

    async def index(self, request: web.Request) -> web.Response:
        settings = self._shop.settings
        offset = self._shop.now().astimezone(ZoneInfo(settings.zone)).utcoffset()
        content = {
            "name": settings.name,
            "description": "",
            "url": settings.home,
            "home": settings.home,
            "gmt_offset": offset.total_seconds() / 3600 if offset else 0,
            "timezone_string": settings.zone,
            "namespaces": ["wc/v3", "wp/v2"],
        }
        return _json(content)

    async def routes(self, request: web.Request) -> web.Response:
        return _json({"namespace": "wc/v3", "routes": {"/wc/v3": {"namespace": "wc/v3", "methods": ["GET"]}}})

    async def system_status(self, request: web.Request) -> web.Response:
        settings = self._shop.settings
        namespace = "Automattic\\WooCommerce\\Internal\\DataStores\\Orders\\"
        content = {
            "environment": {
                "site_url": settings.home,
                "version": settings.version,
                "wp_version": settings.wordpress,
                "default_timezone": "UTC",
            },
            "settings": {
                "currency": settings.currency,
                "number_of_decimals": settings.decimals,
                "order_datastore": f"{namespace}OrdersTableDataStore" if settings.hpos else "WC_Order_Data_Store_CPT",
                "HPOS_enabled": settings.hpos,
                "HPOS_sync_enabled": False,
            },
        }
        return _json(content)

    async def list_products(self, request: web.Request) -> web.Response:
        query = _query(request)
        found = self._shop.catalogue.listed(query)
        size, page = int(query.get("per_page", "10")), int(query.get("page", "1"))
        shown = [self._shop.shape().product(product) for product in found[(page - 1) * size : page * size]]
        return _json(shown, headers=_counted(len(found), size))

    async def change_products(self, request: web.Request) -> web.Response:
        return _json(self._shop.catalogue.batch(await _body(request), int(request.match_info.get("id", "0"))))

    async def list_customers(self, request: web.Request) -> web.Response:
        query = _query(request)
        rows, total = self._shop.accounts.listed(query)
        return _json(rows, headers=_counted(total, int(query.get("per_page", "10"))))

    async def get_customer(self, request: web.Request) -> web.Response:
        return _json(self._shop.accounts.one(int(request.match_info["id"])))

    # ---- orders

    async def list_orders(self, request: web.Request) -> web.Response:
        query = _query(request)
        page = queries.page_of(list(self._shop.orders.values()), query, self._shop.settings)
        digits, fields = _digits(query), _fields(query)
        return _json(only([self._shop.shown(order, digits) for order in page.orders], fields), headers=page.headers)

    async def get_order(self, request: web.Request) -> web.Response:
        query = _query(request)
        return _json(only(self._shop.shown(self._order(request), _digits(query)), _fields(query)))

    async def create_order(self, request: web.Request) -> web.Response:
        order = writes.create(self._shop, await _body(request))
        location = f"{self._shop.settings.home}{_ROOT}/orders/{order.id}"
        return _json(self._shop.shape().order(order), 201, {"Location": location})

    async def update_order(self, request: web.Request) -> web.Response:
        order = self._order(request, writing=True)
        return _json(self._shop.shape().order(writes.update(self._shop, order, await _body(request))))

    async def delete_order(self, request: web.Request) -> web.Response:
        """Answers with the order as it was: in the trash, or with `force=true` gone for good."""
        order = self._order(request)
        before = self._shop.shape().order(order)
        if request.query.get("force") == "true":
            self._shop.delete(order.id)
        elif order.status == "trash":
            raise ApiError(410, "woocommerce_rest_already_trashed", "The shop_order has already been deleted.")
        else:
            self._shop.trash(order.id)
        return _json(before)

    async def list_refunds(self, request: web.Request) -> web.Response:
        order, query = self._order(request), _query(request)
        size, page = int(query.get("per_page", "10")), int(query.get("page", "1"))
        shown = order.refunds[(page - 1) * size : page * size]
        found = [self._shop.shape().refund(order, refund) for refund in shown]
        return _json(found, headers=_counted(len(order.refunds), size))

    async def create_refund(self, request: web.Request) -> web.Response:
        """By amount alone."""
        order, amount = self._order(request), Decimal(str((await _body(request)).get("amount", "")))
        given = sum((refund.amount or Decimal(0) for refund in order.refunds), Decimal(0))
        if amount < 0:
            raise errors.below_zero()
        if amount > order.sums.total - given:
            raise errors.too_much()
        return _json(self._shop.shape().refund(order, self._shop.refund(order.id, amount)), 201)

    async def get_refund(self, request: web.Request) -> web.Response:
        order = self._order(request)
        for refund in order.refunds:
            if str(refund.id) == request.match_info["refund"]:
                return _json(self._shop.shape().refund(order, refund))
        raise ApiError(404, "woocommerce_rest_invalid_order_refund_id", "Invalid order refund ID.")

    # ---- notes, and the extension Shipment Tracking

    async def list_notes(self, request: web.Request) -> web.Response:
        return _json(self._shop.shipments.notes_of(self._order(request), request.query.get("type", "any")))

    async def create_note(self, request: web.Request) -> web.Response:
        return _json(self._shop.shipments.note(self._order(request), await _body(request)), 201)

    async def list_trackings(self, request: web.Request) -> web.Response:
        return _json(self._shop.shipments.trackings_of(self._order(request)))

    async def create_tracking(self, request: web.Request) -> web.Response:
        return _json(self._shop.shipments.track(self._order(request), await _body(request)), 201)

    async def delete_tracking(self, request: web.Request) -> web.Response:
        return _json(self._shop.shipments.untrack(self._order(request), request.match_info["tracking"]))

    def _order(self, request: web.Request, *, writing: bool = False) -> Order:
        order = self._shop.orders.get(int(request.match_info["id"]))
        if order is None:
            raise errors.no_order(writing=writing)
        return order

    # ---- webhooks

    async def list_webhooks(self, request: web.Request) -> web.Response:
        found = [webhooks_api.shown(self._shop, webhook) for webhook in self._shop.outbox.webhooks.values()]
        return _json(found, headers=_counted(len(found)))

    async def create_webhook(self, request: web.Request) -> web.Response:
        webhook = await webhooks_api.create(self._shop, await _body(request))
        return _json(webhooks_api.shown(self._shop, webhook), 201)

    async def get_webhook(self, request: web.Request) -> web.Response:
        return _json(webhooks_api.shown(self._shop, webhooks_api.find(self._shop, request.match_info["id"])))

    async def update_webhook(self, request: web.Request) -> web.Response:
        webhook = webhooks_api.find(self._shop, request.match_info["id"])
        return _json(
            webhooks_api.shown(self._shop, await webhooks_api.update(self._shop, webhook, await _body(request)))
        )

    async def delete_webhook(self, request: web.Request) -> web.Response:
        webhook = webhooks_api.find(self._shop, request.match_info["id"])
        if request.query.get("force") != "true":
            raise ApiError(501, "woocommerce_rest_trash_not_supported", "Webhooks do not support trashing.")
        del self._shop.outbox.webhooks[webhook.id]
        return _json(webhooks_api.shown(self._shop, webhook))


def _credentials(request: web.Request) -> tuple[str, str]:
    """From the Authorization header, else from the query."""
    scheme, _, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return request.query.get("consumer_key", ""), request.query.get("consumer_secret", "")
    try:
        key, _, secret = base64.b64decode(value).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return "", ""
    return key, secret


async def _body(request: web.Request) -> dict[str, Any]:
    try:
        content = json.loads(await request.read() or b"{}")
    except ValueError:
        detail = {"json_error_code": 4, "json_error_message": "Syntax error"}
        raise ApiError(400, "rest_invalid_json", "Invalid JSON body passed.", detail) from None
    return content if isinstance(content, dict) else {}


def _query(request: web.Request) -> dict[str, str]:
    return {name: value for name, value in request.query.items() if not name.startswith("consumer_")}


def _fields(query: Mapping[str, str]) -> list[str]:
    return [name for name in query.get("_fields", "").split(",") if name]


def _digits(query: Mapping[str, str]) -> int | None:
    return int(query["dp"]) if query.get("dp", "").isdigit() else None


def _counted(total: int, size: int = 100) -> dict[str, str]:
    return {"X-WP-Total": str(total), "X-WP-TotalPages": str(-(-total // size))}


def _json(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(
        body=encode(content),
        status=status,
        headers={"Content-Type": "application/json; charset=UTF-8", **(headers or {})},
    )
