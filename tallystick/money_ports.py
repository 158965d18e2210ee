"""The abilities that payments, refunds, and the risk of fraud, need of a store and of an ERP."""

from typing import Protocol, runtime_checkable

from tallystick.ports import Sink


@runtime_checkable
class PaymentSource(Protocol):
    """A store whose orders bring their payments, one by one."""

    #: Whether every reading of it does, as the connection is set; in words what to set, where it does not.
    lacks_payments: str


@runtime_checkable
class RiskSource(Protocol):
    """A store whose orders bring the risk that they are a fraud."""

    #: As `PaymentSource.lacks_payments`.
    lacks_risk: str


@runtime_checkable
class RefundSink(Protocol):
    """An ERP that takes credit documents."""

    refunds: Sink


@runtime_checkable
class PaymentSink(Protocol):
    """An ERP that takes payments of customers."""

    payments: Sink
