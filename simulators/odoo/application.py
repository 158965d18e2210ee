"""The server's doors over HTTP: `/jsonrpc` and `/xmlrpc/2` of all versions, `/json/2` and `/web/version` of 19."""

from collections.abc import Awaitable, Callable

from aiohttp import web
from aiohttp.typedefs import Middleware

from .answers import as_json, page
from .json2 import Json2
from .jsonrpc import JsonRpc
from .server import Odoo
from .services import version
from .xmlrpc import XmlRpc

_BODY_MAX = 64 * 1024 * 1024
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


def application(odoo: Odoo) -> web.Application:
    """The aiohttp application of one Odoo."""
    app = web.Application(client_max_size=_BODY_MAX, middlewares=[_outage(odoo)])
    app.router.add_post("/jsonrpc", JsonRpc(odoo).answer)
    app.router.add_post("/xmlrpc/2/{service:common|object}", XmlRpc(odoo).answer)
    if odoo.settings.major >= 17:
        app.router.add_post("/json/2/{model}/{method}", Json2(odoo).answer)
        app.router.add_get("/web/version", _version(odoo))
    app.router.add_route("*", "/{rest:.*}", _nowhere)
    return app


def _outage(odoo: Odoo) -> Middleware:
    """While the server is down nothing is read and nothing applied."""

    @web.middleware
    async def refuse(request: web.Request, handler: Handler) -> web.StreamResponse:
        if not odoo.down:
            return await handler(request)
        if odoo.settings.behind_proxy:
            return page(502, "Bad Gateway")
        if request.transport is not None:
            request.transport.abort()
        return page(503, "Service Unavailable")

    return refuse


def _version(odoo: Odoo) -> Handler:
    async def honest() -> web.Response:
        found = version(odoo)
        return as_json({"version_info": found["server_version_info"], "version": found["server_version"]})

    async def answer(request: web.Request) -> web.StreamResponse:
        return await odoo.faults.run("web.version", request, honest)

    return answer


async def _nowhere(request: web.Request) -> web.Response:
    return page(404, "Not Found")
