"""The models that orders and credit notes need, with the fields of Odoo 16 and 19.

Card of Odoo, section 10; `fields_get` of both.
"""

from typing import cast

from ..database import Database
from ..model import Model
from .company import Companies, Countries, Currencies, Parameters, States, Users, Warehouses
from .external_ids import ExternalIds
from .lines import SaleOrderLines
from .moves import AccountMoveLines, AccountMoves, Journals
from .named import Carriers, PaymentTerms, Teams, Units
from .orders import SaleOrders
from .partners import Partners
from .payments import Payments
from .pickings import Pickings
from .pricelists import Categories, PricelistRules, Pricelists, Templates
from .products import Products
from .quants import Quants
from .stock import Locations, PickingTypes, StockMoves
from .taxes import Taxes
from .wizards import CancelWizards

_ALL: tuple[type[Model], ...] = (
    *(SaleOrders, SaleOrderLines, Partners, Products, Taxes, Pricelists, PricelistRules, Pickings),
    *(Locations, PickingTypes, StockMoves, Quants, Categories, Templates),
    *(Companies, Currencies, Countries, States, Users, Warehouses, Parameters, ExternalIds),
    *(AccountMoves, AccountMoveLines, Payments, Journals, PaymentTerms, Teams, Carriers, Units),
)


def install(db: Database) -> None:
    """Make all models of a database."""
    for kind in _ALL:
        db.models[kind.name] = kind(db)
    if db.version < 17:
        db.models[CancelWizards.name] = CancelWizards(db)
    db.external_ids = cast(ExternalIds, db.models[ExternalIds.name])
