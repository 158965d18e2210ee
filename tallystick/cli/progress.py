"""How far an operation is: in words, as a bar in a terminal, as lines elsewhere."""

from google.protobuf.duration_pb2 import Duration
from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from tallystick.cli import words
from tallystick.cli.client import Api
from tallystick.cli.screen import complain, note, say
from tallystick.v1 import operation_pb2
from tallystick.v1 import order_sync_pb2 as pb

_WAIT_S = 2
_RUNNING, _CANCELLED = operation_pb2.OPERATION_STATE_RUNNING, operation_pb2.OPERATION_STATE_CANCELLED


def report(operation: operation_pb2.Operation) -> None:
    """An operation in words."""
    then = {_RUNNING: ", and it goes on", _CANCELLED: "; then it was cancelled"}
    total = f" of {operation.total}" if operation.total >= operation.done else ""
    store = f" of {escape(operation.connection)}" if operation.connection else ""
    done = f"{operation.done - operation.failed}{total} orders{store}"
    if operation.what == "backfill":
        far = (
            f" (all that changed before {words.moment(operation.covered_until)})"
            if operation.covered_until.seconds
            else ""
        )
        say(f"{done} were taken in{far}{then.get(operation.state, '')}.")
    else:
        say(f"{done} were read again and handed on{then.get(operation.state, '')}.")
    for problem in operation.problems:
        complain(problem)


def state(operation: operation_pb2.Operation) -> str:
    """In lower case, as people read it."""
    return operation_pb2.OperationState.Name(operation.state).removeprefix("OPERATION_STATE_").lower()


async def until_ended(client: Api, operation: operation_pb2.Operation, *, quiet: bool) -> operation_pb2.Operation:
    """Stay with an operation, with a bar in a terminal and lines elsewhere; it goes on when this command is ended."""
    asked = pb.GetOperationRequest(operation_id=operation.operation_id, wait=Duration(seconds=_WAIT_S))
    with _Bar(quiet) as bar:
        bar.show(operation)
        while operation.state == _RUNNING:
            operation = (await client.orders.GetOperation(asked)).operation
            bar.show(operation)
    return operation


class _Bar:
    """The progress of one operation on standard error."""

    def __init__(self, quiet: bool) -> None:
        self._console = Console(stderr=True, quiet=quiet)
        self._quiet = quiet
        self._done = -1
        self._progress = Progress(
            TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn(),
            console=self._console, disable=quiet or not self._console.is_terminal,
        )  # fmt: skip
        self._task = self._progress.add_task("", total=None)

    def __enter__(self) -> "_Bar":
        self._progress.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, operation: operation_pb2.Operation) -> None:
        """The figures of now."""
        # The store told its total at the beginning; it may have grown.
        total = max(operation.total, operation.done) if operation.total else None
        far = f"{operation.what} {operation.connection}".strip()
        self._progress.update(self._task, description=far, completed=operation.done, total=total)
        if not self._quiet and not self._console.is_terminal and operation.done != self._done:
            note(f"{operation.done} of {operation.total or 'an unknown number'}")
        self._done = operation.done
