"""Parcels of a picking: the carrier, its numbers in one text with commas between them, and where they are followed."""

import json

from tallystick.v1 import fulfilment_pb2

from .transport import Json
from .values import shown, text

#: The fields come with the app Delivery.
FIELDS = ("carrier_id", "carrier_tracking_ref", "carrier_tracking_url")
_WEB = ("https://", "http://")


def trackings(picking: Json) -> list[fulfilment_pb2.Tracking]:
    """One for each number, repeats left out; none before there is a number."""
    written, link = text(picking.get("carrier_tracking_ref")), text(picking.get("carrier_tracking_url"))
    numbers = dict.fromkeys(number.strip() for number in written.split(","))
    carrier, links = shown(picking.get("carrier_id")), _links(link)
    return [
        fulfilment_pb2.Tracking(
            carrier=carrier, number=number, url=_web(links.get(number, _own(link, written, number)))
        )
        for number in numbers
        if number
    ]


def _links(link: str) -> dict[str, str]:
    """A carrier that has a link for each parcel makes Odoo keep a JSON list of [number, link] there."""
    if not link.startswith("["):
        return {}
    try:
        return {str(number): str(one) for number, one in json.loads(link)}
    except (TypeError, ValueError):
        return {}


def _own(link: str, written: str, number: str) -> str:
    """Odoo puts the whole text of numbers into the carrier's link; each parcel is followed by its own."""
    return link.replace(written, number)


def _web(link: str) -> str:
    return link if link.startswith(_WEB) else ""
