"""Pages by AIP-158: opaque tokens that hold for the same filters only."""

import base64
import binascii
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import orjson
from google.protobuf.message import Message

from service.errors import invalid

PAGE_MAX = 500


def page_size(asked: int, usual: int) -> int:
    """What is asked for, within what may be; `usual` for 0."""
    return min(asked, PAGE_MAX) if asked else usual


def next_token(request: Message, cursor: Sequence[Any] | None) -> str:
    """The token of the page after `cursor`; empty when there is none."""
    if cursor is None:
        return ""
    return base64.urlsafe_b64encode(orjson.dumps([_filters(request), *cursor])).decode()


def cursor_of(request: Any, types: Sequence[type]) -> list[Any] | None:
    """Where the page that is asked for begins; None for the first. Raises INVALID_ARGUMENT."""
    if not request.page_token:
        return None
    try:
        digest, *cursor = orjson.loads(base64.urlsafe_b64decode(request.page_token))
        values = [_typed(value, kind) for value, kind in zip(cursor, types, strict=True)]
    except (binascii.Error, ValueError, TypeError) as error:
        raise invalid("page_token", "was not given out here; leave it empty for the first page") from error
    if digest != _filters(request):
        raise invalid("page_token", "belongs to other filters; ask for the next page with the fields of the first")
    return values


def _typed(value: Any, kind: type) -> Any:
    if kind is datetime:
        instant = datetime.fromisoformat(value)
        return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)
    if not isinstance(value, kind):
        raise ValueError(value)
    return value


def _filters(request: Message) -> str:
    bare = type(request)()
    bare.CopyFrom(request)
    for name in ("page_token", "page_size"):
        bare.ClearField(name)
    return hashlib.sha256(bare.SerializeToString(deterministic=True)).hexdigest()[:12]
