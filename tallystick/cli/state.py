"""The file in the data folder by which other commands find a running `tallystick run`."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

_NAME = "running.json"


@dataclass(frozen=True, slots=True)
class State:
    """Where the parts of a running installation are."""

    pid: int
    grpc: str
    webhooks: str
    kafka: str
    postgres: str


@contextmanager
def shown(data: Path, state: State) -> Iterator[None]:
    """The file is there as long as the context lasts. Only its owner may read it: the address holds a password."""
    path = data / _NAME
    data.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        json.dump(asdict(state), file)
    try:
        yield
    finally:
        path.unlink(missing_ok=True)


def running_in(data: Path) -> State | None:
    """What runs on this folder; None when nothing does (a file left behind by a kill says nothing)."""
    try:
        state = State(**json.loads((data / _NAME).read_text()))
        os.kill(state.pid, 0)
    except (OSError, ValueError, TypeError):
        return None
    return state
