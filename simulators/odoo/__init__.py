"""A faithful double of an Odoo server, version 16.0 or 19.0, as far as orders and their customers need one.

odoo = Odoo(OdooSettings(version="19.0"))
demo_company(odoo)
odoo.add_product("MUG-01", "Mug", "12.90")
async with serve(application(odoo)) as address:
    ...                                     # clients call address/jsonrpc
odoo.orders[0].amount_total                 # what stands in it
odoo.journal.of("confirmed")                # what took effect
odoo.faults.rules.append(Rule(Fault.LOST_REPLY, "sale.order.load", every=5))
odoo.down = True                            # an outage
"""

from .application import application
from .demo import demo_company
from .errors import OdooError
from .records import Credit, Document, Line, Order, Partner, Payment
from .server import Odoo
from .settings import OdooSettings

__all__ = [
    "Credit",
    "Document",
    "Line",
    "Odoo",
    "OdooError",
    "OdooSettings",
    "Order",
    "Partner",
    "Payment",
    "application",
    "demo_company",
]
