"""Ends the local servers when the process that started them is gone, however it went.

Run as a process of its own. It reads lines from a pipe: `pid N SIGNAL`, `forget N` and `remove FOLDER`. The pipe ends
when the parent does, by Ctrl-C, an exception or kill -9; then the guardian asks each server to stop, insists after a
while, and removes what was temporary.
"""

import contextlib
import os
import shutil
import signal
import sys
import time

PATIENCE_S = 10.0


def main() -> None:
    """Watch until the pipe ends, then clean up."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    servers: dict[int, int] = {}
    folders: list[str] = []
    for line in sys.stdin:
        word, _, rest = line.rstrip("\n").partition(" ")
        if word == "pid":
            pid, number = rest.split()
            servers[int(pid)] = int(number)
        elif word == "forget":
            servers.pop(int(rest), None)
        elif word == "remove":
            folders.append(rest)
    _end(servers)
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _end(servers: dict[int, int]) -> None:
    for pid, number in servers.items():
        _send(pid, number)
    until = time.monotonic() + PATIENCE_S
    while time.monotonic() < until and any(map(_alive, servers)):
        time.sleep(0.05)
    for pid in servers:
        _send(pid, signal.SIGKILL)


def _send(pid: int, number: int) -> None:
    with contextlib.suppress(OSError):
        os.kill(pid, number)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
