"""WooCommerce (REST API v3), a store."""

from tallystick.registry import AdapterKind

from .adapter import WooCommerce
from .settings import WooCommerceSettings

KIND = AdapterKind(name="woocommerce", side="store", settings=WooCommerceSettings, open=WooCommerce)
