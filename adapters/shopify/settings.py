"""What a Shopify connection is told."""

from typing import Self

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

from tallystick.registry import Pace
from tallystick.secrets import Secret

#: A client secret stays valid for a while after its rotation (Shopify, "Verify deliveries").
SECRETS_MAX = 2
DOMAIN = ".myshopify.com"
RETURN_TOPICS = tuple(
    f"returns/{what}" for what in ("request", "approve", "decline", "cancel", "close", "reopen", "update", "process")
)
MONEY_TOPICS = ("order_transactions/create", "orders/risk_assessment_changed")


class ShopifySettings(BaseModel):
    """One shop, reached as an app of the same organisation (client credentials) or with an older fixed token.

    The app needs the scopes read_orders, read_customers and read_returns; read_all_orders for orders of more than
    60 days; read_companies for B2B; read_ and write_merchant_managed_fulfillment_orders where shipments are told;
    read_products, read_locations, read_inventory and write_inventory where stock is told; read_products and
    write_products where prices are told.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    #: The name before `.myshopify.com`; the whole domain is understood too.
    shop: str
    #: Another address than `https://<shop>.myshopify.com`, for a double of the shop.
    url: str = ""
    #: A version serves for at least a year (Shopify, "API versioning").
    api_version: str = Field(default="2026-07", pattern=r"^\d{4}-\d{2}$")
    client_id: str = ""
    client_secret: Secret | None = None
    #: `shpat_…` of a custom app made before 2026; such tokens do not expire.
    access_token: Secret | None = None
    #: The app's client secret, and during a rotation the former one. Empty: `client_secret` signs.
    webhook_secrets: tuple[Secret, ...] = Field(default=(), max_length=SECRETS_MAX)
    #: Subscriptions that `tallystick connections test` wants to find. The flow of returns wants those of returns too.
    topics: tuple[str, ...] = ("orders/create", "orders/updated", "orders/edited", "orders/delete", "refunds/create")
    #: False makes every delivery a mere hint: each change of an order is read, with its payments one by one and the
    #: risk of fraud, which no body shows. Needed for the flow of payments and for `hold_risk`.
    trust_bodies: bool = True
    #: Where the shop delivers to: https://<host>/webhooks/<connection>.
    webhook_address: str | None = None
    #: Subscriptions that Shopify deleted are made anew, to `webhook_address`, and the hole is looked through.
    webhook_repair: bool = False
    #: Namespace and key of the company's metafield, of type money, that holds its credit limit: Shopify has none.
    credit_limit_metafield: str = Field(default="custom.credit_limit", pattern=r"^[^.]+\.[^.]+$")
    private_network: bool = False
    #: Beside the cost in points, which the replies themselves tell: requests a second, so that a burst stays polite.
    pace: Pace = Pace(rate_per_s=20, burst=40, parallel=4)
    #: Orders per page of a poll. Eight with their first lines stay below 1000 points a request (Shopify, "API limits").
    page_size: int = Field(default=8, ge=1, le=8)

    @field_validator("shop")
    @classmethod
    def _name(cls, text: str) -> str:
        name = text.strip().lower().removeprefix("https://").rstrip("/").removesuffix(DOMAIN)
        if not name.replace("-", "").isalnum():
            raise ValueError(f"{text!r} is no shop: write the name before {DOMAIN}, such as my-shop")
        return name

    @model_validator(mode="after")
    def _credentials(self) -> Self:
        pair = bool(self.client_id) and self.client_secret is not None
        if pair == (self.access_token is not None):
            raise ValueError("give either client_id and client_secret, or access_token")
        if not self.secrets:
            raise ValueError("webhook_secrets is empty: name the app's client secret, which signs the deliveries")
        if self.webhook_repair and self.webhook_address is None:
            raise ValueError("webhook_repair needs a webhook_address to subscribe for")
        return self

    @property
    def wanted_topics(self) -> tuple[str, ...]:
        """With those that tell what only a read shows."""
        return self.topics if self.trust_bodies else tuple(dict.fromkeys((*self.topics, *MONEY_TOPICS)))

    @property
    def domain(self) -> str:
        """The permanent domain of the shop, as deliveries name it."""
        return self.shop + DOMAIN

    @property
    def address(self) -> str:
        """Where requests go."""
        return self.url or f"https://{self.domain}"

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """The secrets that may have signed a delivery."""
        if self.webhook_secrets:
            return self.webhook_secrets
        return (self.client_secret,) if self.client_secret is not None else ()
