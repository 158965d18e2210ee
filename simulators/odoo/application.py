"""The server's doors over HTTP: `/jsonrpc` of all versions and `/web/version`."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import orjson
from aiohttp import web

from .errors import OdooError
from .server import Odoo

Params = Mapping[str, Any]


def application(odoo: Odoo) -> web.Application:
    """The aiohttp application of one Odoo."""
    app = web.Application(client_max_size=64 * 1024 * 1024, middlewares=[_outage(odoo)])
    app.router.add_post("/jsonrpc", _JsonRpc(odoo).answer)
    if odoo.settings.major >= 17:
        app.router.add_get("/web/version", _Version(odoo).answer)
    app.router.add_route("*", "/{rest:.*}", _nowhere)
    return app


def _outage(odoo: Odoo) -> Any:
    @web.middleware
    async def refuse(
        request: web.Request, handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    ) -> web.StreamResponse:
        if not odoo.down:
            return await handler(request)
        if odoo.settings.behind_proxy:
            return page(502, "Bad Gateway")
        if request.transport is not None:
            request.transport.abort()
        return page(500, "Internal Server Error")

    return refuse


class _JsonRpc:
    def __init__(self, odoo: Odoo) -> None:
        self._odoo = odoo

    async def answer(self, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        if request.content_type != "application/json":
            return page(400, "Bad Request") if self._odoo.db.version < 17 else page(415, "Unsupported Media Type")
        try:
            body = orjson.loads(raw)
        except orjson.JSONDecodeError:
            return web.Response(status=400, text="Invalid JSON data", content_type="text/html")
        params = body.get("params") or {}

        async def honest() -> web.Response:
            return await self._honest(body.get("id"), params)

        return await self._odoo.faults.run(operation(params), request, honest)

    async def _honest(self, call_id: Any, params: Params) -> web.Response:
        found: dict[str, Any] = {"jsonrpc": "2.0", "id": call_id}
        try:
            result = await self._dispatch(params.get("service"), params.get("method"), params.get("args") or ())
        except OdooError as error:
            code = 200 if self._odoo.db.version < 17 else 0
            found["error"] = {"code": code, "message": "Odoo Server Error", "data": error.data()}
        else:
            if result is not None:
                found["result"] = result
        return as_json(found)

    async def _dispatch(self, service: Any, method: Any, arguments: Sequence[Any]) -> Any:
        match service, method:
            case "common", "version":
                return version(self._odoo)
            case "common", "authenticate" | "login":
                return self._odoo.authenticate(*arguments[:3])
            case "object", "execute_kw" | "execute":
                return await self._execute(method, arguments)
        raise OdooError("builtins.NameError", f"Method not available {method}")

    async def _execute(self, method: str, arguments: Sequence[Any]) -> Any:
        database, user, password, model, called, *rest = arguments
        self._odoo.authorise(database, user, password)
        if method == "execute":
            return await self._odoo.call(model, called, rest, {})
        positional = rest[0] if rest else ()
        named = rest[1] if len(rest) > 1 else {}
        return await self._odoo.call(model, called, positional, named)


class _Version:
    def __init__(self, odoo: Odoo) -> None:
        self._odoo = odoo

    async def answer(self, request: web.Request) -> web.StreamResponse:
        async def honest() -> web.Response:
            found = version(self._odoo)
            return as_json({"version_info": found["server_version_info"], "version": found["server_version"]})

        return await self._odoo.faults.run("web.version", request, honest)


def operation(params: Params) -> str:
    """How fault rules name a call: `sale.order.load`, `common.authenticate`."""
    arguments = params.get("args") or ()
    if params.get("service") == "object" and len(arguments) > 4:
        return f"{arguments[3]}.{arguments[4]}"
    return f"{params.get('service')}.{params.get('method')}"


def version(odoo: Odoo) -> dict[str, Any]:
    """What `common.version` tells."""
    return {
        "server_version": odoo.settings.version,
        "server_version_info": [odoo.settings.major, 0, 0, "final", 0, ""],
        "server_serie": odoo.settings.version,
        "protocol_version": 1,
    }


async def _nowhere(request: web.Request) -> web.Response:
    return page(404, "Not Found")


def as_json(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer in JSON."""
    found = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    return web.Response(body=orjson.dumps(content), status=status, headers=found)


def page(status: int, title: str) -> web.Response:
    """An answer that no client of an API expects."""
    text = f"<!doctype html>\n<html lang=en>\n<title>{status} {title}</title>\n<h1>{title}</h1>\n"
    return web.Response(status=status, text=text, content_type="text/html")
