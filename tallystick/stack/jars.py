"""Apache Kafka's server as jars: resolved once, checked against the sums of this repository, kept in a cache.

`python -m tallystick.stack.jars` resolves them anew and writes the sums, after a change of version.
"""

import contextlib
import fcntl
import hashlib
import os
import shutil
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

from tallystick.stack.errors import OTHER_WAYS, StackError

VERSION = "4.3.1"
#: kafka-clients is named as a root of its own: a transitive import would choose an older one.
_COORDINATES = (
    f"org.apache.kafka:kafka_2.13:{VERSION}",
    f"org.apache.kafka:kafka-clients:{VERSION}",
    "org.slf4j:slf4j-nop:1.7.36",
)
_LOCK = Path(__file__).with_name("kafka-jars.lock")
Report = Callable[[str], None]


def cache_folder() -> Path:
    """The user's cache folder, or TALLYSTICK_CACHE."""
    named = os.environ.get("TALLYSTICK_CACHE")
    base = os.environ.get("XDG_CACHE_HOME")
    return Path(named) if named else (Path(base) if base else Path.home() / ".cache") / "tallystick"


def class_path(report: Report) -> list[Path]:
    """The server's jars, downloaded and checked at the first call on a machine. Raises `StackError`."""
    sums = _locked_sums()
    folder = cache_folder() / f"kafka-{VERSION}"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with _one_at_a_time(folder.with_suffix(".lock")):
        if not _complete(folder, sums):
            _fetch(folder, sums, report)
    return [folder / name for name in sorted(sums)]


def _locked_sums() -> dict[str, str]:
    lines = _LOCK.read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split() for line in lines if line)}


@contextlib.contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _complete(folder: Path, sums: dict[str, str]) -> bool:
    return all((folder / name).is_file() and _sum(folder / name) == digest for name, digest in sums.items())


def _sum(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _fetch(folder: Path, sums: dict[str, str], report: Report) -> None:
    report(f"Downloading Apache Kafka {VERSION} ({len(sums)} jars, about 43 MB, once) …")
    with tempfile.TemporaryDirectory(dir=folder.parent) as work:
        jars = {jar.name: jar for jar in _download(Path(work), report, len(sums))}
        wrong = [name for name, digest in sums.items() if name not in jars or _sum(jars[name]) != digest]
        if wrong:
            raise StackError(
                f"the download of Apache Kafka {VERSION} is not what it should be ({', '.join(wrong[:3])} …). "
                f"Try again; if it stays so, something between here and the package index changes files. {OTHER_WAYS}"
            )
        fresh = Path(work) / "fresh"
        fresh.mkdir()
        for name in sums:
            shutil.move(jars[name], fresh / name)
        shutil.rmtree(folder, ignore_errors=True)
        fresh.rename(folder)
    report(f"Apache Kafka {VERSION} is in {folder}, checked.")


def _download(work: Path, report: Report, expected: int) -> list[Path]:
    """Resolve and download with jgo's own resolver, telling how far it is."""
    done = threading.Event()
    watcher = threading.Thread(target=_tell, args=(work, report, expected, done), daemon=True)
    watcher.start()
    try:
        return _resolve(work)
    except Exception as error:
        raise StackError(
            f"Apache Kafka could not be downloaded from the package index ({type(error).__name__}: {error}). "
            f"Check the network and try again. {OTHER_WAYS}"
        ) from error
    finally:
        done.set()
        watcher.join()


def _tell(work: Path, report: Report, expected: int, done: threading.Event) -> None:
    while not done.wait(2.0):
        have = len(list((work / "repository").rglob("*.jar")))
        report(f"  {min(have, expected)} of {expected} jars")


def _resolve(work: Path) -> list[Path]:
    from jgo.env import EnvironmentBuilder, LinkStrategy
    from jgo.maven import MavenContext, PythonResolver

    context = MavenContext(repo_cache=work / "repository", resolver=PythonResolver())
    builder = EnvironmentBuilder(context=context, link_strategy=LinkStrategy.HARD, cache_dir=work / "environment")
    environment = builder.from_endpoint("+".join(_COORDINATES))
    return sorted(environment.path.rglob("*.jar"))


def _write_lock() -> None:
    with tempfile.TemporaryDirectory() as work:
        jars = _resolve(Path(work))
        _LOCK.write_text("".join(f"{_sum(jar)}  {jar.name}\n" for jar in jars), encoding="utf-8")
        sys.stdout.write(f"wrote {len(jars)} sums to {_LOCK}\n")


if __name__ == "__main__":
    _write_lock()
