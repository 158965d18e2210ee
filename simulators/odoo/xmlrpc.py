"""`/xmlrpc/2/common` and `/xmlrpc/2/object`. A method of no result ends in a fault, after it has committed."""

from collections.abc import Mapping
from typing import Any
from xmlrpc import client

from aiohttp import web

from . import errors
from .errors import OdooError
from .server import Odoo
from .services import dispatch, operation

_APPLICATION, _WARNING, _DENIED, _FORBIDDEN = 1, 2, 3, 4
_FAULTS: Mapping[str, int] = {
    errors.USER_ERROR: _WARNING,
    errors.VALIDATION_ERROR: _WARNING,
    errors.MISSING_ERROR: _WARNING,
    errors.ACCESS_DENIED: _DENIED,
    errors.ACCESS_ERROR: _FORBIDDEN,
}


class XmlRpc:
    """Answers one call a request."""

    def __init__(self, odoo: Odoo) -> None:
        self._odoo = odoo

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """The answer, spoilt if a fault strikes."""
        arguments, method = client.loads(await request.read())
        service = request.match_info["service"]

        async def honest() -> web.Response:
            text = await self._outcome(service, method, arguments)
            return web.Response(text=text, content_type="text/xml", charset="utf-8")

        return await self._odoo.faults.run(operation(service, method, arguments), request, honest)

    async def _outcome(self, service: str, method: Any, arguments: Any) -> str:
        try:
            result = await dispatch(self._odoo, service, method, arguments)
            return client.dumps((result,), methodresponse=True)
        except OdooError as error:
            fault = client.Fault(_FAULTS.get(error.name, _APPLICATION), _text(error))
        except TypeError as error:
            fault = client.Fault(_APPLICATION, f"Traceback (most recent call last):\nTypeError: {error}\n")
        return client.dumps(fault)


def _text(error: OdooError) -> str:
    if error.name in _FAULTS:
        return error.message
    return f"Traceback (most recent call last):\n{error.name.removeprefix('builtins.')}: {error.message}\n"
