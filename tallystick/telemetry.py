"""The closed list of metrics, and logs without personal data.

A name that is not here does not exist; labels are connections, targets, flows and closed lists of reasons only.
"""

import logging
import sys
from collections.abc import Iterable

import structlog
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_FAST = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_LATENCY = (0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 3600.0)

INBOUND_OUTCOMES = ("accepted", "duplicate", "bad_signature", "stale", "too_large", "invalid")
FLOWS = ("orders", "customers", "refunds", "returns", "fulfilments", "stock", "prices")
EFFECT_OUTCOMES = ("applied", "verified", "superseded", "held", "skipped")

#: What is promised: so long after it was first heard of an event is in the target (reliability, 99.5 % of them).
SLO_S = 300.0


def flow_of(entity_type: str) -> str:
    """The label of the flow that an effect belongs to: refunds and the like go with their order."""
    return entity_type if entity_type == "stock" else entity_type + "s"


class Metrics:
    """All metrics of one process, in a registry of its own so that tests can have many."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry or CollectorRegistry()
        self.inbound_events = self._counter(
            "tallystick_inbound_events", "Deliveries at the edge", "flow", "connection", "outcome"
        )
        self.inbound_ack_seconds = self._histogram(
            "tallystick_inbound_ack_seconds", "From the request to its answer", "connection"
        )
        self.produced = self._counter("tallystick_produced", "Records given to Kafka", "topic", "outcome")
        self.produce_seconds = self._histogram("tallystick_produce_seconds", "Until acknowledged", "topic")
        self.consumer_lag = self._gauge(
            "tallystick_consumer_lag_messages", "Records behind the end", "group", "topic", "partition"
        )
        self.assigned_partitions = self._gauge("tallystick_consumer_assigned_partitions", "Partitions in hand", "group")
        self.rebalances = self._counter("tallystick_rebalances", "Rebalances seen", "group")
        self.commit_failures = self._counter("tallystick_commit_failures", "Offsets not taken", "group", "reason")
        self.effects = self._counter("tallystick_effects", "Effects that ended", "flow", "target", "outcome")
        self.effect_states = self._gauge("tallystick_effect_states", "Effects that have not ended", "target", "state")
        self.inflight_effects = self._gauge("tallystick_inflight_effects", "Requests under way", "target")
        self.key_lanes = self._gauge("tallystick_key_lanes", "Lanes in hand", "target")
        self.slo_events = self._counter(
            "tallystick_slo_events", "Events judged at their deadline", "flow", "target", "good"
        )
        self.sync_latency_seconds = self._histogram(
            "tallystick_sync_latency_seconds", "From first sighting to the target", "flow", "target", buckets=_LATENCY
        )
        self.oldest_unsynced_age_seconds = self._gauge(
            "tallystick_oldest_unsynced_age_seconds", "Age of the oldest unfinished effect", "flow", "target"
        )
        self.in_doubt = self._counter("tallystick_in_doubt", "Answers that were lost", "target")
        self.in_doubt_resolved = self._counter("tallystick_in_doubt_resolved", "Doubts ended", "target", "resolution")
        self.in_doubt_oldest_age_seconds = self._gauge(
            "tallystick_in_doubt_oldest_age_seconds", "Age of the oldest doubt", "target"
        )
        self.lease_takeovers = self._counter("tallystick_lease_takeovers", "Lanes taken from a former holder", "target")
        self.fenced_writes = self._counter(
            "tallystick_fenced_writes", "Answers that came after the lane was lost", "target"
        )
        self.held_lanes = self._gauge("tallystick_held_lanes", "Lanes that wait for a person", "target", "reason")
        self.held_oldest_age_seconds = self._gauge(
            "tallystick_held_oldest_age_seconds", "Longest held", "target", "reason"
        )
        self.waiting_lanes = self._gauge(
            "tallystick_waiting_lanes", "Lanes that go on by themselves", "target", "reason"
        )
        self.waiting_oldest_age_seconds = self._gauge(
            "tallystick_waiting_oldest_age_seconds", "Longest waiting", "target", "reason"
        )
        self.pending_deliveries = self._gauge(
            "tallystick_pending_deliveries", "Deliveries not canonical yet", "connection", "reason"
        )
        self.pending_oldest_age_seconds = self._gauge(
            "tallystick_pending_oldest_age_seconds", "Longest pending", "connection", "reason"
        )
        self.quarantined = self._counter("tallystick_quarantined", "Records set aside", "topic", "reason")
        self.attempts = self._counter("tallystick_attempts", "Requests that did not succeed", "target", "error_class")
        self.target_request_seconds = self._histogram(
            "tallystick_target_request_seconds", "Requests to the target", "target", "operation", "outcome"
        )
        self.limiter_wait_seconds = self._histogram(
            "tallystick_limiter_wait_seconds", "Wait for a permit", "connection"
        )
        self.limiter_rate = self._gauge(
            "tallystick_limiter_rate_per_second", "Requests a second that this process may send", "connection"
        )
        self.limiter_parallel = self._gauge(
            "tallystick_limiter_parallel", "Requests at a time that this process may send", "connection"
        )
        self.circuit_state = self._gauge("tallystick_circuit_state", "0 closed, 1 half open, 2 open", "target")
        self.batch_size = self._histogram(
            "tallystick_batch_size", "Effects per request", "target", buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500)
        )
        self.mapping_errors = self._counter(
            "tallystick_mapping_errors", "Documents that the contract cannot make", "connection", "kind"
        )
        self.money_mismatch = self._counter(
            "tallystick_money_mismatch", "Amounts that do not agree", "connection", "kind"
        )
        self.stock_decisions = self._counter(
            "tallystick_stock_decisions", "Figures decided on, and which way", "store", "way"
        )
        self.stock_touched = self._gauge("tallystick_stock_touched_skus", "SKUs to be looked at", "store")
        self.stock_wrong_shelves = self._gauge(
            "tallystick_stock_wrong_shelves", "Shelves where a person has to look", "store"
        )
        self.stock_negative_levels = self._gauge(
            "tallystick_stock_negative_levels", "Levels below zero as the ERP tells them", "erp"
        )
        self.stock_reads_wished = self._gauge("tallystick_stock_reads_wished", "SKUs to be read anew", "erp")
        self.webhooks_active = self._gauge(
            "tallystick_webhooks_active", "1 when every subscription is active", "connection"
        )
        self.webhooks_lost = self._counter(
            "tallystick_webhooks_lost", "Times that subscriptions were found missing or disabled", "connection"
        )
        self.duplicate_documents = self._counter(
            "tallystick_duplicate_documents", "Second documents under one reference, found by the sweep", "target"
        )
        self.reconcile_mismatches = self._gauge(
            "tallystick_reconcile_mismatches", "What the newest finished pass found to disagree", "flow", "connection"
        )
        self.reconcile_last_success = self._gauge(
            "tallystick_reconcile_last_success_timestamp_seconds", "End of the last pass without a problem",
            "flow", "connection",
        )  # fmt: skip
        self.api_version_ends = self._gauge(
            "tallystick_api_version_ends_seconds", "Until the vendor may end the API version", "connection", "version"
        )
        self.db_acquire_seconds = self._histogram("tallystick_db_acquire_seconds", "Wait for a database connection")
        self.event_loop_lag_seconds = self._histogram("tallystick_event_loop_lag_seconds", "How late the loop wakes")
        self.rpc_duration_seconds = self._histogram(
            "rpc_server_call_duration_seconds", "Calls of the gRPC API", "rpc_method", "status_code"
        )
        self.auth_failures = self._counter("tallystick_auth_failures", "Credentials refused", "connection")
        self.config_info = self._gauge("tallystick_config_info", "1", "config_hash")
        self.build_info = self._gauge("tallystick_build_info", "1", "version")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, registry=self.registry)

    def _gauge(self, name: str, text: str, *labels: str) -> Gauge:
        return Gauge(name, text, labels, registry=self.registry)

    def _histogram(self, name: str, text: str, *labels: str, buckets: Iterable[float] = _FAST) -> Histogram:
        return Histogram(name, text, labels, registry=self.registry, buckets=tuple(buckets))


def set_up_logging(*, as_json: bool, level: str = "INFO") -> None:
    """Logs go to standard error: JSON for machines, columns for people."""
    renderer: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if as_json
        # The plain form: the pretty one shows local variables, and with them what buyers wrote.
        else structlog.dev.ConsoleRenderer(
            colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
        )
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=_StandardError,
    )


class _StandardError:
    """Writes each line to standard error as it is at that moment."""

    def __init__(self, *_arguments: object) -> None:
        pass

    def msg(self, line: str) -> None:
        """One line at once, so that the lines of several processes do not mix."""
        sys.stderr.write(line + "\n")
        sys.stderr.flush()

    log = debug = info = warning = error = critical = exception = fatal = msg
