"""The searches of the chosen tests, on all cores at once: each model is searched once, in the order of the tests."""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context

import pytest

from .intake_model import Intake
from .ledger_model import Ledger
from .scenarios import Row, verdict
from .search import Verdict

Model = Ledger | Intake
Verdicts = Callable[[Model], Verdict]


@pytest.fixture(scope="session")
def verdicts(request: pytest.FixtureRequest) -> Iterator[Verdicts]:
    """The verdict over a model that one of the chosen tests asks for."""
    # Spawned, not forked: the process of the tests may have threads.
    with ProcessPoolExecutor(min(4, os.cpu_count() or 1), mp_context=get_context("spawn")) as pool:
        waiting: dict[Model, Future[Verdict]] = {}
        for model in _models(request.session.items):
            if model not in waiting:
                waiting[model] = pool.submit(verdict, model)
        yield lambda model: waiting[model].result()
        pool.shutdown(cancel_futures=True)


def _models(items: list[pytest.Item]) -> Iterator[Model]:
    for item in items:
        call = getattr(item, "callspec", None)
        row = call.params.get("row") if call else None
        if isinstance(row, Row):
            yield from (row.model, row.repaired)
