"""What a connection to a WooCommerce shop is told."""

from collections.abc import Mapping
from decimal import ROUND_HALF_DOWN, ROUND_HALF_UP
from typing import Literal, Self

from pydantic import Field, model_validator

from tallystick.registry import Pace
from tallystick.secrets import Secret
from tallystick.settings import Strict


class Dialect(Strict):
    """How this shop and its plugins write what the core of WooCommerce has no field for."""

    #: WooCommerce 11.0.1 rounds taxes half down where prices include tax and half up where they do not; a plugin may
    #: change that. Only used for amounts that the shop hands out with more decimals than its currency has.
    tax_rounding: Literal["by_prices", "half_up", "half_down"] = "by_prices"
    #: Keys of `meta_data` that hold the buyer's VAT number; the first that is filled wins.
    vat_meta: tuple[str, ...] = ("vat_id", "vat_number", "_vat_number", "_billing_vat_number", "billing_vat")
    #: Keys of a customer's `meta_data` that plugins for B2B use: payment terms, credit limit, the ERP's account number.
    terms_meta: tuple[str, ...] = ()
    credit_limit_meta: tuple[str, ...] = ()
    #: Of credit limits, for which `meta_data` has none; without it they are not read.
    credit_limit_currency: str = ""
    account_meta: tuple[str, ...] = ()
    #: Keys of `meta_data` that hold the buyer's purchase order number.
    purchase_order_meta: tuple[str, ...] = ()
    #: Hidden keys (WordPress hides those that begin with "_") that are wanted as attributes all the same.
    hidden_meta: tuple[str, ...] = ()
    #: `meta_data` that tells a payment with test money, such as WooPayments in its test mode.
    test_meta: Mapping[str, str] = Field(default={"_wcpay_mode": "test"})

    def tax_mode(self, prices_include_tax: bool) -> str:
        """The rounding of `decimal` for taxes."""
        half_down = prices_include_tax if self.tax_rounding == "by_prices" else self.tax_rounding == "half_down"
        return ROUND_HALF_DOWN if half_down else ROUND_HALF_UP


class Shipments(Strict):
    """What becomes of a shipment in a shop whose core knows none."""

    #: The status `completed`, upon which WooCommerce writes to the buyer, once every piece has left or was refunded.
    complete_when_shipped: bool = True
    #: The extension Shipment Tracking is installed: each parcel is told to it as well.
    shipment_tracking: bool = False
    #: How the note to the buyer begins; what was shipped, its tracking and a reference follow.
    note: str = Field(default="Your order is on its way.", min_length=1, max_length=500)


class WooCommerceSettings(Strict):
    """The keys of a connection of kind `woocommerce`."""

    #: The shop's address, with its folder if it has one: https://shop.example/store
    url: str
    consumer_key: Secret
    consumer_secret: Secret
    #: Two are active while the secret is being changed.
    webhook_secrets: tuple[Secret, ...] = Field(min_length=1, max_length=2)
    #: Where the shop should deliver to; `connections test` compares it with the shop's own list.
    webhook_address: str | None = None
    #: Webhooks to `webhook_address` that are missing or disabled are mended, and the hole is looked through. The key
    #: needs the right to write.
    webhook_repair: bool = False
    #: Some plugins build a delivery before the change is saved (woocommerce/woocommerce issue 26612); False makes
    #: every delivery a mere hint, and the order is read again.
    trust_bodies: bool = True
    #: For hosts that strip the Authorization header: the key travels in the query.
    query_auth: bool = False
    private_network: bool = False
    #: On the old order storage an edit does not move the date of an order (seen on WooCommerce 11.0.1), so a poll
    #: also reads the orders placed within so many hours. 0 switches that off.
    legacy_lookback_h: int = Field(default=24, ge=0, le=24 * 31)
    #: The core states no limit; what gives way first is PHP on the shop's host, so two requests at a time.
    pace: Pace = Pace(rate_per_s=5.0, burst=5.0, parallel=2)
    dialect: Dialect = Dialect()
    shipments: Shipments = Shipments()

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        if not self.url.startswith("https://") and not (self.private_network and self.url.startswith("http://")):
            raise ValueError(
                "the shop's address has to begin with https://: WooCommerce takes an API key over http only with "
                "OAuth 1.0a, which is not offered"
            )
        if self.webhook_repair and self.webhook_address is None:
            raise ValueError("webhook_repair needs a webhook_address to subscribe for")
        return self
