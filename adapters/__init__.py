"""All systems that Tallystick speaks to, in one explicit tuple."""

from adapters.woocommerce import KIND as WOOCOMMERCE
from tallystick.registry import AdapterKind

KINDS: tuple[AdapterKind, ...] = (WOOCOMMERCE,)
