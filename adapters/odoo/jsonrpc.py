"""JSON-RPC (`/jsonrpc`): credentials in every call, HTTP 200 for nearly everything, `error` inside.

There is no session and nothing expires; a wrong password is `false` from `authenticate` and AccessDenied elsewhere.
The service is deprecated from Odoo 19 on and planned to go with 22; JSON-2 takes its place.
"""

import itertools
import json
from collections.abc import Sequence
from typing import Any, NoReturn

from adapters.http import HttpDoor, Lost, NotSent, Reply
from tallystick.clock import Budget, Clock
from tallystick.errors import SetupError, Throttled, Unauthorised, Unavailable, Unreadable
from tallystick.ports import Doubt, NotApplied

from .errors import Meaning, meaning, redacted
from .settings import OdooSettings
from .transport import Call, Done, Json, Rejected, Written

_PATH = "jsonrpc"
_HEADERS = {"Content-Type": "application/json", "Accept": "application/json"}


class JsonRpc:
    """A `Transport`."""

    def __init__(self, settings: OdooSettings, door: HttpDoor, clock: Clock) -> None:
        self._settings = settings
        self._door = door
        self._clock = clock
        self._ids = itertools.count(1)
        self._uid: int | None = None

    async def version(self) -> Sequence[Any]:
        """The server's version."""
        answer = await self._ask("common", "version", [])
        found = answer.get("server_version_info") if isinstance(answer, dict) else None
        if not isinstance(found, list):
            raise Unavailable("the address answers, but not as an Odoo server that tells its version")
        return found

    async def read(self, call: Call) -> Any:
        """See `Transport`."""
        return await self._ask("object", "execute_kw", await self._arguments(call))

    async def write(self, call: Call, budget: Budget) -> Written:
        """See `Transport`."""
        try:
            number, body = self._request("object", "execute_kw", await self._arguments(call))
        except (Unavailable, Unauthorised) as error:
            retry_after_s = getattr(error, "retry_after_s", None)
            return NotApplied(str(error), retry_after_s, isinstance(error, Throttled), reached=False)
        try:
            reply = await self._door.write("POST", _PATH, budget=budget, headers=_HEADERS, data=body)
        except NotSent as error:
            return NotApplied(str(error), reached=False)
        except Lost as error:
            return Doubt(str(error))
        return self._written(reply, number)

    # ---- calls

    async def _arguments(self, call: Call) -> list[Any]:
        ids = [] if call.ids is None else [list(call.ids)]
        password = self._password()
        signed = [self._settings.database, await self._signed_in(password), password]
        return [*signed, call.model, call.method, ids, dict(call.arguments)]

    def _password(self) -> str:
        try:
            return self._settings.api_key.reveal()
        except SetupError as error:
            raise Unauthorised(str(error)) from error

    async def _signed_in(self, password: str) -> int:
        """The user's id, asked once. Odoo answers a wrong password with `false`."""
        if self._uid is None:
            settings = self._settings
            answer = await self._ask("common", "authenticate", [settings.database, settings.login, password, {}])
            if not isinstance(answer, int) or not answer:
                raise Unauthorised(
                    f"Odoo refuses the user {settings.login!r} of the database {settings.database!r}: "
                    "check the database, the login and the key (a key expires after three months at most)"
                )
            self._uid = answer
        return self._uid

    def _request(self, service: str, method: str, args: list[Any]) -> tuple[int, bytes]:
        number = next(self._ids)
        params = {"service": service, "method": method, "args": args}
        return number, json.dumps({"jsonrpc": "2.0", "method": "call", "params": params, "id": number}).encode()

    async def _ask(self, service: str, method: str, args: list[Any]) -> Any:
        number, body = self._request(service, method, args)
        reply = await self._door.read("POST", _PATH, headers=_HEADERS, data=body)
        try:
            content = _content(reply, number)
        except Unreadable as error:
            raise Unavailable(f"{error}; is this the address of an Odoo server, and is its database up?") from error
        if "error" in content:
            self._raise(_data(content))
        return content.get("result")

    def _raise(self, data: Json) -> NoReturn:
        name = str(data.get("name", ""))
        match meaning(name):
            case Meaning.DENIED:
                self._uid = None
                raise Unauthorised("Odoo refuses the key: it was revoked, has expired, or the user is archived")
            case Meaning.THROTTLED:
                raise Throttled("Odoo throttles")
            case Meaning.REFUSED if name == "odoo.exceptions.AccessError":
                raise Unauthorised(f"Odoo does not let the user read this: {redacted(_message(data), ())}")
        raise Unavailable(f"Odoo could not answer ({name}): {redacted(_message(data), ())}")

    # ---- answers of writes

    def _written(self, reply: Reply, number: int) -> Written:
        if reply.status == 429:
            return NotApplied("HTTP 429", reply.retry_after_s(self._clock.now().timestamp()), throttled=True)
        try:
            content = _content(reply, number)
        except Unreadable as error:
            return Doubt(str(error))
        return self._failed(_data(content)) if "error" in content else Done(content.get("result"))

    def _failed(self, data: Json) -> Written:
        name = str(data.get("name", ""))
        match meaning(name):
            case Meaning.DENIED:
                self._uid = None
                return NotApplied("Odoo refuses the key: it was revoked, has expired, or the user is archived")
            case Meaning.THROTTLED:
                return NotApplied("Odoo throttles", throttled=True)
            case Meaning.PASSING:
                return NotApplied(f"Odoo rolled back, another transaction was in the way ({name})")
            case Meaning.REFUSED:
                return Rejected(name, _message(data))
        return Doubt(f"Odoo failed with an error that is not known ({name})", unanswered=False)


def _content(reply: Reply, number: int) -> Json:
    """The answer's object. Without `result` and `error` the method returned None. Raises `Unreadable`."""
    content = reply.json()
    if not isinstance(content, dict) or "jsonrpc" not in content:
        raise Unreadable(f"HTTP {reply.status} with JSON that is no JSON-RPC answer")
    if content.get("id") != number:
        raise Unreadable("the answer belongs to another request")
    return content


def _data(content: Json) -> Json:
    error = content["error"]
    data = error.get("data") if isinstance(error, dict) else None
    return data if isinstance(data, dict) else {}


def _message(data: Json) -> str:
    return str(data.get("message") or "no message")
