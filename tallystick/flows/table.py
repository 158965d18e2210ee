"""The table of flows."""

from tallystick.flows.customers import Customers
from tallystick.flows.deltas import Reductions, Supplements
from tallystick.flows.flow import Flow
from tallystick.flows.fulfilments import Fulfilments
from tallystick.flows.orders import Orders
from tallystick.flows.payments import Payments
from tallystick.flows.prices import Prices
from tallystick.flows.refunds import Refunds
from tallystick.flows.returns import Returns
from tallystick.flows.stock import Stock

FLOWS: tuple[Flow, ...] = (
    Orders(),
    Payments(),
    Refunds(),
    Returns(),
    Supplements(),
    Reductions(),
    Customers(),
    Fulfilments(),
    Prices(),
    Stock(),
)
