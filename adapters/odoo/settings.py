"""What a connection to an Odoo company is told."""

from typing import Self

from pydantic import Field, model_validator
from yarl import URL

from tallystick.registry import Pace
from tallystick.secrets import Secret
from tallystick.settings import Strict
from tallystick.stock.hook import HookSettings

#: A self-hosted server has no quota; what gives way first is its workers (two for each core by custom).
_OWN_SERVER = Pace(rate_per_s=20.0, burst=20.0, parallel=4)
#: Odoo Online and odoo.sh ask for about one call a second and none at the same time (not confirmed in a source).
_HOSTED = Pace(rate_per_s=1.0, burst=2.0, parallel=1)
_HOSTED_DOMAIN = ".odoo.com"


class OdooSettings(Strict):
    """The keys of a connection of kind `odoo`.

    The user needs three groups (tried on 16.0 and 19.0): Sales "All Documents", "Contact Creation", and for the look-up
    of External IDs the administration's "Access Rights"; for refunds and payments the invoicing's "Billing" too
    ("Invoicing" in 19). The administration's "Settings" lets the connection be bound to the database's uuid, not only
    to its name: decide before the first start, for the binding stays. On Odoo Online the API belongs to the Custom plan
    only.
    """

    #: The server's address: https://odoo.example
    url: str
    database: str
    login: str
    #: An API key, or the user's password; a key that a person made lasts three months at most.
    api_key: Secret
    #: The company that the documents belong to; left out: the one that the user works in.
    company_id: int | None = Field(default=None, ge=1)
    #: The text field of the sales order that carries our mark, behind what the contract writes there. `origin`
    #: ("Source Document") is in every version and reaches neither the printed order nor the invoice, as `note` and
    #: `reference` do. To keep it clean, add a text field of your own and name it here: `x_tallystick`.
    mark_field: str = "origin"
    #: The same of a credit note. `invoice_origin` ("Source") is in every version and stands on the printed credit note
    #: behind the order's number; a text field of your own keeps it clean.
    credit_mark_field: str = "invoice_origin"
    #: The same of a payment. Left out: its memo (`ref` before Odoo 18), behind the numbers of the order.
    payment_mark_field: str | None = None
    #: Who may tell us at once that stock changed; left out: it is polled only. See `tallystick.stock.hook`.
    stock_hook: HookSettings | None = None
    #: The same of a contact. `comment` ("Notes") is in every version and for people of the company only; the mark
    #: stands behind what they write there.
    customer_mark_field: str = "comment"
    private_network: bool = False
    #: Left out: by the address, one call a second for Odoo Online and more for a server of your own.
    pace: Pace | None = None
    #: Orders per call. One bad order refuses all of them, so the batch is kept small (measured: 200 rows in 1 s).
    batch: int = Field(default=50, ge=1, le=200)
    #: How long a request that was given up may still be applied: `limit_time_real` of the server's configuration.
    late_apply_max_s: float = Field(default=120.0, ge=0)
    #: How long a product, a tax or a pricelist that was found is not looked up again.
    references_ttl_s: float = Field(default=300.0, ge=0)

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if not self.url.startswith("https://") and not (self.private_network and self.url.startswith("http://")):
            raise ValueError(
                "the address has to begin with https://, because every call carries the key; "
                "http:// is taken with `private_network: true` only"
            )
        return self

    @property
    def pacing(self) -> Pace:
        """The pace in force."""
        hosted = (URL(self.url).host or "").endswith(_HOSTED_DOMAIN)
        return self.pace or (_HOSTED if hosted else _OWN_SERVER)
