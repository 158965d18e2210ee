"""Orders, refunds, returns, customers, products as people write them by hand, in contract examples and tests.

They are short, and every word is canonical.

Field names are those of `order.proto`, `refund.proto`, `return.proto` and `price.proto`. Money is a text in the order's
currency ("107.00"), a state its bare word ("paid"), a time ISO 8601. What follows from the rest may be left out: two of
net, tax and gross make the third, one of them and the stated rates make both, the totals are the sums of the lines, and
the order is placed and paid.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from google.protobuf.descriptor import EnumDescriptor, FieldDescriptor
from google.protobuf.message import Message

from tallystick.canonical.checks import Charge
from tallystick.canonical.money import EXACT, amount, money, parse_amount, quantise
from tallystick.canonical.refunds import named
from tallystick.canonical.times import parse_instant, to_timestamp
from tallystick.errors import Unreadable
from tallystick.v1 import customer_pb2, money_pb2, order_pb2, price_pb2, refund_pb2, return_pb2

_DEFAULTS = {
    "connection": "store",
    "number": "1042",
    "placed_at": "2026-11-20T12:00:00Z",
    "state": "placed",
    "payment_state": "paid",
    "tax_basis": "included",
    "currency_code": "EUR",
}

_REFUND_DEFAULTS = {
    "connection": "store",
    "id": "R1",
    "order_id": "1042",
    "order_number": "1042",
    "refunded_at": "2026-11-25T12:00:00Z",
    "tax_basis": "included",
    "currency_code": "EUR",
}
_RETURN_DEFAULTS = {
    "connection": "store",
    "id": "B1",
    "order_id": "1042",
    "number": "1042-R1",
    "state": "open",
    "requested_at": "2026-11-25T12:00:00Z",
}
_CHARGES = order_pb2.OrderLine | order_pb2.ShippingLine | order_pb2.Fee | refund_pb2.RefundLine | refund_pb2.TaxShare


def order(data: Mapping[str, Any]) -> order_pb2.Order:
    """Build the order. Raises `Unreadable`, naming the place."""
    given = {**_DEFAULTS, **data}
    built = order_pb2.Order()
    writer = _Writer(str(given["currency_code"]))
    writer.fill(built, given, "order")
    built.id = built.id or built.number
    for place, line in enumerate(built.lines, 1):
        line.id = line.id or str(place)
    _settle(built)
    _sum_up(built, given.get("totals") or {})
    return built


def refund(data: Mapping[str, Any]) -> refund_pb2.Refund:
    """Build a refund likewise; without a total it gives back what its parts come to. Raises `Unreadable`."""
    given = {**_REFUND_DEFAULTS, **data}
    built = refund_pb2.Refund()
    _Writer(str(given["currency_code"])).fill(built, given, "refund")
    for place, line in enumerate(built.lines, 1):
        line.line_id = line.line_id or str(place)
    if not built.HasField("total"):
        whole = named(built) + amount(built.adjustment.gross)
        built.total.CopyFrom(money(built.currency_code, whole))
    return built


def returned(data: Mapping[str, Any]) -> return_pb2.Return:
    """Build a return, of goods and approved unless it says otherwise. Raises `Unreadable`."""
    built = return_pb2.Return()
    _Writer("").fill(built, {**_RETURN_DEFAULTS, **data}, "return")
    for place, line in enumerate(built.lines, 1):
        line.line_id = line.line_id or str(place)
        line.kind = line.kind or order_pb2.LINE_KIND_GOODS
    return built


def product(data: Mapping[str, Any]) -> price_pb2.Product:
    """Build a product, for sale unless it says otherwise; `currency_code` is that of all its prices. Raises
    `Unreadable`."""
    given = {"connection": "erp", "active": True, **data}
    writer = _Writer(str(given.pop("currency_code", "EUR")))
    built = price_pb2.Product()
    writer.fill(built, given, "product")
    return built


def customer(data: Mapping[str, Any]) -> customer_pb2.Customer:
    """Build a customer likewise; `currency_code` is that of its amounts. Raises `Unreadable`."""
    built, given = customer_pb2.Customer(), {"connection": "store", "id": "7", **data}
    _Writer(str(given.pop("currency_code", "EUR"))).fill(built, given, "customer")
    built.key = built.key or built.company.id or built.id
    return built


class _Writer:
    def __init__(self, currency: str) -> None:
        self._currency = currency

    def fill(self, message: Message, data: object, place: str) -> None:
        """Set the message's fields from a mapping."""
        if not isinstance(data, Mapping):
            raise Unreadable(f"{place} is {data!r}; a group of fields is expected")
        for name, value in data.items():
            fields: Mapping[str, Any] = message.DESCRIPTOR.fields_by_name
            if name not in fields:
                raise Unreadable(f"{place} has no field {name!r}; there are {', '.join(fields)}")
            self._set(message, fields[name], value, f"{place}.{name}")
        if isinstance(message, _CHARGES):
            self._complete(message.amount, [tax.rate_percent for tax in message.taxes], place)
        elif isinstance(message, refund_pb2.Refund) and message.HasField("adjustment"):
            self._complete(message.adjustment, [], f"{place}.adjustment")

    def _set(self, message: Message, field: FieldDescriptor, value: Any, place: str) -> None:
        inner = field.message_type
        if inner is not None and inner.GetOptions().map_entry:
            getattr(message, field.name).update({key: str(text) for key, text in _mapping(value, place).items()})
        elif field.is_repeated:
            for index, one in enumerate(_sequence(value, place)):
                self._append(message, field, one, f"{place}.{index}")
        elif inner is not None:
            self._whole(getattr(message, field.name), value, place)
        else:
            setattr(message, field.name, _scalar(field, value, place))

    def _append(self, message: Message, field: FieldDescriptor, value: Any, place: str) -> None:
        values = getattr(message, field.name)
        if field.message_type is None:
            values.append(_scalar(field, value, place))
        else:
            self._whole(values.add(), value, place)

    def _whole(self, message: Message, value: Any, place: str) -> None:
        kind = message.DESCRIPTOR.full_name
        if kind == "google.type.Money":
            message.CopyFrom(money(self._currency, parse_amount(str(value))))
        elif kind == "google.protobuf.Timestamp":
            message.CopyFrom(to_timestamp(parse_instant(str(value))))
        elif kind == "tallystick.v1.Quantities" and not isinstance(value, Mapping):
            self.fill(message, {"ordered": value}, place)
        else:
            self.fill(message, value, place)

    def _complete(self, taxed: money_pb2.TaxedAmount, rates: Sequence[str], place: str) -> None:
        given = {name: amount(getattr(taxed, name)) for name in ("net", "tax", "gross") if taxed.HasField(name)}
        if not given:
            raise Unreadable(f"{place} has no amount; write for example `amount: {{gross: 107.00}}`")
        if len(given) == 1:
            given["tax"] = self._tax(given, sum((parse_amount(rate) for rate in rates), Decimal(0)))
        if "net" not in given:
            given["net"] = given["gross"] - given["tax"]
        elif "gross" not in given:
            given["gross"] = given["net"] + given["tax"]
        else:
            given.setdefault("tax", given["gross"] - given["net"])
        for name, value in given.items():
            getattr(taxed, name).CopyFrom(money(self._currency, value))

    def _tax(self, given: Mapping[str, Decimal], rate: Decimal) -> Decimal:
        if "gross" in given:
            exact = EXACT.divide(given["gross"] * rate, 100 + rate)
        elif "net" in given:
            exact = given["net"] * rate / 100
        else:
            exact = given["tax"]
        return quantise(exact, self._currency)


def _scalar(field: FieldDescriptor, value: Any, place: str) -> object:
    if field.enum_type is not None:
        return _enum(field.enum_type, str(value), place)
    if field.type == FieldDescriptor.TYPE_BOOL:
        return bool(value)
    return str(value)


def _enum(kind: EnumDescriptor, word: str, place: str) -> int:
    prefix = kind.values[0].name.removesuffix("UNSPECIFIED")
    value = kind.values_by_name.get(prefix + word.upper())
    if value is None:
        words = ", ".join(one.name.removeprefix(prefix).lower() for one in kind.values[1:])
        raise Unreadable(f"{place} is {word!r}; allowed are {words}")
    return int(value.number)


def _mapping(value: object, place: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise Unreadable(f"{place} is {value!r}; a group of fields is expected")
    return value


def _sequence(value: object, place: str) -> Sequence[Any]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise Unreadable(f"{place} is {value!r}; a list is expected")
    return value


def _settle(built: order_pb2.Order) -> None:
    """A payment with an amount has come in with the order, unless something else is written."""
    for place, payment in enumerate(built.payments, 1):
        payment.id = payment.id or str(place)
        payment.kind = payment.kind or order_pb2.PAYMENT_KIND_GATEWAY
        if payment.HasField("amount") and not payment.state:
            payment.state = order_pb2.PAYMENT_STATE_PAID
            if not payment.HasField("paid_at"):
                payment.paid_at.CopyFrom(built.placed_at)


def _sum_up(built: order_pb2.Order, given: Mapping[str, Any]) -> None:
    """Totals that were not written are what the parts add up to."""
    taxed: list[Charge] = [*built.lines, *built.shipping_lines, *built.fees]
    sums = {
        "net": sum((amount(line.amount.net) for line in built.lines), Decimal(0)),
        "tax": sum((amount(part.amount.tax) for part in taxed), Decimal(0)),
        "shipping": sum((amount(part.amount.net) for part in built.shipping_lines), Decimal(0)),
        "fees": sum((amount(fee.amount.net) for fee in built.fees), Decimal(0)),
    }
    totals = built.totals
    for name, value in sums.items():
        if name not in given:
            getattr(totals, name).CopyFrom(money(built.currency_code, value))
    if "total" not in given:
        parts = (*sums, "tips", "duties", "rounding")
        total = sum((amount(getattr(totals, part)) for part in parts), Decimal(0))
        totals.total.CopyFrom(money(built.currency_code, total))
