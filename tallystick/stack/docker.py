"""The servers in containers, by testcontainers, for those who have Docker."""

from collections.abc import Callable

from tallystick.stack import Stack
from tallystick.stack.errors import OTHER_WAYS, StackError


class Containers:
    """Kafka and Postgres in a container each, where no address is given."""

    def __init__(self) -> None:
        self._stops: list[Callable[[], object]] = []

    def start(self, kafka: str | None, postgres: str | None, report: Callable[[str], None]) -> Stack:
        """Start what is missing. Raises `StackError`."""
        report("Starting containers …")
        try:
            return Stack(kafka or self._kafka(), postgres or self._postgres(), kind="containers")
        except ImportError as error:
            raise StackError(f"testcontainers is not installed: install tallystick[docker]. {OTHER_WAYS}") from error
        except Exception as error:
            self.stop()
            raise StackError(f"the containers could not be started ({type(error).__name__}: {error})") from error

    def _kafka(self) -> str:
        from testcontainers.kafka import KafkaContainer

        container = KafkaContainer("apache/kafka:4.1.2").with_kraft()
        container.start()
        self._stops.append(container.stop)
        return str(container.get_bootstrap_server())

    def _postgres(self) -> str:
        from testcontainers.postgres import PostgresContainer

        container = PostgresContainer("postgres:18", driver=None)
        container.start()
        self._stops.append(container.stop)
        return str(container.get_connection_url())

    def stop(self) -> None:
        """Stop what was started."""
        for stop in self._stops:
            stop()
        self._stops.clear()
