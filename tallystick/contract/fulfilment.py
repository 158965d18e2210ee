"""From a canonical fulfilment to what the store is told: its location, its line ids, its words for carriers."""

from decimal import Decimal

from tallystick.canonical.times import to_datetime
from tallystick.contract.document import FulfilmentDocument, Hold, Parcel
from tallystick.contract.schema import Fulfilment
from tallystick.reasons import HoldReason
from tallystick.v1 import fulfilment_pb2


def document(shipped: fulfilment_pb2.Fulfilment, rules: Fulfilment, version: str) -> FulfilmentDocument | Hold:
    """The fulfilment, or MAPPING with what has no counterpart in the store."""
    location = rules.locations.get(shipped.warehouse_id, "")
    if rules.locations and not location:
        known = ", ".join(sorted(rules.locations))
        return Hold(
            HoldReason.MAPPING,
            f"the warehouse {shipped.warehouse_id!r} has no row in `fulfilment.locations`, which has {known}",
        )
    strangers = [line.sku for line in shipped.lines if not line.line_id]
    if strangers:
        what = ", ".join(sku or "without SKU" for sku in strangers)
        return Hold(HoldReason.MAPPING, f"the shipment holds goods that stand on no line of the order: {what}")
    return FulfilmentDocument(
        connection=shipped.order_connection,
        order_id=shipped.order_id,
        fulfilment_id=shipped.id,
        location=location,
        lines=tuple((line.line_id, Decimal(line.quantity)) for line in shipped.lines if Decimal(line.quantity) > 0),
        parcels=tuple(_parcel(tracking, rules) for tracking in shipped.trackings),
        shipped_at=to_datetime(shipped.shipped_at),
        notify=rules.notify,
        contract_version=version,
    )


def _parcel(tracking: fulfilment_pb2.Tracking, rules: Fulfilment) -> Parcel:
    return Parcel(rules.carriers.get(tracking.carrier, tracking.carrier), tracking.number, tracking.url)
