"""Server processes that do not outlive us: each dies with its parent, and a guardian stands beside them."""

import contextlib
import ctypes
import os
import pwd
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from tallystick.stack.errors import StackError

_PR_SET_PDEATHSIG = 1


class Guardian:
    """The watching process of one stack; see `tallystick.stack.guardian`."""

    def __init__(self) -> None:
        source = Path(__file__).with_name("guardian.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(source)], stdin=subprocess.PIPE, text=True, start_new_session=True
        )

    def watch(self, pid: int, stop_signal: int) -> None:
        """End this process when we are gone."""
        self._say(f"pid {pid} {int(stop_signal)}")

    def forget(self, pid: int) -> None:
        """It ended."""
        self._say(f"forget {pid}")

    def remove(self, folder: Path) -> None:
        """Remove this folder at the end."""
        self._say(f"remove {folder}")

    def _say(self, line: str) -> None:
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(line + "\n")
            self._process.stdin.flush()

    def close(self) -> None:
        """Let it finish its work now."""
        assert self._process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.close()
        self._process.wait(timeout=60)


class Process:
    """One server process: started, stopped by its own signal, or killed."""

    def __init__(
        self,
        name: str,
        arguments: Sequence[str],
        *,
        log: Path,
        guardian: Guardian,
        stop_signal: signal.Signals,
        user: str | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._name = name
        self._arguments = list(arguments)
        self._log = log
        self._guardian = guardian
        self._stop_signal = stop_signal
        self._user = user
        self._env = dict(env) if env is not None else None
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it in a session of its own, so that Ctrl-C does not reach it before us."""
        with self._log.open("ab") as log:
            self._process = self._spawn(log)
        self._guardian.watch(self._process.pid, self._stop_signal)

    def _spawn(self, log: IO[bytes]) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._arguments,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env=self._env,
            user=self._user,
            group=_group_of(self._user),
            extra_groups=[] if self._user else None,
            start_new_session=True,
            # The parent is the process, not a thread of it: servers are started by the main thread.
            preexec_fn=_die_with_parent(self._stop_signal),
        )

    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process is not None and self._process.poll() is None

    def stop(self, stop_signal: signal.Signals | None = None, patience_s: float = 30.0) -> None:
        """End it by its signal and wait; insist by kill -9 after `patience_s`."""
        if self._process is None:
            return
        self._signal(stop_signal or self._stop_signal)
        try:
            self._process.wait(patience_s)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._guardian.forget(self._process.pid)
        self._process = None

    def kill(self) -> None:
        """End it as by kill -9 and wait until it is gone."""
        self.stop(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    def require_running(self) -> None:
        """Raise `StackError` with the end of its log when it has ended."""
        if not self.running():
            raise StackError(f"{self._name} ended at its start. The end of its log ({self._log}):\n{self.last_words()}")

    def last_words(self, lines: int = 12) -> str:
        """The end of the log."""
        try:
            text = self._log.read_text(errors="replace")
        except OSError:
            return "(no log)"
        return "\n".join("  " + line for line in text.splitlines()[-lines:])


def _die_with_parent(number: int) -> Callable[[], object] | None:
    if not sys.platform.startswith("linux"):
        return None
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(number))
        if os.getppid() != parent:
            os._exit(1)

    return ask


def _group_of(user: str | None) -> int | None:
    if user is None:
        return None
    return pwd.getpwnam(user).pw_gid


def free_port() -> int:
    """A port that is free on loopback at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_for_port(process: Process, port: int, patience_s: float = 90.0) -> None:
    """Until something listens there. Raises `StackError` when the process ends before, or takes too long."""
    until = time.monotonic() + patience_s
    while time.monotonic() < until:
        process.require_running()
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
            return
        time.sleep(0.05)
    raise StackError(
        f"nothing listens on port {port} after {patience_s:.0f} s. The end of the log:\n{process.last_words()}"
    )
