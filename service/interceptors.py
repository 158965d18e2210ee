"""What holds for every call of the API: a deadline, a measured duration, and errors that give nothing away."""

import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeAlias

import grpc
import structlog

from service.callers import Context
from service.errors import ApiError, away, internal
from tallystick.away import AWAY
from tallystick.telemetry import Metrics

log = structlog.get_logger(__name__)

OURS = "/tallystick.v1."
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any] | None"
Details: TypeAlias = grpc.HandlerCallDetails


class Guard(grpc.aio.ServerInterceptor):
    """Around every method of our services; health and reflection are left as they are."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    async def intercept_service(
        self, continuation: Callable[[Details], Awaitable[Handler]], handler_call_details: Details
    ) -> Handler:
        """Wrap the method's handler."""
        handler = await continuation(handler_call_details)
        method = handler_call_details.method
        if handler is None or not method.startswith(OURS):
            return handler
        if handler.response_streaming:
            return grpc.unary_stream_rpc_method_handler(
                self._streaming(method, handler.unary_stream), handler.request_deserializer, handler.response_serializer
            )
        return grpc.unary_unary_rpc_method_handler(
            self._unary(method, handler.unary_unary), handler.request_deserializer, handler.response_serializer
        )

    def _unary(self, method: str, behaviour: Any) -> Any:
        async def call(request: Any, context: Context) -> Any:
            with self._measured(method) as outcome:
                try:
                    _require_deadline(context)
                    return await behaviour(request, context)
                except Exception as error:
                    refused = _refusal(method, error)
                outcome.append(refused.code)
            return await context.abort(refused.code, refused.text, refused.trailers())

        return call

    def _streaming(self, method: str, behaviour: Any) -> Any:
        async def call(request: Any, context: Context) -> AsyncIterator[Any]:
            with self._measured(method) as outcome:
                try:
                    async for answer in behaviour(request, context):
                        yield answer
                    return
                except Exception as error:
                    refused = _refusal(method, error)
                outcome.append(refused.code)
            await context.abort(refused.code, refused.text, refused.trailers())

        return call

    @contextmanager
    def _measured(self, method: str) -> Iterator[list[grpc.StatusCode]]:
        """Takes the code that the call ended with; OK when none is put in, CANCELLED when it was broken off."""
        outcome: list[grpc.StatusCode] = []
        begun_s = time.perf_counter()
        code = grpc.StatusCode.CANCELLED
        try:
            yield outcome
            code = outcome[0] if outcome else grpc.StatusCode.OK
        finally:
            took_s = time.perf_counter() - begun_s
            self._metrics.rpc_duration_seconds.labels(method.lstrip("/"), code.name).observe(took_s)


def _require_deadline(context: Context) -> None:
    if context.time_remaining() is None:
        raise ApiError(
            grpc.StatusCode.INVALID_ARGUMENT,
            "DEADLINE_REQUIRED",
            "the call has no deadline; set one (a few seconds), so that nothing is worked out for nobody",
        )


def _refusal(method: str, error: Exception) -> ApiError:
    if isinstance(error, ApiError):
        return error
    if isinstance(error, AWAY):
        log.warning("ledger away", method=method, kind=type(error).__name__)
        return away()
    log.exception("call failed", method=method, kind=type(error).__name__)
    return internal()
