"""Models of which orders need no more than the name."""

from collections.abc import Sequence
from typing import ClassVar

from ..fields import ACTIVE, Field
from ..model import Model


class PaymentTerms(Model):
    """When a customer pays."""

    name: ClassVar[str] = "account.payment.term"
    label: ClassVar[str] = "Payment Terms"
    declared: ClassVar[Sequence[Field]] = (Field("name", "char", "Payment Terms", required=True), ACTIVE)


class Teams(Model):
    """Who sells."""

    name: ClassVar[str] = "crm.team"
    label: ClassVar[str] = "Sales Team"
    declared: ClassVar[Sequence[Field]] = (Field("name", "char", "Sales Team", required=True), ACTIVE)


class Carriers(Model):
    """Who delivers."""

    name: ClassVar[str] = "delivery.carrier"
    label: ClassVar[str] = "Shipping Methods"
    declared: ClassVar[Sequence[Field]] = (
        Field("name", "char", "Delivery Method", required=True),
        Field("tracking_url", "char", "Tracking Link", only=19),
        ACTIVE,
    )


class Units(Model):
    """What a quantity counts."""

    name: ClassVar[str] = "uom.uom"
    label: ClassVar[str] = "Product Unit of Measure"
    declared: ClassVar[Sequence[Field]] = (Field("name", "char", "Unit of Measure", required=True), ACTIVE)
