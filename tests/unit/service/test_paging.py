"""Page tokens: opaque, and only for the request that they were given out for."""

from datetime import UTC, datetime

import pytest

from service.errors import ApiError
from service.paging import PAGE_MAX, cursor_of, next_token, page_size
from tallystick.v1 import order_sync_pb2 as pb

AT = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
TYPES = (datetime, str, str)


def test_a_page_has_the_usual_size_unless_another_is_asked_for() -> None:
    assert [page_size(asked, 50) for asked in (0, 1, 500, 501, 2**32 - 1)] == [50, 1, PAGE_MAX, PAGE_MAX, PAGE_MAX]


def test_a_token_leads_back_to_its_cursor() -> None:
    request = pb.ListOrderSyncsRequest(connection="shop", page_size=10)
    request.page_token = next_token(request, [AT, "shop", "é/1"])
    assert cursor_of(request, TYPES) == [AT, "shop", "é/1"]
    request.page_size = 20
    assert cursor_of(request, TYPES) == [AT, "shop", "é/1"], "the size may change from page to page"


def test_the_last_page_has_no_token_and_the_first_no_cursor() -> None:
    request = pb.ListOrderSyncsRequest()
    assert next_token(request, None) == ""
    assert cursor_of(request, TYPES) is None


@pytest.mark.parametrize("token", ["x", "bm8=", "W10=", "WyJhIiwxLDIsM10=", "é", "eyJhIjoxfQ=="])
def test_a_token_that_was_not_given_out_here_is_refused(token: str) -> None:
    with pytest.raises(ApiError) as caught:
        cursor_of(pb.ListOrderSyncsRequest(page_token=token), TYPES)
    assert [violation.field for violation in caught.value.violations] == ["page_token"]


def test_a_token_of_other_filters_or_another_list_is_refused() -> None:
    request = pb.ListOrderSyncsRequest(connection="shop")
    token = next_token(request, [AT, "shop", "1"])
    for other in (
        pb.ListOrderSyncsRequest(connection="woo", page_token=token),
        pb.ListOrderSyncsRequest(connection="shop", reason="DATA", page_token=token),
    ):
        with pytest.raises(ApiError, match="other filters"):
            cursor_of(other, TYPES)
    with pytest.raises(ApiError, match="not given out here"):
        cursor_of(pb.ListOrderEventsRequest(name="shop/1", page_token=token), (datetime, int, int, str))
