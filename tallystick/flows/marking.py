"""A document with its mark: what is in it, whichever contract made it."""

from collections.abc import Mapping
from dataclasses import fields
from decimal import Decimal

import orjson

from tallystick.built import Built
from tallystick.contract.document import (
    CustomerDocument,
    Document,
    FulfilmentDocument,
    OrderDocument,
    PaymentDocument,
    PriceDocument,
    RefundDocument,
    ReturnDocument,
    StockDocument,
)
from tallystick.ledger.rows import Head, Row
from tallystick.marks import mark


def built(head: Head, document: Document, version: str, customer: Row | None = None) -> Built:
    """The document for the engine; `customer` is the effect that has to be in the target first."""
    text = str(mark(head.external_ref, head.revision, _content(document)))
    return Built(document, text, version, customer)


def _content(document: Document) -> bytes:
    """What the mark is a digest of: all of the document but the name of the contract that made it."""
    content = [getattr(document, name) for name in _CONTENT[type(document)]]
    return orjson.dumps(content, default=_plain, option=orjson.OPT_SORT_KEYS)


_CONTENT = {
    kind: tuple(field.name for field in fields(kind) if field.name != "contract_version")
    for kind in (
        OrderDocument,
        CustomerDocument,
        RefundDocument,
        ReturnDocument,
        PaymentDocument,
        FulfilmentDocument,
        StockDocument,
        PriceDocument,
    )
}


def _plain(value: object) -> object:
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, Mapping):
        return dict(value)
    if isinstance(value, frozenset):
        return sorted(value)
    raise TypeError(f"a document holds a {type(value).__name__}, which has no plain form")
