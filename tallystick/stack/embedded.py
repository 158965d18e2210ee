"""The embedded servers of one stack: started in order, stopped in order, watched by a guardian."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from tallystick.stack.folder import DataFolder
from tallystick.stack.jars import Report
from tallystick.stack.kafka import Broker, Kafka
from tallystick.stack.postgres import Postgres
from tallystick.stack.process import Guardian


class Embedded:
    """Kafka, Postgres or both. `data` None: in a temporary folder that goes with us."""

    def __init__(self, data: Path | None, *, durable: bool, brokers: int, report: Report) -> None:
        self._exits = ExitStack()
        self._guardian = Guardian()
        self._exits.callback(self._guardian.close)
        self._place = data.resolve() if data is not None else self._temporary()
        versions = {"kafka": Broker.version, "postgres": Postgres.version()}
        self._folder = self._enter(versions)
        self._durable = durable
        self._brokers = brokers
        self._report = report
        self.kafka: Kafka | None = None
        self.postgres: Postgres | None = None

    def _temporary(self) -> Path:
        place = Path(tempfile.mkdtemp(prefix="tallystick-"))
        # Postgres may run as another user under root; its own folder below is closed to all others.
        place.chmod(0o711)
        self._guardian.remove(place)
        return place

    def _enter(self, versions: dict[str, str]) -> DataFolder:
        try:
            return DataFolder(self._place, versions)
        except BaseException:
            self._exits.close()
            raise

    @property
    def unclean(self) -> bool:
        """The last run on this folder did not end cleanly."""
        return self._folder.unclean

    def start_postgres(self) -> Postgres:
        """Start it; stopped by `close`."""
        self.postgres = Postgres(self._place / "postgres", self._guardian, durable=self._durable)
        self._exits.callback(self.postgres.stop)
        self.postgres.start()
        return self.postgres

    def start_kafka(self) -> Kafka:
        """Start it; stopped by `close`."""
        self.kafka = Kafka(self._place / "kafka", self._guardian, durable=self._durable, brokers=self._brokers)
        self._exits.callback(self.kafka.stop)
        self.kafka.start(self._report)
        return self.kafka

    def close(self) -> None:
        """Stop the servers in order; only then the folder counts as left cleanly."""
        try:
            self._exits.close()
        except BaseException:
            self._folder.close(clean=False)
            raise
        self._folder.close(clean=True)
