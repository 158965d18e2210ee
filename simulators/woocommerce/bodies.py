"""What a delivery holds: the object as the shop stands when the delivery is built."""

from typing import TYPE_CHECKING, Any

from .hooks import Delivery

if TYPE_CHECKING:
    from .shop import Shop

_INVALID_ID = {"code": "woocommerce_rest_shop_order_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}


def body_of(shop: "Shop", delivery: Delivery) -> Any:
    """The payload as the shop stands now: an error object when the order is gone by the time of the queue."""
    resource, event = delivery.topic.split(".")
    if event == "deleted":
        return {"id": delivery.object_id}
    if resource == "customer":
        return shop.accounts.shown(delivery.object_id)
    if resource == "product":
        product = next((p for p in shop.catalogue.products if p.id == delivery.object_id), None)
        return shop.shape().product(product) if product else {"id": delivery.object_id}
    order = shop.orders.get(delivery.object_id)
    return shop.shown(order) if order else _INVALID_ID
