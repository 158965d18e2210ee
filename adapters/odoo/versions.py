"""What differs between Odoo 16 and 19 for documents with lines, told by the fields that the server has.

`sale.order.line.tax_id` became `tax_ids`, `is_delivery` comes with the app Delivery. 17 and 18 stand between.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .forms import Form
from .records import FieldType, Records

OLDEST, NEWEST = 16, 19
#: Columns of a line that the adapter writes itself beside the taxes.
PRODUCT, NAME, PRICE, DISCOUNT, DELIVERY = "product_id", "name", "price_unit", "discount", "is_delivery"


@dataclass(frozen=True, slots=True)
class Dialect:
    """The fields of this server's documents of one kind, and of their lines."""

    head: Mapping[str, FieldType]
    line: Mapping[str, FieldType]
    #: The line's field of the quantity.
    quantity: str

    @property
    def taxes(self) -> str:
        """The line's field of taxes."""
        return "tax_ids" if "tax_ids" in self.line else "tax_id"

    @property
    def marks_delivery(self) -> bool:
        """Whether a line can say that it is the shipping."""
        return DELIVERY in self.line

    @property
    def line_fields(self) -> tuple[str, ...]:
        """What is read back of a line."""
        delivery = (DELIVERY,) if self.marks_delivery else ()
        return (PRODUCT, NAME, self.quantity, PRICE, DISCOUNT, self.taxes, *delivery)


async def dialect_of(records: Records, form: Form) -> Dialect:
    """Ask the server. Raises `Unavailable`, `Unauthorised`."""
    return Dialect(await records.fields(form.model), await records.fields(form.line_model), form.quantity)


def major(version: Sequence[Any]) -> int:
    """The major version; Odoo Online writes "saas~18" for the releases between. 0 when it cannot be read."""
    digits = "".join(character for character in str(version[0] if version else "") if character.isdigit())
    return int(digits or 0)
