"""Accounts of buyers: registered, edited, deleted, and what the shop sends then (seen on WooCommerce 11.0.1)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from .errors import ApiError
from .model import ADDRESS_FIELDS, Meta

if TYPE_CHECKING:
    from .shop import Shop

Json = dict[str, Any]
_UNKNOWN = {"code": "wc_user_invalid_id", "message": "Invalid resource ID.", "data": {"status": 404}}


@dataclass(slots=True)
class Account:
    """One user of the shop. Times are UTC in whole seconds."""

    id: int
    email: str
    created: datetime
    modified: datetime
    first_name: str = ""
    last_name: str = ""
    role: str = "customer"
    billing: dict[str, str] = field(default_factory=dict)
    shipping: dict[str, str] = field(default_factory=dict)
    meta: Meta = field(default_factory=dict)


class Accounts:
    """Users by id. The first is the shop's own administrator."""

    def __init__(self, shop: "Shop") -> None:
        self._shop = shop
        now = shop.now()
        self.by_id = {1: Account(1, "admin@shop.example", now, now, "Ada", "Min", "administrator")}

    def register(self, email: str, first_name: str, last_name: str, **parts: Any) -> Account:
        """Somebody registers: `created` and at once `updated` are owed."""
        now = self._shop.now()
        account = Account(max(self.by_id) + 1, email, now, now, first_name, last_name, **parts)
        self.by_id[account.id] = account
        self._owe("created", account.id)
        self._owe("updated", account.id)
        return account

    def edit(self, account_id: int, *, meta: Mapping[str, Any] | None = None, **parts: Any) -> Account:
        """The account is saved with these parts changed."""
        account = self.by_id[account_id]
        for name, value in parts.items():
            setattr(account, name, value)
        account.meta.update(meta or {})
        account.modified = self._shop.now()
        self._owe("updated", account_id)
        return account

    def delete(self, account_id: int) -> None:
        """The account goes for good: users have no trash."""
        del self.by_id[account_id]
        self._owe("deleted", account_id)

    # ---- what the API shows

    def shown(self, account_id: int) -> Json:
        """As `GET /customers/{id}`, and as a delivery's body."""
        account = self.by_id.get(account_id)
        return _UNKNOWN if account is None else self._row(account)

    def one(self, account_id: int) -> Json:
        """The same. Raises `ApiError` for one that is not there."""
        if account_id not in self.by_id:
            raise ApiError(404, "wc_user_invalid_id", "Invalid resource ID.")
        return self._row(self.by_id[account_id])

    def listed(self, query: Mapping[str, str]) -> tuple[list[Json], int]:
        """A page, and how many there are in all: without `role=all` only those with the role `customer`."""
        role = query.get("role", "customer")
        found = [one for _, one in sorted(self.by_id.items()) if role in ("all", one.role)]
        size, page = int(query.get("per_page", "10")), int(query.get("page", "1"))
        return [self._row(one) for one in found[(page - 1) * size : page * size]], len(found)

    def _owe(self, event: str, account_id: int) -> None:
        self._shop.outbox.owe(f"customer.{event}", account_id)
        self._shop.journal.note(f"customer {event}", str(account_id))

    def _row(self, account: Account) -> Json:
        return {
            "id": account.id,
            **self._dates("created", account.created),
            **self._dates("modified", account.modified),
            "email": account.email,
            "first_name": account.first_name,
            "last_name": account.last_name,
            "role": account.role,
            "username": account.email.partition("@")[0],
            "billing": {**_block(account.billing), "email": account.billing.get("email", account.email)},
            "shipping": _block(account.shipping),
            "is_paying_customer": False,
            "avatar_url": "https://secure.gravatar.com/avatar/0?s=96&d=mm&r=g",
            "meta_data": [
                {"id": place, "key": key, "value": value} for place, (key, value) in enumerate(account.meta.items(), 1)
            ],
        }

    def _dates(self, name: str, moment: datetime) -> Json:
        local = moment.astimezone(ZoneInfo(self._shop.settings.zone))
        shown = {f"date_{name}": local, f"date_{name}_gmt": moment.astimezone(UTC)}
        return {key: value.strftime("%Y-%m-%dT%H:%M:%S") for key, value in shown.items()}


def _block(given: Mapping[str, str]) -> dict[str, str]:
    return {name: given.get(name, "") for name in ADDRESS_FIELDS}
