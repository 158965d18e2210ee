"""The example files that come along: `contracts/` stands beside the packages, in a checkout and in the wheel alike."""

from pathlib import Path

FOLDER = Path(__file__).parents[2] / "contracts"


def demo_configuration() -> Path:
    """The configuration whose connections are `shopify`, `woocommerce` and `odoo`."""
    return FOLDER / "demo.yaml"
