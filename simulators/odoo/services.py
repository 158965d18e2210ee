"""The services `common` and `object`, which JSON-RPC and XML-RPC both lead to."""

from collections.abc import Sequence
from typing import Any

from .errors import OdooError
from .server import Odoo

Arguments = Sequence[Any]


def operation(service: Any, method: Any, arguments: Arguments) -> str:
    """How fault rules name a call: `sale.order.load`, `common.authenticate`."""
    if service == "object" and len(arguments) > 4:
        return f"{arguments[3]}.{arguments[4]}"
    return f"{service}.{method}"


async def dispatch(odoo: Odoo, service: Any, method: Any, arguments: Arguments) -> Any:
    """The result of a call. Raises `OdooError`."""
    match service, method:
        case "common", "version":
            return version(odoo)
        case "common", "authenticate" | "login":
            return odoo.authenticate(*arguments[:3])
        case "object", "execute_kw":
            return await _execute_kw(odoo, arguments)
    raise OdooError("builtins.NameError", f"Method not available {method}")


async def _execute_kw(odoo: Odoo, arguments: Arguments) -> Any:
    database, user, password, model, method = arguments[:5]
    odoo.authorise(database, user, password)
    positional = arguments[5] if len(arguments) > 5 else ()
    named = arguments[6] if len(arguments) > 6 else {}
    return await odoo.calls.call(model, method, positional, named)


def version(odoo: Odoo) -> dict[str, Any]:
    """What `common.version` tells."""
    return {
        "server_version": odoo.settings.version,
        "server_version_info": [odoo.settings.major, 0, 0, "final", 0, ""],
        "server_serie": odoo.settings.version,
        "protocol_version": 1,
    }
