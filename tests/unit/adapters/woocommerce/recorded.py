"""The recordings of a real WooCommerce 11.0.1 shop, once with order tables and once with the old storage."""

import base64
import json
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.shared import shared

RUNS = ("excl-tax", "legacy-posts")
SECRET = "whs-secret-1"


@dataclass(frozen=True)
class Exchange:
    """One call of the API."""

    name: str
    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        """The answer with exact numbers."""
        return json.loads(self.body, parse_float=Decimal)


@dataclass(frozen=True)
class Delivered:
    """One delivery with its exact bytes."""

    name: str
    headers: dict[str, str]
    raw: bytes

    @property
    def topic(self) -> str:
        return self.headers.get("x-wc-webhook-topic", "")


def exchange(run: str, prefix: str) -> Exchange:
    """The call whose number begins so."""
    return next(call for call in exchanges(run) if call.name.startswith(prefix))


def exchanges(run: str) -> Iterator[Exchange]:
    """All calls in order."""
    for path in _files(f"{run}/api"):
        response = json.loads(path.read_bytes())["response"]
        headers = {name.lower(): value for name, value in response["headers"]}
        yield Exchange(path.stem, response["status"], headers, (response["body"] or "").encode())


def deliveries(run: str) -> Iterator[Delivered]:
    """All deliveries in the order in which they came."""
    for path in _files(f"{run}/webhooks"):
        data = json.loads(path.read_bytes())
        headers = {name.lower(): value for name, value in data["headers"]}
        yield Delivered(path.stem, headers, base64.b64decode(data["body_base64"]))


def orders(content: Any) -> Iterator[dict[str, Any]]:
    """Every order inside an answer, whatever wraps it."""
    if isinstance(content, dict):
        if isinstance(content.get("line_items"), list) and "billing" in content:
            yield content
        else:
            for value in content.values():
                yield from orders(value)
    elif isinstance(content, list):
        for value in content:
            yield from orders(value)


def samples() -> Iterator[tuple[str, dict[str, Any]]]:
    """The orders among the samples, with the name of their file."""
    for path in sorted(shared("vendors/woocommerce/samples").glob("*.json")):
        for order in orders(json.loads(path.read_bytes(), parse_float=Decimal)):
            yield path.stem, order


def _files(folder: str) -> list[Path]:
    return sorted(shared(f"vendors/woocommerce/recordings/{folder}").glob("*.json"))
