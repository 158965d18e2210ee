"""Load a contract file: parse, check every word of it, compile its names, run its examples.

Everything that is wrong is told at once, each as `file:line: what was written, what is allowed`.
"""

import codecs
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path as File
from typing import TypeVar

from google.protobuf.descriptor import Descriptor
from pydantic import ValidationError

from tallystick.canonical.money import UnknownCurrency, minor_digits
from tallystick.canonical.times import zone
from tallystick.contract import examples, price_lint
from tallystick.contract.compile import Contract, Names
from tallystick.contract.customers import LIMITED
from tallystick.contract.lint import explain
from tallystick.contract.paths import Path, PathError, allowed, compile_path
from tallystick.contract.rows import Row, compile_row
from tallystick.contract.schema import Basis, ByCurrency, ContractFile, FieldRow, TaxRow, UseReference
from tallystick.contract.source import Finding, Place, Source, read
from tallystick.contract.taxes import normal_key
from tallystick.errors import SetupError
from tallystick.v1 import order_pb2, refund_pb2

_ORDER: Descriptor = order_pb2.Order.DESCRIPTOR
_LINE: Descriptor = order_pb2.OrderLine.DESCRIPTOR
_REFUND: Descriptor = refund_pb2.Refund.DESCRIPTOR
_T = TypeVar("_T")


class ContractError(SetupError):
    """A contract file that cannot be used as it stands; carries every finding."""

    def __init__(self, findings: Sequence[Finding]) -> None:
        self.findings = tuple(sorted(findings, key=lambda one: one.line))
        super().__init__("\n".join(str(finding) for finding in self.findings))


def load_contract(path: File) -> Contract:
    """Load a file. Raises `ContractError`, and `SetupError` when it cannot be read at all."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is not UTF-8"
        raise SetupError(f"the contract {path} cannot be read: {why}") from error
    return parse_contract(text, str(path))


def parse_contract(text: str, name: str) -> Contract:
    """Compile a contract's text; `name` stands in the findings. Raises `ContractError`."""
    source = read(text, name)
    file = _validated(source)
    names = _Linter(source, file).names()
    _refuse(source)
    contract = Contract(file, names)
    for number, failure in examples.failures(contract, file.examples):
        source.finding(("examples", number), failure)
    _refuse(source)
    return contract


def _refuse(source: Source) -> None:
    if source.findings:
        raise ContractError(source.findings)


def _validated(source: Source) -> ContractFile:
    _refuse(source)
    try:
        return ContractFile.model_validate(source.data if source.data is not None else {})
    except ValidationError as error:
        for problem in error.errors():
            source.finding(problem["loc"], explain(problem, ContractFile))
        raise ContractError(source.findings) from error


class _Linter:
    """What types cannot check: names that have to exist, and columns that have to be filled."""

    def __init__(self, source: Source, file: ContractFile) -> None:
        self._source = source
        self._file = file

    def names(self) -> Names:
        """Check everything and compile the names."""
        file = self._file
        self._try(("time_zone",), partial(zone, file.time_zone))
        self._currencies()
        self._taxes()
        self._limits()
        self._payments()
        self._prices()
        self._examples()
        self._stock()
        by = file.stock.reserve_from.by if file.stock.reserve_from else None
        return Names(
            header=self._rows(("header",), file.header, _ORDER),
            lines=self._rows(("lines",), file.lines, _LINE),
            customer=self._rows(("customer", "fields"), file.customer.fields, _ORDER),
            tax_id=self._paths(("customer", "tax_id"), file.customer.tax_id),
            refund=self._rows(("refunds", "header"), file.refunds.header, _REFUND),
            reserve_by=None if by is None else self._path(("stock", "reserve_from", "by"), _ORDER, by),
            copy_of=self._paths(("copy_of",), file.copy_of),
        )

    def _paths(self, place: Place, texts: Sequence[str]) -> tuple[Path, ...]:
        """Of an order."""
        found = [self._path((*place, at), _ORDER, text) for at, text in enumerate(texts)]
        return tuple(path for path in found if path is not None)

    def _currencies(self) -> None:
        decimals, own = self._file.arithmetic.price_decimals, self._file.refunds.currencies
        places: list[Place] = [("currencies", "rows", code) for code in self._file.currencies.rows]
        places += [("refunds", "currencies", "rows", code) for code in (own.rows if own else ())]
        for place in places:
            code = str(place[-1])
            digits = self._try(place, partial(minor_digits, code))
            if digits is not None and isinstance(decimals, int) and decimals < digits:
                self._source.finding(
                    ("arithmetic", "price_decimals"),
                    f"price_decimals is {decimals}, but {code} has {digits} decimals: most of its prices would be "
                    f"held; let the ERP keep {digits} or more, or leave {code} out",
                )

    def _taxes(self) -> None:
        taxes = self._file.taxes
        seen: dict[str | None, str] = {}
        for key, row in taxes.rates.items():
            rate = self._try(("taxes", "rates", key), partial(normal_key, key))
            if rate is not None and rate in seen:
                self._source.finding(("taxes", "rates", key), f"{key!r} and {seen[rate]!r} are one rate")
            seen[rate] = key
            self._columns(("taxes", "rates", key), row, taxes.basis)
        for code, row in taxes.codes.items():
            self._columns(("taxes", "codes", code), row, taxes.basis)

    def _columns(self, place: Place, row: TaxRow, basis: Basis) -> None:
        if not row.included and not row.excluded:
            self._source.finding(place, "this tax has no code; fill `included`, `excluded` or both")
        elif basis is Basis.INCLUDED and not row.included:
            self._source.finding(place, "`included` is empty, and with `basis: included` it is the one that is used")
        elif basis is Basis.EXCLUDED and not row.excluded:
            self._source.finding(place, "`excluded` is empty, and with `basis: excluded` it is the one that is used")

    def _limits(self) -> None:
        for name in self._file.customer.limits:
            if name not in LIMITED:
                self._source.finding(("customer", "limits", name), allowed(f"unknown field {name!r}", name, [*LIMITED]))

    def _payments(self) -> None:
        rules = self._file.payments
        if rules is None:
            return
        if not (rules.gateways or rules.gift_card or isinstance(rules.otherwise, UseReference)):
            self._source.finding(
                ("payments",), "no payment could be booked; fill `gateways`, `gift_card` or `otherwise`"
            )
        other = rules.otherwise.use if isinstance(rules.otherwise, UseReference) else None
        places: dict[Place, str | ByCurrency | None] = {
            ("payments", "gateways", name): one for name, one in rules.gateways.items()
        }
        places |= {("payments", "gift_card"): rules.gift_card, ("payments", "otherwise", "use"): other}
        for place, row in places.items():
            self._place_of_money(place, row)

    def _place_of_money(self, place: Place, row: str | ByCurrency | None) -> None:
        if row == "" or (isinstance(row, ByCurrency) and not (row.by_currency or row.otherwise)):
            self._source.finding(place, f"{place[-1]} is empty; name where its payments are booked")
        for code in row.by_currency if isinstance(row, ByCurrency) else ():
            self._try((*place, "by_currency", code), partial(minor_digits, code))

    def _prices(self) -> None:
        for place, words in price_lint.findings(self._file.prices) if self._file.prices else ():
            self._source.finding(place, words)

    def _examples(self) -> None:
        for number, example in enumerate(self._file.examples):
            given = (example.order, example.refund, example.returned, example.product, example.customer)
            if sum(one is not None for one in given) != 1:
                words = "an example needs one of `order`, `refund`, `return`, `product` and `customer`"
                self._source.finding(("examples", number), words)

    def _stock(self) -> None:
        for place, text in self._file.stock.findings():
            self._source.finding(("stock", *place), text)
        named: dict[str, str] = {}
        for store, erp in self._file.sku.rows.items():
            if self._file.stock.locations and erp in named:
                words = f"{store!r} and {named[erp]!r} are one product of the ERP: its pieces would be sold twice"
                self._source.finding(("sku", "rows", store), words)
            named[erp] = store

    def _currency_fields(self, place: Place) -> set[str]:
        """What the rows of this place may not fill, because the document's currency does."""
        if place == ("header",):
            return {self._file.currencies.to}
        own = self._file.refunds.currencies
        return {own.to} if own and place == ("refunds", "header") else set()

    def _rows(self, place: Place, rows: Sequence[FieldRow], root: Descriptor) -> tuple[Row, ...]:
        compiled = [self._row((*place, number), row, root) for number, row in enumerate(rows)]
        seen = self._currency_fields(place)
        for number, row in enumerate(rows):
            if row.to in seen:
                self._source.finding((*place, number, "to"), f"{row.to!r} is filled twice")
            seen.add(row.to)
        return tuple(row for row in compiled if row is not None)

    def _row(self, place: Place, row: FieldRow, root: Descriptor) -> Row | None:
        if (row.from_ is None) == (row.value is None):
            self._source.finding(place, f"{row.to!r} needs either `from` (a path of the order) or `value` (a constant)")
        tables = self._file.tables
        if row.table is not None and row.table not in tables:
            written = f"there is no table {row.table!r}"
            self._source.finding((*place, "table"), allowed(written, row.table, list(tables)))
            return None
        if row.charset not in (None, "bmp") and not _is_codec(row.charset or ""):
            written = f"charset is {row.charset!r}; allowed are bmp and the names of Python codecs such as latin-1"
            self._source.finding((*place, "charset"), written)
        path = None if row.from_ is None else self._path((*place, "from"), root, row.from_)
        return compile_row(row, path, tables, self._currency_of(place, row, root))

    def _currency_of(self, place: Place, row: FieldRow, root: Descriptor) -> Path | None:
        if row.currency is None:
            return None
        here = (*place, "currency")
        self._try(here, partial(minor_digits, row.currency))
        try:
            return compile_path(root, f"{row.from_}.currency_code")
        except PathError:
            self._source.finding(here, f"{row.from_!r} is no amount of money, so it has no currency")
            return None

    def _path(self, place: Place, root: Descriptor, text: str) -> Path | None:
        return self._try(place, partial(compile_path, root, text))

    def _try(self, place: Place, check: Callable[[], _T]) -> _T | None:
        try:
            return check()
        except (PathError, SetupError, UnknownCurrency, ValueError) as error:
            self._source.finding(place, str(error))
            return None


def _is_codec(name: str) -> bool:
    try:
        return codecs.lookup(name)._is_text_encoding
    except LookupError:
        return False
