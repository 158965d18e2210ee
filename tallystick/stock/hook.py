"""The hook "stock changed" that any ERP may call: `POST /webhooks/<connection>` with `{"skus": ["MUG", …]}`.

Signed as the specification Standard Webhooks says: `webhook-signature` holds `v1,` and the base64 of HMAC-SHA256 over
`<webhook-id>.<webhook-timestamp>.<body>`; a secret that begins with `whsec_` is base64 behind that. A sender that
cannot sign brings a secret token instead, as `?token=` of the address or in a header. Nothing but the SKUs is taken
from it, and they are only read: so an old delivery that is sent again does no harm, and its time is not judged.
"""

import base64
import binascii
import hmac
import json
from collections.abc import Mapping, Sequence
from hashlib import sha256

from pydantic import Field, model_validator

from tallystick.errors import Unreadable
from tallystick.ports import Hint
from tallystick.secrets import Secret
from tallystick.settings import Strict

#: The header that carries the token; the edge puts the one of the address there. It is never kept.
TOKEN = "x-tallystick-token"  # noqa: S105
SKUS_MAX = 1000
_SKU_MAX = 200
_PREFIXED = "whsec_"


class HookSettings(Strict):
    """Who is listened to. Two of a kind are active while they are being changed."""

    #: Of senders that sign.
    secrets: tuple[Secret, ...] = Field(default=(), max_length=2)
    #: Of senders that cannot, such as the webhooks of Odoo's automation rules. It stands in the address: only use it
    #: over https, and keep it out of the logs of proxies.
    tokens: tuple[Secret, ...] = Field(default=(), max_length=2)

    @model_validator(mode="after")
    def _somebody(self) -> "HookSettings":
        if not (self.secrets or self.tokens):
            raise ValueError("stock_hook names nobody: give it `secrets` for senders that sign, or `tokens`")
        return self


def verify(settings: HookSettings, headers: Mapping[str, str], raw: bytes) -> bool:
    """Whether one of the secrets signed exactly these bytes, or one of the tokens came along. Raises `SetupError`."""
    content = b".".join((_bytes(headers, "webhook-id"), _bytes(headers, "webhook-timestamp"), raw))
    stated = [one[3:] for one in _bytes(headers, "webhook-signature").split() if one.startswith(b"v1,")][:4]
    token = _bytes(headers, TOKEN)
    # All are compared always, so that the time does not tell which one is in use.
    signed = [hmac.compare_digest(sign(one.reveal(), content), mac) for one in settings.secrets for mac in stated]
    known = [hmac.compare_digest(one.reveal().encode(), token) for one in settings.tokens]
    return any(signed) or any(known)


def sign(secret: str, content: bytes) -> bytes:
    """The base64 of the signature over `<id>.<timestamp>.<body>`."""
    return base64.b64encode(hmac.digest(_key(secret), content, sha256))


def hint(headers: Mapping[str, str]) -> Hint:
    """The sender's id of the delivery, where it gives one."""
    return Hint("stock.changed", "", headers.get("webhook-id", "")[:200])


def told(raw: bytes) -> Sequence[str]:
    """The SKUs in the body. Raises `Unreadable`."""
    content = parse(raw)
    skus = content.get("skus") if isinstance(content, dict) else None
    if not isinstance(skus, list) or len(skus) > SKUS_MAX or not all(map(_is_sku, skus)):
        raise Unreadable(f'the body is not {{"skus": ["…"]}} with at most {SKUS_MAX} texts')
    return skus


def parse(raw: bytes) -> object:
    """The body. Raises `Unreadable`."""
    try:
        return json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise Unreadable("the bytes are no JSON") from error


def _is_sku(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= _SKU_MAX and value.isprintable()


def _key(secret: str) -> bytes:
    if not secret.startswith(_PREFIXED):
        return secret.encode()
    try:
        return base64.b64decode(secret[len(_PREFIXED) :], validate=True)
    except binascii.Error:
        return secret.encode()


def _bytes(headers: Mapping[str, str], name: str) -> bytes:
    return headers.get(name, "").encode("latin-1", "replace")
