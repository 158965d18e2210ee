"""Every refusal is a google.rpc.Status whose details a program can act on."""

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from service.errors import ApiError, away, exhausted, internal, invalid, not_found, precondition


def details(error: ApiError) -> dict[str, object]:
    """The details by the name of their type."""
    ((key, raw),) = error.trailers()
    assert key == "grpc-status-details-bin"
    status = status_pb2.Status.FromString(raw)
    assert (status.code, status.message) == (error.code.value[0], error.text)
    found: dict[str, object] = {}
    for detail in status.details:
        for kind in (error_details_pb2.ErrorInfo, error_details_pb2.BadRequest, error_details_pb2.RetryInfo):
            message = kind()
            if detail.Unpack(message):
                found[kind.__name__] = message
    return found


def test_a_bad_field_is_named() -> None:
    found = details(invalid("page_token", "leave it empty"))
    bad = found["BadRequest"]
    assert isinstance(bad, error_details_pb2.BadRequest)
    assert [(one.field, one.description) for one in bad.field_violations] == [("page_token", "leave it empty")]


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (invalid("name", "x"), grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD"),
        (not_found("ORDER", "x"), grpc.StatusCode.NOT_FOUND, "ORDER_NOT_FOUND"),
        (precondition("NOT_HELD", "x", target="erp"), grpc.StatusCode.FAILED_PRECONDITION, "NOT_HELD"),
        (exhausted("TOO_MANY_WATCHERS", "x"), grpc.StatusCode.RESOURCE_EXHAUSTED, "TOO_MANY_WATCHERS"),
        (away(), grpc.StatusCode.UNAVAILABLE, "LEDGER_AWAY"),
        (internal(), grpc.StatusCode.INTERNAL, "INTERNAL"),
    ],
)
def test_every_refusal_has_its_code_and_a_stable_reason(error: ApiError, code: grpc.StatusCode, reason: str) -> None:
    info = details(error)["ErrorInfo"]
    assert isinstance(info, error_details_pb2.ErrorInfo)
    assert (error.code, info.reason, info.domain) == (code, reason, "tallystick")
    assert dict(info.metadata) == ({"target": "erp"} if reason == "NOT_HELD" else {})


@pytest.mark.parametrize(("error", "after_s"), [(away(), 2), (exhausted("TOO_MANY_WATCHERS", "x"), 5)])
def test_what_passes_says_when_to_come_back(error: ApiError, after_s: int) -> None:
    retry = details(error)["RetryInfo"]
    assert isinstance(retry, error_details_pb2.RetryInfo)
    assert retry.retry_delay.seconds == after_s
