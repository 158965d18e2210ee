"""Worker processes: started, killed, frozen, stopped in order, and none left behind."""

import asyncio
import os
import signal
from collections.abc import Mapping
from multiprocessing import get_context
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.crash import process

#: What a process ends with at a crash point, as a shell tells of kill -9.
CRASHED = 137

_FORKS = get_context("forkserver")
_FORKS.set_forkserver_preload([process.__name__])


class Worker:
    """One process. `crash_at` names a crash point, `NAME` or `NAME:NTH`."""

    def __init__(self, config: Path, environment: Mapping[str, str], log: Path, crash_at: str, role: str) -> None:
        self.crash_at = crash_at
        self._log = log
        given = {**environment, "TALLYSTICK_CRASH_AT": crash_at}
        self._process = _FORKS.Process(target=process.main, args=(config, given, log, role), daemon=True)
        self._process.start()

    @property
    def code(self) -> int | None:
        """What it ended with, negative for a signal; None while it runs, frozen or not."""
        return self._process.exitcode

    @property
    def running(self) -> bool:
        """Not ended yet; a frozen process runs."""
        return self.code is None

    @property
    def pid(self) -> int:
        """Its process id, which the ledger knows as part of the owner of a lane."""
        assert self._process.pid is not None
        return self._process.pid

    def last_words(self) -> str:
        """The end of its log."""
        return self._log.read_text(errors="replace")[-2000:]

    def freeze(self) -> None:
        """SIGSTOP."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """kill -9."""
        self._process.kill()
        self._process.join()

    async def stop(self, within_s: float = 30.0) -> int:
        """SIGTERM, and wait for the drain. Raises `TimeoutError`."""
        self._process.terminate()
        async with asyncio.timeout(within_s):
            while (code := self.code) is None:
                await asyncio.sleep(0.02)
        return code


class Workers:
    """Those of one arena; use it as a context manager."""

    def __init__(self, config: Path, environment: Mapping[str, str], logs: Path) -> None:
        self._config = config
        self._environment = environment
        self._logs = logs
        self.all: list[Worker] = []

    def start(self, crash_at: str = "", role: str = "targets") -> Worker:
        """Start one more; see `process.ROLES`."""
        log = self._logs / f"worker-{len(self.all) + 1}.log"
        worker = Worker(self._config, self._environment, log, crash_at, role)
        self.all.append(worker)
        return worker

    def require_alive(self) -> None:
        """Raise with the last words of a worker that ended on its own, which only crash points may do."""
        for worker in self.all:
            if worker.code not in (None, 0, CRASHED, -signal.SIGKILL):
                raise RuntimeError(f"a worker ended with {worker.code}:\n{worker.last_words()}")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self.all:
            worker.kill()
