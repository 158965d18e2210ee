"""Orders made and changed over the API, as far as tests and the demo need it."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any

from .cart import Cart
from .errors import ApiError, invalid
from .model import Fee, Item, Order
from .shop import Shop

Body = Mapping[str, Any]

_STATUSES = (
    "auto-draft", "pending", "processing", "on-hold", "completed", "cancelled", "refunded", "failed", "checkout-draft"
)  # fmt: skip


def create(shop: Shop, body: Body) -> Order:
    """`POST /orders`. An unknown coupon is refused, but leaves a draft that webhooks send all the same."""
    status = _status(body, "pending")
    codes = [str(row.get("code", "")).lower() for row in _rows(body, "coupon_lines")]
    unknown = next((code for code in codes if code not in shop.coupons), None)
    order = shop.place_order(
        [_item(shop, row) for row in _rows(body, "line_items")],
        status="checkout-draft" if unknown else status,
        currency=str(body.get("currency", "")),
        billing=body.get("billing"),
        shipping_address=body.get("shipping", {}),
        customer_id=int(body.get("customer_id", 0)),
        shipping=sum((_amount(row, "total") for row in _rows(body, "shipping_lines")), Decimal(0))
        if body.get("shipping_lines")
        else None,
        fees=[_fee(row) for row in _rows(body, "fee_lines")],
        coupons=[] if unknown else codes,
        payment_method=str(body.get("payment_method", "")),
        created_via="rest-api",
        note=str(body.get("customer_note", "")),
        meta={row["key"]: row["value"] for row in _rows(body, "meta_data")},
    )
    if unknown:
        message = f"Coupon &quot;{unknown}&quot; cannot be applied because it does not exist."
        raise ApiError(400, "woocommerce_rest_invalid_coupon", message, {"new_draft_order_id": order.id})
    if body.get("set_paid"):
        _set_paid(shop, order)
    return order


def update(shop: Shop, order: Order, body: Body) -> Order:
    """`PUT /orders/{id}`; an empty body is a save without a change."""
    status = _status(body, order.status)

    def change(order: Order, cart: Cart) -> None:
        order.billing |= body.get("billing", {})
        order.shipping_address |= body.get("shipping", {})
        order.note = str(body.get("customer_note", order.note))
        for row in _rows(body, "meta_data"):
            order.meta[row["key"]] = row["value"]
            shop.journal.note("meta", str(order.id), (row["key"], row["value"]))
        for row in _rows(body, "line_items"):
            _change_line(shop, order, cart, row)

    if status != order.status:
        change(order, shop.cart)
        return shop.set_status(order.id, status)
    return shop.edit(order.id, change)


def _change_line(shop: Shop, order: Order, cart: Cart, row: Body) -> None:
    """A new line, a removed one (quantity 0), or other amounts; a quantity alone moves no money."""
    line = next((line for line in order.lines if line.id == row.get("id")), None)
    if line is None:
        order.lines.append(cart.line(_item(shop, row)))
    elif row.get("quantity") == 0 or ("product_id" in row and row["product_id"] is None):
        order.lines.remove(line)
    else:
        line.quantity = row.get("quantity", line.quantity)
        subtotal = _amount(row, "subtotal") if "subtotal" in row else line.subtotal
        cart.reprice(line, subtotal, _amount(row, "total") if "total" in row else line.total)


def _item(shop: Shop, row: Body) -> Item:
    if "product_id" not in row and "sku" not in row:
        message = "Product ID or SKU is required."
        raise ApiError(400, "woocommerce_rest_required_product_reference", message)
    quantity = row.get("quantity", 1)
    if not isinstance(quantity, int):
        raise invalid("line_items", "rest_invalid_type", "line_items[0][quantity] is not of type integer.")
    found = (product.sku for product in shop.products.values() if product.id == row.get("product_id"))
    price = _amount(row, "total") / (quantity or 1) if "total" in row else None
    return Item(next(found, str(row.get("sku", ""))), quantity, price)


def _fee(row: Body) -> Fee:
    return Fee(str(row.get("name", "")), _amount(row, "total"), row.get("tax_status", "taxable") == "taxable")


def _set_paid(shop: Shop, order: Order) -> None:
    """Cash on delivery becomes completed at once; on-hold is left as it is."""
    if order.status == "pending":
        shop.set_status(order.id, "completed" if order.payment_method == "cod" else "processing")


def _status(body: Body, default: str) -> str:
    status = str(body.get("status", default))
    if status not in _STATUSES and status != default:
        allowed = f"{', '.join(_STATUSES[:-1])}, and {_STATUSES[-1]}"
        raise invalid("status", "rest_not_in_enum", f"status is not one of {allowed}.")
    return status


def _rows(body: Body, key: str) -> Sequence[Body]:
    rows = body.get(key) or []
    return [row for row in rows if isinstance(row, Mapping)]


def _amount(row: Body, key: str) -> Decimal:
    try:
        return Decimal(str(row.get(key) or 0))
    except InvalidOperation:
        raise invalid(key, "rest_invalid_type", f"{key} is not of type string.") from None
