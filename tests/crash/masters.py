"""What else the crash tests produce: customers of the store, and what the ERP asks for its products."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar

from tallystick.canonical import written
from tallystick.canonical.keys import guest_key, key
from tallystick.contract.schema import Anonymous
from tallystick.v1 import event_pb2
from tests.crash.history import Produced
from tests.crash.orders import STORE, Revision, Thing, event


@dataclass(frozen=True, slots=True, order=True)
class Buyer:
    """One revision of a customer with an account; the order of the same number names it as well."""

    to_store: ClassVar[bool] = False
    number: int
    revision: int

    @property
    def key(self) -> str:
        """The lane, and the reference in the ERP."""
        return key("customer", STORE, str(self.number))

    @property
    def total(self) -> str:
        """Its name, which changes all the time."""
        return f"Buyer {self.number} the {self.revision}."

    def event(self) -> event_pb2.Event:
        """A person by name."""
        customer = written.customer({"connection": STORE, "id": str(self.number), "kind": "person", "name": self.total})
        return event(STORE, event_pb2.ENTITY_TYPE_CUSTOMER, str(self.number), self.revision, customer=customer)


@dataclass(frozen=True, slots=True, order=True)
class Tag:
    """One revision of what a product costs, on its way to the store."""

    to_store: ClassVar[bool] = True
    number: int
    revision: int
    erp: str

    @property
    def key(self) -> str:
        """The lane, and the reference in the store."""
        return key(STORE, "price", self.sku)

    @property
    def sku(self) -> str:
        """In both systems."""
        return f"SKU-{self.number}"

    @property
    def total(self) -> str:
        """What the store shows."""
        return f"{10 + self.revision}"

    def event(self) -> event_pb2.Event:
        """One price in the one list."""
        price = {"price_list": "shop", "price": self.total, "tax_basis": "included"}
        product = written.product({"connection": self.erp, "sku": self.sku, "prices": [price]})
        return event(self.erp, event_pb2.ENTITY_TYPE_PRODUCT, self.sku, self.revision, product=product)


#: Who stands for all buyers that nobody names, as contracts have it by default.
ANONYMOUS = (key("customer", STORE, Anonymous().key), Anonymous().name)


def ensured(produced: Iterable[Thing]) -> list[Produced]:
    """The customers that orders asked for and that have no revisions of their own: each is made once."""
    own = {one.key for one in produced if isinstance(one, Buyer)}
    found = {_customer(one) for one in produced if isinstance(one, Revision)}
    return [Produced(ref, 0, name) for ref, name in sorted(found) if ref not in own]


def _customer(order: Revision) -> tuple[str, str]:
    buyer = order.buyer
    if not buyer:
        return ANONYMOUS
    if order.has_account:
        return key("customer", STORE, buyer["id"]), buyer["name"]
    return key("customer", STORE, guest_key(STORE, buyer["email"])), buyer["email"]
