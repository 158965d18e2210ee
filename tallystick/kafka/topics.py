"""The topics: names, keys, sizes, retention. The one place where they are written down.

Whatever concerns one order is in one partition, since every key begins with `<connection>/<order id>`; order among
the messages of a key is a convenience all the same: only revisions are compared downstream.
"""

from dataclasses import dataclass
from datetime import timedelta

#: The largest value, in bytes; the edge refuses larger deliveries before reading them.
VALUE_MAX = 4 * 1024 * 1024
#: What a record may take on the wire: value, key, headers and the frame of its batch.
RECORD_MAX = VALUE_MAX + 128 * 1024


@dataclass(frozen=True, slots=True)
class Topic:
    """One topic, named without the installation's prefix."""

    name: str
    #: What its keys are made of, for people.
    key: str
    retention: timedelta
    #: The last message of each key stays for ever.
    compacted: bool = False
    #: None: as many as the settings say. Set where order and parallelism do not matter.
    partitions: int | None = None

    def configs(self, replication: int) -> dict[str, str]:
        """The settings of the topic on the broker."""
        return {
            "cleanup.policy": "compact" if self.compacted else "delete",
            "retention.ms": str(-1 if self.compacted else int(self.retention.total_seconds() * 1000)),
            "max.message.bytes": str(RECORD_MAX),
            # Acknowledged means: on two machines, where there are three.
            "min.insync.replicas": str(max(1, replication - 1)),
        }


_WEEK = timedelta(days=7)
#: Canonical messages outlive the newest backup, so that a restored ledger can be filled from them again.
_MONTH = timedelta(days=31)

INTAKE = Topic("tallystick.intake", "<connection>/<object id>", _WEEK)
ORDERS = Topic("tallystick.orders", "<connection>/<order id>", _MONTH)
FULFILMENTS = Topic("tallystick.fulfilments", "<connection>/<order id>", _MONTH)
CUSTOMERS = Topic("tallystick.customers", "<connection>/<customer id>", _MONTH)
INVENTORY = Topic("tallystick.inventory", "<connection>/<warehouse>/<sku>", _MONTH, compacted=True)
PRICES = Topic("tallystick.prices", "<connection>/<sku>", _MONTH, compacted=True)
QUARANTINE = Topic("tallystick.quarantine", "as found", _MONTH, partitions=1)

ALL: tuple[Topic, ...] = (INTAKE, ORDERS, FULFILMENTS, CUSTOMERS, INVENTORY, PRICES, QUARANTINE)
