"""The words of a contract's section `prices`: which price of the ERP is which price of the store."""

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tallystick.contract.rounding import RoundingMode

Percent = Annotated[Decimal, Field(ge=0, le=1000)]


class Use(StrEnum):
    """What a price list of the ERP is in the store."""

    #: What everybody pays.
    REGULAR = "regular"
    #: What is paid for a time, where it is lower than the regular price.
    SALE = "sale"
    #: What is shown struck through where there is no sale.
    COMPARE_AT = "compare_at"
    #: The prices of one of the store's own price lists, for a market or for companies.
    CATALOG = "catalog"


class Owned(StrEnum):
    """What of a product may be written to the store."""

    PRICE = "price"
    COMPARE_AT = "compare_at"
    TITLE = "title"
    BARCODE = "barcode"
    ACTIVE = "active"


class Strict(BaseModel):
    """Unknown keys are mistakes."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class PriceListRow(Strict):
    """Where the prices of one list go."""

    #: The list's, in which the store sells too; nothing is ever converted.
    currency: str
    to: Use
    #: The id of the store's own price list, where `to` is catalog.
    catalog: str = ""


class Prices(Strict):
    """What the store is told of products and their prices."""

    #: By the ERP's own reference of its price list.
    lists: dict[str, PriceListRow]
    #: Nothing else of a product is ever written.
    owned: frozenset[Owned] = frozenset({Owned.PRICE})
    #: Whether the store's prices contain the tax.
    basis: Literal["included", "excluded"]
    #: The same of the ERP's; `as_stated` where it tells with each price.
    erp_basis: Literal["included", "excluded", "as_stated"] = "as_stated"
    #: The rate by which one basis becomes the other: what the ERP states for each product, or one for all.
    rate: Literal["stated"] | Percent = "stated"
    #: The ERP's rate in per cent on the left, the rate on which the store sells on the right; where there are rows, a
    #: rate without one is held.
    rates: dict[str, Percent] = {}
    #: To the smallest coin of the currency.
    rounding: RoundingMode = RoundingMode.HALF_UP
    #: A price of nothing is a mistake more often than a gift.
    free: Literal["hold", "send"] = "hold"
    #: A product without a price in a list.
    missing: Literal["hold", "skip"] = "hold"
