"""Forms of HTTP answers that all doors share."""

from collections.abc import Mapping

import orjson
from aiohttp import web


def as_json(content: object, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    """An answer in JSON."""
    found = {"Content-Type": "application/json; charset=utf-8", **(headers or {})}
    return web.Response(body=orjson.dumps(content), status=status, headers=found)


def page(status: int, title: str) -> web.Response:
    """An answer in HTML, which no client of an API expects."""
    text = f"<!doctype html>\n<html lang=en>\n<title>{status} {title}</title>\n<h1>{title}</h1>\n"
    return web.Response(status=status, text=text, content_type="text/html")
