"""Odoo 16 to 19 (JSON-RPC), an ERP."""

from tallystick.registry import AdapterKind

from .adapter import OdooAdapter
from .settings import OdooSettings

KIND = AdapterKind(name="odoo", side="erp", settings=OdooSettings, open=OdooAdapter)

__all__ = ["KIND", "OdooAdapter", "OdooSettings"]
