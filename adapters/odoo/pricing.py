"""What a pricelist of Odoo asks for a product: its rules replayed, since the method that computes them is private.

Rules are looked at in the server's order (kind, quantity, category, age), and the first that holds decides. What would
take more than the rules tell, such as a conversion between currencies or a cost, is `Uncertain`, never guessed.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

ONE = Decimal(1)
_ZERO = Decimal(0)
_HUNDRED = Decimal(100)
VARIANT, TEMPLATE, CATEGORY, EVERYTHING = "0_product_variant", "1_product", "2_product_category", "3_global"


class Uncertain(Exception):
    """The rules alone do not tell the price; says why, in words."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A `product.pricelist.item`; it holds from `starts` up to `until`."""

    id: int
    applied_on: str
    product: int | None
    template: int | None
    category: int | None
    #: The whole name of the category, by which the server orders.
    category_name: str
    compute: str
    fixed: Decimal
    percent: Decimal
    base: str
    base_list: int | None
    discount: Decimal
    round_to: Decimal
    surcharge: Decimal
    min_margin: Decimal
    max_margin: Decimal
    min_quantity: Decimal
    starts: datetime | None
    until: datetime | None

    def meets(self, subject: "Subject") -> bool:
        """Whether it is about this product."""
        match self.applied_on:
            case "0_product_variant":
                return self.product == subject.product
            case "1_product":
                return self.template == subject.template
            case "2_product_category":
                return self.category in subject.categories
        return self.applied_on == EVERYTHING

    def holds(self, quantity: Decimal, at: datetime) -> bool:
        """Whether it is in force for so many pieces."""
        begun = self.starts is None or self.starts <= at
        return begun and (self.until is None or at < self.until) and self.min_quantity <= quantity


@dataclass(frozen=True, slots=True)
class Subject:
    """A product, as far as rules ask."""

    product: int
    template: int | None
    #: Its category and all above it.
    categories: frozenset[int]
    list_price: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Term:
    """A price for a quantity and a time; `starts` None where it is in force."""

    price: Decimal
    quantity_min: Decimal
    starts: datetime | None
    until: datetime | None


class Pricelists:
    """Lists with their rules, also those that other lists are based on."""

    def __init__(self, currencies: Mapping[int, str], rules: Mapping[int, Sequence[Rule]]) -> None:
        self._currencies = currencies
        self._rules = {pricelist: _in_order(found) for pricelist, found in rules.items()}

    def currency(self, pricelist: int) -> str:
        """The list's currency."""
        return self._currencies[pricelist]

    def terms(self, pricelist: int, subject: Subject, now: datetime) -> list[Term]:
        """The plain price now and later, then that of each quantity. Raises `Uncertain` for the plain price."""
        rules = list(self._concerning(pricelist, subject, ()))
        moments = sorted({now, *(at for rule in rules for at in (rule.starts, rule.until) if at and at > now)})
        plain = self._course(pricelist, subject, ONE, moments)
        return plain + list(self._tiers(pricelist, subject, rules, moments, plain))

    def _tiers(
        self, pricelist: int, subject: Subject, rules: Sequence[Rule], moments: Sequence[datetime], plain: list[Term]
    ) -> Iterator[Term]:
        """Prices for more pieces, without quantities that change nothing."""
        before = plain
        for quantity in sorted({rule.min_quantity for rule in rules if rule.min_quantity > ONE}):
            try:
                course = self._course(pricelist, subject, quantity, moments)
            except Uncertain:
                return
            if [_apart(term) for term in course] != [_apart(term) for term in before]:
                yield from course
            before = course

    def _course(self, pricelist: int, subject: Subject, quantity: Decimal, moments: Sequence[datetime]) -> list[Term]:
        """The prices of one quantity one after another; what does not change at a moment goes on."""
        found: list[Term] = []
        for at, until in zip(moments, [*moments[1:], None], strict=True):
            price = self.price(pricelist, subject, quantity, at)
            if found and found[-1].price == price:
                found[-1] = Term(price, quantity, found[-1].starts, until)
            else:
                found.append(Term(price, quantity, at if found else None, until))
        return found

    def price(self, pricelist: int, subject: Subject, quantity: Decimal, at: datetime) -> Decimal:
        """In the list's currency. Raises `Uncertain`."""
        return self._price(pricelist, subject, quantity, at, ())

    def _price(
        self, pricelist: int, subject: Subject, quantity: Decimal, at: datetime, through: tuple[int, ...]
    ) -> Decimal:
        for rule in self._rules.get(pricelist, ()):
            if rule.meets(subject) and rule.holds(quantity, at):
                return self._asked(rule, pricelist, subject, quantity, at, through)
        return self._list_price(pricelist, subject)

    def _asked(
        self, rule: Rule, pricelist: int, subject: Subject, quantity: Decimal, at: datetime, through: tuple[int, ...]
    ) -> Decimal:
        if rule.compute == "fixed":
            return rule.fixed
        base = self._base(rule, pricelist, subject, quantity, at, through)
        if rule.compute == "percentage":
            return base - base * rule.percent / _HUNDRED
        if rule.compute == "formula":
            return _formula(rule, base)
        raise Uncertain(f"rule {rule.id} computes its price by {rule.compute!r}, which is not known here")

    def _base(
        self, rule: Rule, pricelist: int, subject: Subject, quantity: Decimal, at: datetime, through: tuple[int, ...]
    ) -> Decimal:
        if rule.base == "list_price":
            return self._list_price(pricelist, subject)
        if rule.base == "pricelist" and rule.base_list is not None:
            if rule.base_list in (*through, pricelist):
                raise Uncertain(f"rule {rule.id} is based on a list that is based on its own")
            self._require(self._currencies.get(rule.base_list, ""), pricelist, f"rule {rule.id}")
            return self._price(rule.base_list, subject, quantity, at, (*through, pricelist))
        raise Uncertain(f"rule {rule.id} is based on {rule.base!r}, which Odoo tells nobody the price from")

    def _list_price(self, pricelist: int, subject: Subject) -> Decimal:
        self._require(subject.currency, pricelist, "the sales price")
        return subject.list_price

    def _require(self, currency: str, pricelist: int, what: str) -> None:
        own = self._currencies[pricelist]
        if currency != own:
            raise Uncertain(f"{what} is in {currency}, and only Odoo itself knows by which rate it becomes {own}")

    def _concerning(self, pricelist: int, subject: Subject, through: tuple[int, ...]) -> Iterator[Rule]:
        """The rules about a product, with those of the lists behind them."""
        if pricelist in through:
            return
        for rule in self._rules.get(pricelist, ()):
            if rule.meets(subject):
                yield rule
                if rule.base == "pricelist" and rule.base_list is not None:
                    yield from self._concerning(rule.base_list, subject, (*through, pricelist))


def _in_order(rules: Sequence[Rule]) -> list[Rule]:
    """`applied_on, min_quantity desc, categ_id desc, id desc`, as the server searches."""
    found = sorted(rules, key=lambda rule: rule.id, reverse=True)
    found.sort(key=lambda rule: rule.category_name, reverse=True)
    found.sort(key=lambda rule: rule.min_quantity, reverse=True)
    return sorted(found, key=lambda rule: rule.applied_on)


def _formula(rule: Rule, base: Decimal) -> Decimal:
    """Discount, then rounding to a multiple, then the surcharge, then the margins on the base."""
    price = base - base * rule.discount / _HUNDRED
    if rule.round_to:
        price = (price / rule.round_to).quantize(ONE, ROUND_HALF_UP) * rule.round_to
    price += rule.surcharge
    if rule.min_margin:
        price = max(price, base + rule.min_margin)
    return min(price, base + rule.max_margin) if rule.max_margin else price


def _apart(term: Term) -> tuple[Decimal, datetime | None, datetime | None]:
    return term.price, term.starts, term.until
