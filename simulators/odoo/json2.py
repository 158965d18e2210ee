"""`POST /json/2/<model>/<method>` of Odoo 19: an API key, arguments by name, and statuses that mean something."""

import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from . import errors
from .answers import as_json, page
from .errors import OdooError
from .server import Odoo

_STATUS: Mapping[str, int] = {
    errors.ACCESS_ERROR: 403,
    errors.MISSING_ERROR: 404,
    errors.USER_ERROR: 422,
    errors.VALIDATION_ERROR: 422,
}


class _HttpError(Exception):
    """A refusal by the door itself."""

    def __init__(self, status: int, name: str, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.error = OdooError(f"werkzeug.exceptions.{name}", message)


class Json2:
    """Answers one call a request."""

    def __init__(self, odoo: Odoo) -> None:
        self._odoo = odoo

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The answer, spoilt if a fault strikes."""
        raw = await request.read()
        model, method = request.match_info["model"], request.match_info["method"]

        async def honest() -> web.Response:
            return await self._outcome(request, raw, model, method)

        return await self._odoo.faults.run(f"{model}.{method}", request, honest)

    async def _outcome(self, request: web.Request, raw: bytes, model: str, method: str) -> web.Response:
        if request.headers.get("X-Odoo-Database", self._odoo.settings.database) != self._odoo.settings.database:
            return page(404, "Not Found")
        if request.content_type != "application/json":
            return page(415, "Unsupported Media Type")
        try:
            self._authorise(request.headers.get("Authorization", ""))
            return as_json(await self._call(model, method, _body(raw)))
        except _HttpError as refused:
            headers = {"WWW-Authenticate": "Bearer "} if refused.status == 401 else {}
            return as_json(refused.error.data(refused.status), refused.status, headers)
        except OdooError as error:
            return as_json(error.data(), _STATUS.get(error.name, 500))

    def _authorise(self, header: str) -> None:
        scheme, _, key = header.partition(" ")
        if scheme.lower() != "bearer" or not key:
            message = "User not authenticated, use an API Key with a Bearer Authorization header."
            raise _HttpError(401, "Unauthorized", message)
        if key != self._odoo.settings.key:
            raise _HttpError(401, "Unauthorized", "Invalid apikey")

    async def _call(self, name: str, method: str, body: dict[str, Any]) -> Any:
        calls = self._odoo.calls
        model = self._odoo.db.models.get(name)
        if model is None:
            raise _HttpError(404, "NotFound", f"the model '{name}' does not exist")
        if not method.startswith("_") and method not in model.on_model | model.on_records:
            raise _HttpError(404, "NotFound", f"The method '{name}.{method}' does not exist")
        calls.check(model, method)
        named = {key: value for key, value in body.items() if key not in ("ids", "context")}
        try:
            calls.signature(model, method).bind(**named)
        except TypeError as error:
            raise _HttpError(422, "UnprocessableEntity", str(error)) from None
        if method in model.on_model and "ids" in body:
            raise _HttpError(422, "UnprocessableEntity", f"cannot call {name}.{method} with ids")
        positional = [body.get("ids", [])] if method in model.on_records else []
        return await calls.call(name, method, positional, {**named, "context": body.get("context")})


def _body(raw: bytes) -> dict[str, Any]:
    """Read by the same parser as the server's, for the words of its complaint."""
    try:
        found: dict[str, Any] = json.loads(raw or b"{}")
    except ValueError as error:
        raise _HttpError(400, "BadRequest", f"could not parse the body as json: {error}") from None
    return found
