"""The API as commands call it: where it is, who calls, and what its refusals mean to the shell."""

import getpass
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, TypeVar

import grpc
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from tallystick.cli.codes import Exit, Stop
from tallystick.cli.running import run
from tallystick.cli.state import running_in
from tallystick.errors import SetupError
from tallystick.settings import Listen
from tallystick.v1 import (
    held_pb2_grpc,
    order_sync_pb2_grpc,
    reconcile_pb2_grpc,
    record_pb2_grpc,
    status_pb2_grpc,
    stock_pb2_grpc,
)

T = TypeVar("T")

#: Every unary call has a deadline; these look at a few rows.
DEADLINE_S = 15.0
_CODES = {
    grpc.StatusCode.NOT_FOUND: Exit.NOT_FOUND,
    grpc.StatusCode.INVALID_ARGUMENT: Exit.USAGE,
    grpc.StatusCode.FAILED_PRECONDITION: Exit.HELD,
}


class Api:
    """The services over one channel."""

    def __init__(self, channel: grpc.aio.Channel) -> None:
        self.orders = order_sync_pb2_grpc.OrderSyncServiceStub(channel)
        self.held = held_pb2_grpc.HeldServiceStub(channel)
        self.reconcile = reconcile_pb2_grpc.ReconcileServiceStub(channel)
        self.records = record_pb2_grpc.RecordServiceStub(channel)
        self.stock = stock_pb2_grpc.StockServiceStub(channel)
        self.status = status_pb2_grpc.StatusServiceStub(channel)


def ask(api: str | None, data: Path | None, work: Callable[[Api], Awaitable[T]]) -> T:
    """Call the API at the address that the options name. Raises `Stop` for what it refuses."""
    return run(_ask(find(api, data), work))


def find(api: str | None, data: Path | None) -> str:
    """By --api, else beside what runs on --data, else where it listens when nothing is said."""
    if api is not None:
        return api
    if data is None:
        return Listen().grpc
    state = running_in(data)
    if state is None:
        raise SetupError(
            f"nothing runs on {data}; start it with `tallystick run --data {data}`, or name the API: --api"
        )
    return state.grpc


async def _ask(address: str, work: Callable[[Api], Awaitable[T]]) -> T:
    async with _open(address) as api:
        with refusals(address):
            return await work(api)


@asynccontextmanager
async def _open(address: str) -> AsyncIterator[Api]:
    async with grpc.aio.insecure_channel(address, interceptors=[_Named()]) as channel:
        yield Api(channel)


def caller() -> str:
    """Who acts, for the audit."""
    return f"{getpass.getuser()}@{socket.gethostname()}".encode("ascii", "replace").decode()


class _Named(grpc.aio.UnaryUnaryClientInterceptor):
    """Says who calls, for the audit, and that a call ends."""

    async def intercept_unary_unary(self, continuation: Any, details: Any, request: Any) -> Any:
        """Add the name and the deadline."""
        metadata = grpc.aio.Metadata(*(details.metadata or ()), ("tallystick-actor", caller()))
        timeout = details.timeout if details.timeout is not None else DEADLINE_S
        return await continuation(details._replace(metadata=metadata, timeout=timeout), request)


@contextmanager
def refusals(address: str) -> Iterator[None]:
    """What the API refuses, in its own words; what does not answer, in ours."""
    try:
        yield
    except grpc.aio.AioRpcError as error:
        code = error.code()
        if code in (grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED):
            raise Stop(
                Exit.FAILED,
                f"no Tallystick answers at {address}; name its API with --api or TALLYSTICK_API, or with --data the "
                "folder of a `tallystick run`",
            ) from error
        raise Stop(_CODES.get(code, Exit.FAILED), error.details() or code.name) from error


def plain(message: Message) -> dict[str, Any]:
    """A message for --json: the names of the proto, every field present, numbers as numbers."""
    found = MessageToDict(message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True)
    return _with_numbers(message.DESCRIPTOR, found)


def _with_numbers(descriptor: Any, found: dict[str, Any]) -> dict[str, Any]:
    """The mapping of protobuf to JSON spells numbers of 64 bits as texts; ours stay far below what needs that."""
    for field in descriptor.fields:
        value = found.get(field.name)
        if field.cpp_type in (FieldDescriptor.CPPTYPE_INT64, FieldDescriptor.CPPTYPE_UINT64) and value is not None:
            found[field.name] = int(value)
        elif field.message_type is not None:
            for one in value if isinstance(value, list) else [value]:
                if isinstance(one, dict):
                    _with_numbers(field.message_type, one)
    return found
