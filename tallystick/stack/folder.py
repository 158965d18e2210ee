"""The data folder: one process at a time, the major versions of its servers, and whether it was left cleanly."""

import fcntl
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import IO

from tallystick.stack.errors import StackError


class DataFolder:
    """A folder in use by this process. Raises `StackError` when it cannot be used."""

    def __init__(self, path: Path, versions: Mapping[str, str]) -> None:
        self.path = path
        self._versions = dict(versions)
        path.mkdir(parents=True, exist_ok=True)
        self._lock = self._take()
        self._refuse_other_versions()
        self._running = path / "running"
        #: The last run did not end cleanly.
        self.unclean = self._running.exists()
        self._running.write_text(f"{os.getpid()}\n")

    def _take(self) -> IO[str]:
        file = (self.path / "lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            file.close()
            raise StackError(
                f"{self.path} is in use by another Tallystick. "
                "Stop that one first, or give this one a folder of its own"
            ) from error
        return file

    def _refuse_other_versions(self) -> None:
        record = self.path / "versions.json"
        if not record.exists():
            record.write_text(json.dumps(self._versions) + "\n")
            return
        made_by = json.loads(record.read_text())
        for server, version in self._versions.items():
            if _major(made_by.get(server, version)) != _major(version):
                self._lock.close()
                raise StackError(
                    f"{self.path} was made by {server} {made_by[server]}, and this Tallystick brings {version}. "
                    "Run `tallystick backup` with the version that made it, then `tallystick restore` into a new folder"
                )

    def close(self, *, clean: bool) -> None:
        """Leave it; `clean` when the servers were stopped in order."""
        if clean:
            self._running.unlink(missing_ok=True)
        self._lock.close()


def _major(version: str) -> str:
    return version.split(".")[0]
