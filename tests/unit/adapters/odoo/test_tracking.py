"""Parcels out of the texts that a picking carries."""

from typing import Any

import pytest

from adapters.odoo.tracking import trackings


def told(ref: Any, url: Any = False) -> list[tuple[str, str, str]]:
    picking = {"carrier_id": [4, "DHL"], "carrier_tracking_ref": ref, "carrier_tracking_url": url}
    return [(one.carrier, one.number, one.url) for one in trackings(picking)]


def test_several_numbers_stand_in_one_text_and_in_the_link() -> None:
    """The carrier's link holds all of them; each parcel is followed by its own."""
    assert told("A1, B2,,A1", "https://dhl.example/?n=A1, B2,,A1") == [
        ("DHL", "A1", "https://dhl.example/?n=A1"),
        ("DHL", "B2", "https://dhl.example/?n=B2"),
    ]


def test_a_list_of_links() -> None:
    links = '[["A1", "https://dhl.example/a"], ["B2", "https://dhl.example/b"]]'
    assert told("A1,B2,C3", links) == [
        ("DHL", "A1", "https://dhl.example/a"),
        ("DHL", "B2", "https://dhl.example/b"),
        ("DHL", "C3", ""),
    ]


@pytest.mark.parametrize("url", [False, "javascript:alert(1)", "[broken", '["A1"]', "[1]"])
def test_what_is_no_link_is_left_out(url: Any) -> None:
    assert told("A1", url) == [("DHL", "A1", "")]


def test_no_number_is_no_parcel() -> None:
    assert told(False) == told(" , ") == []


def test_without_the_app_delivery_there_are_no_parcels() -> None:
    assert trackings({}) == []
