"""`/webhooks`: made, listed, changed and deleted over the API."""

from collections.abc import Mapping
from typing import Any

from .errors import ApiError
from .hooks import Webhook
from .shop import Shop

_RESOURCES = ("order", "product", "customer", "coupon")
_EVENTS = ("created", "updated", "deleted", "restored")
_HOOKS = {
    "order.created": ["woocommerce_new_order"],
    "order.updated": ["woocommerce_update_order", "woocommerce_order_refunded"],
    "order.deleted": ["wp_trash_post"],
    "order.restored": ["untrashed_post"],
}


async def create(shop: Shop, body: Mapping[str, Any]) -> Webhook:
    """`POST /webhooks`, with its ping; over REST the answer to the ping does not matter."""
    if "topic" not in body:
        raise ApiError(400, "rest_missing_callback_param", "Missing parameter(s): topic", {"params": ["topic"]})
    resource, _, event = str(body["topic"]).partition(".")
    if resource not in _RESOURCES or event not in _EVENTS:
        message = "Webhook topic is required and must be valid."
        raise ApiError(400, "woocommerce_rest_shop_webhook_invalid_topic", message)
    address = _address(body)
    webhook = shop.outbox.subscribe(str(body["topic"]), address, str(body.get("secret", "")), str(body.get("name", "")))
    webhook.status = str(body.get("status", "active"))
    await shop.outbox.ping(webhook)
    return webhook


async def update(shop: Shop, webhook: Webhook, body: Mapping[str, Any]) -> Webhook:
    """`PUT /webhooks/{id}`. Activating it again does not reset the count of failures; another address is pinged."""
    webhook.secret = str(body.get("secret", webhook.secret))
    webhook.status = str(body.get("status", webhook.status))
    webhook.name = str(body.get("name", webhook.name))
    webhook.modified = shop.now()
    if "delivery_url" in body and body["delivery_url"] != webhook.address:
        webhook.address = _address(body)
        await shop.outbox.ping(webhook)
    return webhook


def find(shop: Shop, webhook_id: str) -> Webhook:
    """The subscription of that id. Raises `ApiError`."""
    webhook = shop.outbox.webhooks.get(int(webhook_id))
    if webhook is None:
        raise ApiError(404, "woocommerce_rest_shop_webhook_invalid_id", "Invalid ID.")
    return webhook


def shown(shop: Shop, webhook: Webhook) -> dict[str, Any]:
    """The JSON form; neither the secret nor the count of failures is in it."""
    resource, event = webhook.topic.split(".")
    shape = shop.shape()
    return {
        "id": webhook.id,
        "name": webhook.name,
        "status": webhook.status,
        "topic": webhook.topic,
        "resource": resource,
        "event": event,
        "hooks": _HOOKS.get(webhook.topic, []),
        "delivery_url": webhook.address,
        **shape.stamps("date_created", webhook.created),
        **shape.stamps("date_modified", webhook.modified),
        "_links": shape.links("webhooks", webhook.id),
    }


def _address(body: Mapping[str, Any]) -> str:
    address = str(body.get("delivery_url", ""))
    if not address.startswith(("http://", "https://")):
        message = "Webhook delivery URL must be a valid URL starting with http:// or https://."
        raise ApiError(400, "woocommerce_rest_shop_webhook_invalid_delivery_url", message)
    return address
