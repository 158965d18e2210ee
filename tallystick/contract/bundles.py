"""Bundles: a store may show a bundle beside its parts; the stock moves once, and the price is booked once."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from tallystick.canonical.money import allocate, minor_digits
from tallystick.contract.charges import Charge, Tax
from tallystick.contract.schema import Bundles
from tallystick.v1 import order_pb2


def gathered(found: Sequence[Charge], policy: Bundles, currency: str) -> list[Charge]:
    """The charges with each bundle as the policy wants it; everything else as it is."""
    tree = _Tree.of(found, minor_digits(currency))
    match policy:
        case Bundles.AS_SOLD:
            return [charge for charge in found if not _groups_only(charge)]
        case Bundles.PARENT:
            return [tree.whole(charge) for charge in found if not tree.is_part(charge)]
        case Bundles.COMPONENTS:
            return [part for charge in found if not tree.is_part(charge) for part in tree.parts(charge)]


def _groups_only(charge: Charge) -> bool:
    return charge.line is not None and charge.line.kind == order_pb2.LINE_KIND_BUNDLE and not charge.gross


@dataclass(frozen=True, slots=True)
class _Tree:
    """Charges below the one that names their bundle; a bundle may hold another."""

    below: Mapping[str, Sequence[Charge]]
    keys: frozenset[str]
    digits: int

    @classmethod
    def of(cls, found: Sequence[Charge], digits: int) -> "_Tree":
        below: dict[str, list[Charge]] = defaultdict(list)
        for charge in found:
            below[_parent(charge)].append(charge)
        return cls(below, frozenset(charge.key for charge in found), digits)

    def is_part(self, charge: Charge) -> bool:
        """Of a bundle that is here as well: what came without it stands by itself."""
        return _parent(charge) in self.keys

    def whole(self, charge: Charge) -> Charge:
        """The bundle with the prices of all that is in it."""
        for part in self.below.get(charge.key, ()):
            inner = self.whole(part)
            charge = _plus(charge, inner.net, inner.tax, inner.taxes)
        return charge

    def parts(self, charge: Charge) -> Iterator[Charge]:
        """What is in the bundle, with its price shared out; what is none is its own only part."""
        below = self.below.get(charge.key, ())
        if not below:
            yield charge
            return
        weights = [part.gross for part in below]
        if not any(weights):
            weights = [part.quantity for part in below]
        nets, taxes = (allocate(value, weights, self.digits) for value in (charge.net, charge.tax))
        for part, net, tax in zip(below, nets, taxes, strict=True):
            yield from self.parts(_plus(part, net, tax, charge.taxes))


def _parent(charge: Charge) -> str:
    return charge.line.parent_id if charge.line is not None else ""


def _plus(charge: Charge, net: Decimal, tax: Decimal, taxes: Sequence[Tax]) -> Charge:
    """With more money in it; its own taxes stand, unless it carried no money."""
    if not net and not tax:
        return charge
    stated = charge.taxes if charge.gross else taxes
    kept = tuple(replace(one, amount=None) for one in stated)
    return replace(charge, net=charge.net + net, tax=charge.tax + tax, gross=charge.gross + net + tax, taxes=kept)
