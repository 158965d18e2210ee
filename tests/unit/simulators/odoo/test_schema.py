"""The double's fields against those of real servers (`fields_get` of both versions, beside the repository)."""

import json
from typing import Any

import pytest

from simulators.odoo import Odoo, OdooSettings
from tests.shared import shared

_SAME = ("type", "relation", "relation_field", "required")


def vendors(version: str) -> dict[str, dict[str, dict[str, Any]]]:
    found: dict[str, dict[str, dict[str, Any]]] = json.loads(
        shared(f"vendors/odoo/schema/fields_get_{version}.json").read_text(encoding="utf-8")
    )["models"]
    return found


@pytest.mark.parametrize("version", ["16.0", "19.0"])
def test_every_field_is_one_of_the_vendors(version: str) -> None:
    """Of the same type, required or not, with the same decimals, and with no choice that the vendor lacks."""
    real = vendors(version)
    models = Odoo(OdooSettings(version=version)).db.models
    compared = models.keys() & real.keys()
    assert len(compared) >= 12
    for name in compared:
        for field, about in models[name].fields_get().items():
            known = real[name][field]
            where = f"{name}.{field}"
            assert {key: about.get(key) for key in _SAME} == {key: known.get(key) for key in _SAME}, where
            if "digits" in about:
                assert about["digits"] == known["digits"], where
            assert all(choice in known["selection"] for choice in about.get("selection", ())), where


def test_what_was_renamed() -> None:
    """Of `sale.order.line`, both ways: what one version calls so, the other does not know."""
    old, new = (Odoo(OdooSettings(version=version)).db.models for version in ("16.0", "19.0"))
    assert {"tax_id", "product_uom"} <= old["sale.order.line"].fields.keys() - new["sale.order.line"].fields.keys()
    assert {"tax_ids", "product_uom_id"} <= new["sale.order.line"].fields.keys() - old["sale.order.line"].fields.keys()
    assert "locked" in new["sale.order"].fields.keys() - old["sale.order"].fields.keys()
    assert "mobile" in old["res.partner"].fields.keys() - new["res.partner"].fields.keys()
