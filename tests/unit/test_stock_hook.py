"""The hook "stock changed": who is listened to, and what is taken from it."""

import base64
import hmac
import json

import pytest
from pydantic import ValidationError

from tallystick.errors import Unreadable
from tallystick.secrets import Secret
from tallystick.stock import hook

_RAW = b'{"skus": ["MUG", "TEA"], "quantity": 9}'


def headers(secret: bytes, raw: bytes = _RAW, **more: str) -> dict[str, str]:
    """As a library of Standard Webhooks signs."""
    content = b"msg_1.1795413600." + raw
    mac = base64.b64encode(hmac.digest(secret, content, "sha256")).decode()
    return {"webhook-id": "msg_1", "webhook-timestamp": "1795413600", "webhook-signature": f"v1,{mac}", **more}


def settings(*secrets: str, tokens: tuple[str, ...] = ()) -> hook.HookSettings:
    return hook.HookSettings(
        secrets=tuple(Secret.of(one) for one in secrets), tokens=tuple(Secret.of(one) for one in tokens)
    )


@pytest.mark.parametrize("secret", ["plain words", "whsec_" + base64.b64encode(b"plain words").decode()])
def test_a_signature_over_exactly_these_bytes(secret: str) -> None:
    known = settings("another", secret)
    assert hook.verify(known, headers(b"plain words"), _RAW)
    assert not hook.verify(known, headers(b"plain words"), _RAW + b" ")
    assert not hook.verify(known, headers(b"a guess"), _RAW)
    assert not hook.verify(known, {}, _RAW)
    moved = headers(b"plain words") | {"webhook-id": "msg_2"}
    assert not hook.verify(known, moved, _RAW)


def test_while_a_secret_changes_the_sender_may_sign_with_both() -> None:
    both = headers(b"old")
    both["webhook-signature"] = f"v1a,x {headers(b'new')['webhook-signature']} {both['webhook-signature']}"
    assert hook.verify(settings("old"), both, _RAW)
    assert hook.verify(settings("new"), both, _RAW)


def test_a_token_is_for_those_who_cannot_sign() -> None:
    known = settings(tokens=("t0ken",))
    assert hook.verify(known, {hook.TOKEN: "t0ken"}, _RAW)
    for wrong in ("", "t0ke", "t0ken "):
        assert not hook.verify(known, {hook.TOKEN: wrong}, _RAW)
    assert not hook.verify(settings("t0ken"), {hook.TOKEN: "t0ken"}, _RAW)


def test_nobody_is_listened_to_without_a_secret() -> None:
    with pytest.raises(ValidationError, match="names nobody"):
        hook.HookSettings()


def test_nothing_but_the_skus_is_taken() -> None:
    assert hook.told(_RAW) == ["MUG", "TEA"]
    assert hook.hint(headers(b"x")).delivery_id == "msg_1"


_TOO_LONG, _TOO_MANY = (json.dumps({"skus": skus}).encode() for skus in (["x" * 201], ["x"] * 1001))
_ODD = (
    b"",
    b"<html>",
    b"[]",
    b"{}",
    b'{"skus": "MUG"}',
    b'{"skus": [1]}',
    b'{"skus": [""]}',
    b'{"skus": ["a\\u0000"]}',
)


@pytest.mark.parametrize("body", [*_ODD, _TOO_LONG, _TOO_MANY, b"[" * 100_000])
def test_what_is_no_list_of_skus(body: bytes) -> None:
    with pytest.raises(Unreadable):
        hook.told(body)
