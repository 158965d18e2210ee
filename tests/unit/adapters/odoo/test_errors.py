"""What Odoo's errors mean, held to the answers that real servers gave, and what may be shown of their words."""

import json
from pathlib import Path
from typing import Any

import pytest

from adapters.odoo.errors import Meaning, is_passing, meaning, redacted
from tests.shared import shared

_REFUSALS = (
    "bad_datetime",
    "bad_selection",
    "missing_required",
    "unknown_field",
    "unknown_method",
    "unknown_model",
)


def sample(name: str) -> Any:
    """The body of a recorded answer."""
    path: Path = shared(f"vendors/odoo/samples/{name}.json")
    return json.loads(path.read_text(encoding="utf-8"))["response"]["body"]


@pytest.mark.parametrize("version", ["16.0", "19.0"])
@pytest.mark.parametrize("name", _REFUSALS)
def test_recorded_refusals_are_permanent(version: str, name: str) -> None:
    """The code is 200 in Odoo 16 and 0 in Odoo 19; the name is the same."""
    error = sample(f"{version}_jsonrpc_err_{name}")["error"]
    assert error["code"] == {"16.0": 200, "19.0": 0}[version]
    assert meaning(error["data"]["name"]) is Meaning.REFUSED


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("odoo.exceptions.AccessDenied", Meaning.DENIED),
        ("odoo.exceptions.AccessError", Meaning.REFUSED),
        ("psycopg2.errors.SerializationFailure", Meaning.PASSING),
        ("psycopg2.OperationalError", Meaning.PASSING),
        ("odoo.sql_db.PoolError", Meaning.PASSING),
        ("werkzeug.exceptions.TooManyRequests", Meaning.THROTTLED),
        ("builtins.KeyError", Meaning.REFUSED),
        ("builtins.RuntimeError", Meaning.UNKNOWN),
        ("", Meaning.UNKNOWN),
    ],
)
def test_meanings(name: str, expected: Meaning) -> None:
    assert meaning(name) is expected


def test_a_conflict_is_known_by_the_databases_words() -> None:
    assert is_passing("could not serialize access due to concurrent update\n")
    assert not is_passing("No matching record found for database id '7' in field 'Product'")


def test_words_are_shown_without_what_is_personal() -> None:
    said = (
        "The VAT number [DE123456789] of partner [Erika Beispiel]\nseems wrong; write to ERIKA@shop.example or "
        "+49 151 2345678, Hauptstr. 1. Model: Contact (res.partner)"
    )
    shown = redacted(said, ["Erika Beispiel", "Hauptstr. 1", ""])
    assert shown == "The VAT number […] of partner […] seems wrong; write to … or +…, …. Model: Contact (res.partner)"


def test_long_words_are_cut() -> None:
    assert len(redacted("word " * 500, ())) < 320
