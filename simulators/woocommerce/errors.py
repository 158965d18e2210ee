"""The API's refusals, with the codes of WooCommerce 11.0.1."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(slots=True)
class ApiError(Exception):
    """Answered as `{"code", "message", "data": {"status", …}}`; a number alone takes the place of `data`."""

    status: int
    code: str
    message: str
    data: dict[str, Any] | int = field(default_factory=dict)

    @property
    def body(self) -> dict[str, Any]:
        """The JSON of the answer."""
        data = self.data if isinstance(self.data, int) else {"status": self.status} | self.data
        return {"code": self.code, "message": self.message, "data": data}


def cannot_view() -> ApiError:
    """No key, or one that the shop does not know."""
    return ApiError(401, "woocommerce_rest_cannot_view", "Sorry, you cannot list resources.")


def wrong_secret() -> ApiError:
    """A known key with another secret."""
    return ApiError(401, "woocommerce_rest_authentication_error", "Consumer secret is invalid.")


def lacks_permission(what: str) -> ApiError:
    """A key without the right to read or to write."""
    message = f"The API key provided does not have {what} permissions."
    return ApiError(401, "woocommerce_rest_authentication_error", message)


def no_route() -> ApiError:
    """An address that the API does not have."""
    return ApiError(404, "rest_no_route", "No route was found matching the URL and request method.")


def no_order(*, writing: bool = False) -> ApiError:
    """An unknown id: 404 when reading, 400 when writing."""
    message = "ID is invalid." if writing else "Invalid ID."
    return ApiError(400 if writing else 404, "woocommerce_rest_shop_order_invalid_id", message)


def invalid(name: str, code: str, message: str) -> ApiError:
    """A parameter that is not allowed."""
    detail = {"code": code, "message": message, "data": None}
    data = {"params": {name: message}, "details": {name: detail}}
    return ApiError(400, "rest_invalid_param", f"Invalid parameter(s): {name}", data)


def too_much() -> ApiError:
    """More is to be given back than is left of the order; for good, whatever the status says (recording 131)."""
    return ApiError(500, "woocommerce_rest_cannot_create_order_refund", "Invalid refund amount.", 500)


def below_zero() -> ApiError:
    """A negative refund: status 500, and a 400 inside (recording 132)."""
    return ApiError(500, "woocommerce_rest_invalid_order_refund", "Refund amount must be greater than zero.", 400)
