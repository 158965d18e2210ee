"""The configuration file: connections, routes between them, and where Kafka and Postgres are.

One YAML file; unknown keys are refused. What a vendor needs stands under its connection and is checked by the
adapter's own settings class. Secrets are named, never written (`tallystick.secrets`).
"""

import re
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, ValidationError, model_validator

from tallystick.errors import SetupError
from tallystick.secrets import Secret

_ID = re.compile(r"[a-z][a-z0-9-]{0,30}")


def _short_id(text: str) -> str:
    if not _ID.fullmatch(text):
        raise ValueError(f"{text!r} is no connection id: a letter, then up to 30 of a-z, 0-9 and '-'; it never changes")
    return text


ConnectionId = Annotated[str, AfterValidator(_short_id)]


class Mode(StrEnum):
    """How far a route goes. Raising it is a change of configuration."""

    OFF = "off"
    #: Read and keep the ledger of source objects; no documents.
    OBSERVE = "observe"
    #: Build the document and compare; writes are impossible by construction.
    SHADOW = "shadow"
    LIVE = "live"


class FlowName(StrEnum):
    """What crosses between a store and an ERP."""

    ORDERS = "orders"
    #: By their own revisions. The customer of an order is made with the order, whether this flow is on or off.
    CUSTOMERS = "customers"
    REFUNDS = "refunds"
    #: Goods on their way back, whether or not money is given back for them.
    RETURNS = "returns"
    #: Money that buyers paid, each payment once.
    PAYMENTS = "payments"
    #: From the ERP to the store: what was shipped, with its tracking.
    FULFILMENTS = "fulfilments"
    #: From the ERP to the store: what may still be sold, by SKU and warehouse.
    STOCK = "stock"
    #: From the ERP to the store: prices, and what else of a product the contract says that the ERP owns.
    PRICES = "prices"


class Strict(BaseModel):
    """Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Connection(BaseModel):
    """One store or one ERP company. The keys beside `kind` belong to its adapter."""

    model_config = ConfigDict(extra="allow", frozen=True)

    kind: str

    @property
    def options(self) -> dict[str, Any]:
        """What the adapter's own settings class checks."""
        return dict(self.model_extra or {})


class Narrowing(Strict):
    """A live route may be live for a part only; an empty list is no restriction."""

    currencies: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    #: `b2b`, `b2c`
    order_types: tuple[str, ...] = ()
    #: The first orders in per cent, chosen by a digest of the order's id, so that the choice stays.
    percentage: int = Field(default=100, ge=0, le=100)


class Route(Strict):
    """Orders of one store become documents of one ERP, by one contract."""

    store: ConnectionId
    erp: ConnectionId
    contract: Path
    #: Orders placed earlier are only observed, unless adopted: else the first poll doubles what was typed by hand.
    since: AwareDatetime
    #: Of orders. Every other flow is off until it is named under `flows`.
    mode: Mode = Mode.LIVE
    flows: dict[FlowName, Mode] = {}
    only: Narrowing = Narrowing()

    def mode_of(self, flow: FlowName) -> Mode:
        """How far a flow goes; none goes further than the orders that it belongs to."""
        if flow is FlowName.ORDERS:
            return self.mode
        return min(self.flows.get(flow, Mode.OFF), self.mode, key=list(Mode).index)

    def __hash__(self) -> int:
        return hash((self.store, self.erp))


class Servers(Strict):
    """Where Kafka and Postgres are, unless `TALLYSTICK_KAFKA` and `TALLYSTICK_POSTGRES` say so."""

    #: `host:port`, several with commas between them.
    kafka: str | None = None
    #: The file or the variable that holds `postgresql://user:password@host/database`; may lead to pgbouncer.
    postgres: Secret | None = None
    #: As `postgres`, past pgbouncer: migrations and backups need a direct connection.
    postgres_direct: Secret | None = None


class KafkaSettings(Strict):
    """Topics are made at start where the broker allows it, else verified."""

    partitions: int = Field(default=8, ge=1, le=1000)
    replication: int = Field(default=1, ge=1, le=9)
    #: Before every topic and group name, for several installations on one cluster.
    prefix: str = ""


class LedgerSettings(Strict):
    """The pool, and what pgbouncer in transaction mode needs: `statement_cache_size: 0`."""

    pool_max: int = Field(default=8, ge=2, le=200)
    statement_cache_size: int = Field(default=100, ge=0)


class Listen(Strict):
    """Addresses this process listens on; loopback unless TLS stands before it."""

    webhooks: str = "127.0.0.1:8080"
    grpc: str = "127.0.0.1:50051"
    telemetry: str = "127.0.0.1:9464"
    reflection: bool = False


class WorkSettings(Strict):
    """How much is in hand at once."""

    batch: int = Field(default=500, ge=1, le=500)
    #: A worker polls only while fewer effects of its target are unfinished.
    unfinished_max: int = Field(default=2000, ge=1)
    poll_every_s: float = Field(default=60.0, gt=0)
    sweep_every_s: float = Field(default=1.0, gt=0)
    attempts_max: int = Field(default=8, ge=1)
    #: Multiplies every duration of the protocol; below 1 only in tests and the demo.
    time_scale: float = Field(default=1.0, gt=0, le=1)


class ReconcileSettings(Strict):
    """How often and how far back stores, ledger and ERPs are compared. Live traffic always goes first."""

    #: What changed lately, by the source's own dates.
    every_s: float = Field(default=3600.0, gt=0)
    back_h: float = Field(default=48.0, gt=0)
    #: All that may still change: what moves no date, and what vanished.
    whole_every_h: float = Field(default=24.0, gt=0)
    whole_back_d: float = Field(default=90.0, gt=0)
    #: What is younger is left to webhooks and polls.
    lag_s: float = Field(default=900.0, ge=0)
    #: Between two windows of a pass.
    pause_s: float = Field(default=1.0, ge=0)


class Settings(Strict):
    """The whole file."""

    connections: dict[ConnectionId, Connection]
    routes: tuple[Route, ...]
    servers: Servers = Servers()
    kafka: KafkaSettings = KafkaSettings()
    ledger: LedgerSettings = LedgerSettings()
    listen: Listen = Listen()
    work: WorkSettings = WorkSettings()
    reconcile: ReconcileSettings = ReconcileSettings()

    @model_validator(mode="after")
    def _routes_name_connections(self) -> Self:
        for route in self.routes:
            for name in (route.store, route.erp):
                if name not in self.connections:
                    known = ", ".join(sorted(self.connections)) or "none"
                    raise ValueError(f"a route names the connection {name!r}, which is not there; there are: {known}")
        return self


def load_settings(path: Path) -> Settings:
    """Read the file. Contract paths are relative to it. Raises `SetupError` that lists every finding."""
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error
    except yaml.YAMLError as error:
        raise SetupError(f"{path} is not YAML: {error}") from error
    try:
        settings = Settings.model_validate(data)
    except ValidationError as error:
        raise SetupError(_explain(path, error)) from error
    routes = tuple(route.model_copy(update={"contract": path.parent / route.contract}) for route in settings.routes)
    return settings.model_copy(update={"routes": routes})


def _explain(path: Path, error: ValidationError) -> str:
    findings = [f"  {'.'.join(map(str, item['loc'])) or 'the file'}: {item['msg']}" for item in error.errors()]
    return "\n".join([f"{path} cannot be used:", *findings])


def utc(text: str) -> datetime:
    """An instant given by a person; without an offset it is UTC."""
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
