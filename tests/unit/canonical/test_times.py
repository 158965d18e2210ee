"""Instants are UTC, and a day belongs to a zone."""

from datetime import UTC, date, datetime

import pytest

from tallystick.canonical import times
from tallystick.errors import SetupError, Unreadable

_INSTANT = datetime(2026, 11, 20, 3, 15, 42, tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-20T03:15:42Z",
        "2026-11-20T10:15:42+07:00",
        "2026-11-19T22:15:42-05:00",
        "2026-11-20 03:15:42+00:00",
    ],
)
def test_every_spelling_of_one_instant_is_one_instant(text: str) -> None:
    assert times.parse_instant(text) == _INSTANT


def test_a_time_without_an_offset_needs_to_be_told_its_zone() -> None:
    assert times.parse_instant("2026-11-20T03:15:42", naive_in=UTC) == _INSTANT
    with pytest.raises(Unreadable, match="offset"):
        times.parse_instant("2026-11-20T03:15:42")


@pytest.mark.parametrize("text", ["2026-11-20", "yesterday", "", "2026-13-01T00:00:00Z"])
def test_what_names_no_instant_is_unreadable(text: str) -> None:
    with pytest.raises(Unreadable):
        times.parse_instant(text, naive_in=UTC)


def test_the_wire_form_keeps_microseconds() -> None:
    instant = _INSTANT.replace(microsecond=123456)
    assert times.to_datetime(times.to_timestamp(instant)) == instant


def test_fc_058_ten_to_midnight_in_utc_is_tomorrow_in_bangkok_and_tokyo() -> None:
    instant = datetime(2026, 11, 20, 23, 50, tzinfo=UTC)
    days = {name: times.business_date(instant, times.zone(name)) for name in ("UTC", "Asia/Bangkok", "Asia/Tokyo")}
    tomorrow = date(2026, 11, 21)
    assert days == {"UTC": date(2026, 11, 20), "Asia/Bangkok": tomorrow, "Asia/Tokyo": tomorrow}


def test_fc_057_the_hour_that_comes_twice_stays_two_instants_of_one_day() -> None:
    berlin = times.zone("Europe/Berlin")
    first, second = (times.parse_instant(f"2026-10-25T02:30:00+0{offset}:00") for offset in (2, 1))
    assert first < second
    assert times.business_date(first, berlin) == times.business_date(second, berlin) == date(2026, 10, 25)


@pytest.mark.parametrize("name", ["Bangkok", "", "../etc/passwd", "UTC+7"])
def test_an_unknown_zone_is_a_mistake_of_the_setup(name: str) -> None:
    with pytest.raises(SetupError, match="IANA"):
        times.zone(name)


def test_a_datetime_without_a_zone_is_never_taken() -> None:
    naive = _INSTANT.replace(tzinfo=None)
    with pytest.raises(ValueError, match="time zone"):
        times.to_timestamp(naive)
    with pytest.raises(ValueError, match="time zone"):
        times.business_date(naive, UTC)
