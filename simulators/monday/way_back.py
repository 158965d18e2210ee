"""The way back: parcels leave Odoo for the shops' orders, and two buyers get money back; compared on both sides."""

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from simulators import shopify, woocommerce
from simulators.monday.weekend import SHOPIFY, WOOCOMMERCE
from simulators.odoo import Odoo
from simulators.odoo.records import Order as OdooOrder

_EACH_SHOP = 2


@dataclass(frozen=True, slots=True)
class Parcel:
    """One piece of an order's first line that left Odoo: a partial shipment where the line has more."""

    shop: str
    order_id: int
    line_id: int
    tracking: str


@dataclass(frozen=True, slots=True)
class GivenBack:
    """What a shop gave back of an order."""

    shop: str
    order_id: int
    refund_id: int
    total: Decimal


@dataclass(frozen=True, slots=True)
class Compared:
    """How many were compared, and which do not match."""

    number: int
    mismatches: tuple[str, ...]


@dataclass(slots=True)
class WayBack:
    """Ships, refunds, and compares, all on the doubles' own state."""

    shop: shopify.Shop
    woo: woocommerce.Shop
    odoo: Odoo
    parcels: list[Parcel] = field(default_factory=list)
    given_back: list[GivenBack] = field(default_factory=list)

    # ---- what happens ----------------------------------------------------------------------------------------------

    def ship(self) -> None:
        """Odoo ships a piece of some confirmed orders of each shop."""
        for shop in (SHOPIFY, WOOCOMMERCE):
            for order_id, document in self._confirmed(shop)[:_EACH_SHOP]:
                parcel = Parcel(shop, order_id, self._first_line(shop, order_id), f"TRK{order_id}")
                self.odoo.ship(
                    document.external_id, {str(parcel.line_id): Decimal(1)}, carrier="DHL", tracking=parcel.tracking
                )
                self.parcels.append(parcel)

    def refund(self) -> None:
        """Each shop takes one piece of another order back."""
        order_id, _ = self._confirmed(SHOPIFY)[-1]
        made = self.shop.refund(order_id, {self._first_line(SHOPIFY, order_id): 1}, restock_type="no_restock")
        self.given_back.append(GivenBack(SHOPIFY, order_id, made.id, sum((one.amount for one in made.payments), _ZERO)))
        order_id, _ = self._confirmed(WOOCOMMERCE)[-1]
        given = self.woo.refund(order_id, back={self._first_line(WOOCOMMERCE, order_id): 1})
        self.given_back.append(GivenBack(WOOCOMMERCE, order_id, given.id, given.amount or _ZERO))

    def _confirmed(self, shop: str) -> Sequence[tuple[int, OdooOrder]]:
        documents = {order.client_order_ref: order for order in self.odoo.orders if order.state == "sale"}
        numbers = (
            {f"#{order.number}": order.id for order in self.shop.orders.values()}
            if shop == SHOPIFY
            else {str(order_id): order_id for order_id in self.woo.orders}
        )
        return [(order_id, documents[number]) for number, order_id in numbers.items() if number in documents]

    def _first_line(self, shop: str, order_id: int) -> int:
        return self.shop.orders[order_id].lines[0].id if shop == SHOPIFY else self.woo.orders[order_id].lines[0].id

    # ---- both sides compared ---------------------------------------------------------------------------------------

    def shipments(self) -> Compared:
        """What left Odoo against what the shops know of it: one entry each, its piece and its tracking number."""
        off = tuple(one.tracking for one in self.parcels if self._told(one) != [{str(one.line_id): Decimal(1)}])
        return Compared(len(self.parcels), off)

    def _told(self, parcel: Parcel) -> list[dict[str, Decimal]]:
        if parcel.shop == SHOPIFY:
            return [
                {str(line): Decimal(pieces) for line, pieces in one.pieces.items()}
                for one in self.shop.orders[parcel.order_id].fulfilments
                if parcel.tracking in one.numbers and not one.cancelled
            ]
        notes = (
            json.loads(text)
            for key, text in self.woo.orders[parcel.order_id].meta.items()
            if key.startswith("_tallystick_shipment_")
        )
        return [
            {line: Decimal(pieces) for line, pieces in note["lines"].items()}
            for note in notes
            if parcel.tracking in note["numbers"]
        ]

    def refunds(self) -> Compared:
        """What the shops gave back against the posted credit notes: one each, with the same total."""
        off = tuple(str(one.refund_id) for one in self.given_back if self._credited(one) != [one.total])
        return Compared(len(self.given_back), off)

    def _credited(self, given: GivenBack) -> list[Decimal]:
        return [
            credit.amount_total
            for credit in self.odoo.credits
            if credit.ref.endswith(f"refund {given.refund_id}") and credit.state == "posted"
        ]


_ZERO = Decimal(0)
