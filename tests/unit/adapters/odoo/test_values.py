"""Cells for `load`, and values read back."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from adapters.odoo.values import cell, link, links, moment, number, same, with_mark, without_mark
from tallystick.errors import Unreadable
from tallystick.marks import mark

MARK = str(mark("woocommerce/1042", 2, b"content"))


def test_datetimes_are_naive_utc() -> None:
    """FC-056: a `T`, a `Z` or an offset is refused by Odoo."""
    assert moment(datetime(2026, 11, 20, 3, 15, 42, 900_000, tzinfo=UTC)) == "2026-11-20 03:15:42"
    assert moment(datetime(2026, 11, 20, 3, 15, tzinfo=timezone(timedelta(hours=7)))) == "2026-11-19 20:15:00"


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        (None, "char", ""),
        (True, "boolean", "1"),
        (False, "boolean", "0"),
        (Decimal("1E+2"), "float", "100"),
        (Decimal("0.000001"), "float", "0.000001"),
        (7, "integer", "7"),
        ("7.50", "float", "7.50"),
        ("", "float", ""),
        ("2026-11-20T03:15:42Z", "datetime", "2026-11-20 03:15:42"),
        ("2026-11-20T23:50:00+07:00", "datetime", "2026-11-20 16:50:00"),
        ("2026-11-20T03:15:42Z", "date", "2026-11-20"),
        ("a < b & c\nd", "html", "a &lt; b &amp; c<br/>d"),
        ("a < b", "text", "a < b"),
    ],
)
def test_cells(value: Any, kind: str, text: str) -> None:
    assert cell(value, kind) == text


@pytest.mark.parametrize(("value", "kind"), [("tomorrow", "datetime"), ("tomorrow", "date"), ("many", "float")])
def test_what_is_no_date_and_no_number_is_said_so(value: str, kind: str) -> None:
    with pytest.raises(Unreadable, match=f"'{value}"):
        cell(value, kind)


@pytest.mark.parametrize(
    ("stored", "value", "kind", "equal"),
    [
        ("<p>a &lt; b &amp; c<br>d</p>", "a < b & c\nd", "html", True),
        ("<p>a</p>", "b", "html", False),
        (False, None, "char", True),
        (False, "", "html", True),
        ("Web shop", "Web shop", "char", True),
        ("Web shop", "Office", "char", False),
        (Decimal("3.50"), Decimal("3.5"), "float", True),
        (False, None, "float", True),
        (Decimal("3.51"), Decimal("3.5"), "monetary", False),
        (True, True, "boolean", True),
        (True, "0", "boolean", False),
        ("2026-11-20 03:15:42", "2026-11-20T03:15:42Z", "datetime", True),
    ],
)
def test_same(stored: Any, value: Any, kind: str, equal: bool) -> None:
    assert same(stored, value, kind) is equal


def test_relations_and_numbers() -> None:
    assert (link([7, "Web"]), link(False)) == (7, None)
    assert (links([9, 4]), links(False)) == ((4, 9), ())
    assert [number(Decimal("10.12")), number(3), number(False)] == [Decimal("10.12"), Decimal(3), Decimal(0)]


@pytest.mark.parametrize("content", ["", "Web shop", "a [b] c"])
def test_the_mark_goes_behind_the_content_and_comes_off_again(content: str) -> None:
    text = with_mark(content, MARK)
    assert text.startswith(content)
    assert without_mark(text) == content
    assert without_mark(content) == content
