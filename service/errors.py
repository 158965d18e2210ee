"""Errors of the API: a google.rpc.Status with details that a program can act on. No stack, no SQL, no foreign text."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2

DOMAIN = "tallystick"
_DETAILS_KEY = "grpc-status-details-bin"


@dataclass(frozen=True, slots=True)
class Violation:
    """One field of a request that cannot be; `text` says what is allowed."""

    field: str
    text: str


@dataclass
class ApiError(Exception):
    """What a call is refused with. `reason` is UPPER_SNAKE_CASE and stable; `text` says what to do."""

    code: grpc.StatusCode
    reason: str
    text: str
    metadata: Mapping[str, str] = field(default_factory=dict)
    violations: Sequence[Violation] = ()
    retry_after_s: float | None = None

    def status(self) -> status_pb2.Status:
        """The whole, with its details."""
        info = error_details_pb2.ErrorInfo(reason=self.reason, domain=DOMAIN, metadata=dict(self.metadata))
        details: list[Message] = [info]
        if self.violations:
            fields = error_details_pb2.BadRequest.FieldViolation
            violations = [fields(field=one.field, description=one.text) for one in self.violations]
            details.append(error_details_pb2.BadRequest(field_violations=violations))
        if self.retry_after_s is not None:
            delay = duration_pb2.Duration()
            delay.FromMilliseconds(round(self.retry_after_s * 1000))
            details.append(error_details_pb2.RetryInfo(retry_delay=delay))
        # The pair (number, name) is what the enum of grpc holds.
        return status_pb2.Status(code=self.code.value[0], message=self.text, details=[_packed(one) for one in details])

    def trailers(self) -> tuple[tuple[str, bytes], ...]:
        """The metadata that carries the details."""
        return ((_DETAILS_KEY, self.status().SerializeToString()),)


def _packed(message: Message) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def invalid(field_name: str, text: str) -> ApiError:
    """A field of the request cannot be as it is."""
    return ApiError(
        grpc.StatusCode.INVALID_ARGUMENT, "INVALID_FIELD", f"{field_name}: {text}", {}, (Violation(field_name, text),)
    )


def not_found(what: str, text: str) -> ApiError:
    """There is no such thing; `what` is the resource, such as ORDER."""
    return ApiError(grpc.StatusCode.NOT_FOUND, f"{what}_NOT_FOUND", text)


def precondition(reason: str, text: str, **metadata: str) -> ApiError:
    """The thing is not in the state that the call is for."""
    return ApiError(grpc.StatusCode.FAILED_PRECONDITION, reason, text, metadata)


def exhausted(reason: str, text: str) -> ApiError:
    """More than one caller, or all together, may have at once."""
    return ApiError(grpc.StatusCode.RESOURCE_EXHAUSTED, reason, text, retry_after_s=5.0)


def away() -> ApiError:
    """Postgres cannot be reached now."""
    return ApiError(
        grpc.StatusCode.UNAVAILABLE, "LEDGER_AWAY", "the ledger cannot be reached now; try again", retry_after_s=2.0
    )


def internal() -> ApiError:
    """A fault of ours; the log has it."""
    return ApiError(grpc.StatusCode.INTERNAL, "INTERNAL", "a fault of ours; it is in the log of the service")
