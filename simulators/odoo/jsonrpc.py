"""`/jsonrpc`, the door of all versions: HTTP 200 with `result`, with `error`, or with neither for no result."""

from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web

from .answers import as_json, page
from .errors import OdooError
from .server import Odoo
from .services import dispatch, operation


class JsonRpc:
    """Answers one call a request."""

    def __init__(self, odoo: Odoo) -> None:
        self._odoo = odoo

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The answer, spoilt if a fault strikes."""
        raw = await request.read()
        if request.content_type != "application/json":
            return page(400, "Bad Request") if self._odoo.db.version < 17 else page(415, "Unsupported Media Type")
        try:
            body: Mapping[str, Any] = orjson.loads(raw)
            params = body.get("params") or {}
        except (orjson.JSONDecodeError, AttributeError):
            return web.Response(status=400, text="Invalid JSON data", content_type="text/html")
        called = params.get("service"), params.get("method"), params.get("args") or ()

        async def honest() -> web.Response:
            return as_json({"jsonrpc": "2.0", "id": body.get("id"), **await self._outcome(*called)})

        return await self._odoo.faults.run(operation(*called), request, honest)

    async def _outcome(self, service: Any, method: Any, arguments: Any) -> dict[str, Any]:
        try:
            result = await dispatch(self._odoo, service, method, arguments)
        except OdooError as error:
            code = 200 if self._odoo.db.version < 17 else 0
            return {"error": {"code": code, "message": "Odoo Server Error", "data": error.data()}}
        return {} if result is None else {"result": result}
