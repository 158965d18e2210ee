"""What types cannot check in the section `prices`."""

from collections import Counter
from collections.abc import Iterator

from tallystick.canonical.money import UnknownCurrency, minor_digits
from tallystick.contract.price_schema import Owned, PriceListRow, Prices, Use
from tallystick.contract.source import Place
from tallystick.contract.taxes import normal_key

_LISTS: Place = ("prices", "lists")


def findings(prices: Prices) -> Iterator[tuple[Place, str]]:
    """Everything that is wrong, each with its place."""
    for name, row in prices.lists.items():
        for words in _row(row):
            yield (*_LISTS, name), words
    yield from _together(prices)
    for key in prices.rates:
        try:
            normal_key(key)
        except ValueError as error:
            yield ("prices", "rates", key), str(error)


def _row(row: PriceListRow) -> Iterator[str]:
    try:
        minor_digits(row.currency)
    except UnknownCurrency as error:
        yield str(error)
    if (row.to is Use.CATALOG) != bool(row.catalog):
        yield "`catalog` names the store's price list where `to` is catalog, and stands nowhere else"


def _together(prices: Prices) -> Iterator[tuple[Place, str]]:
    """The lists of the plain prices make one picture, and each catalog has one list."""
    uses = Counter(row.to for row in prices.lists.values())
    catalogs = Counter(row.catalog for row in prices.lists.values() if row.catalog)
    for use, times in uses.items():
        if use is not Use.CATALOG and times > 1:
            yield _LISTS, f"{times} lists go to {use}: one price cannot come from several"
    for catalog, times in catalogs.items():
        if times > 1:
            yield _LISTS, f"{times} lists go to the catalog {catalog!r}: one price cannot come from several"
    if not uses[Use.REGULAR] and Owned.PRICE in prices.owned and uses.keys() != {Use.CATALOG}:
        yield _LISTS, "no list goes to regular, which is the price that everybody pays"
    currencies = {row.currency for row in prices.lists.values() if row.to is not Use.CATALOG}
    if len(currencies) > 1:
        yield _LISTS, f"the plain prices are in {', '.join(sorted(currencies))}; a store has one currency for them"
