"""Rates of tax: the store's stated ones, what they come to, and the text that a contract's table is keyed by."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal

from tallystick.canonical.money import allocate, minor_digits, minor_unit
from tallystick.contract.charges import Charge, Tax
from tallystick.contract.document import LineRole

_HUNDRED = Decimal(100)
_ZERO = Decimal(0)


def rate_text(rate: Decimal) -> str:
    """One text for one rate: 7, 7.0 and 7.00 are "7"."""
    text = format(rate, "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def table_key(taxes: Sequence[Tax]) -> str:
    """The key of taxes that stand on one line together: "5+9.975", the compound ones last and marked: "5+9.975c"."""
    parts = sorted((tax.compound, tax.rate or _ZERO) for tax in taxes)
    return "+".join(rate_text(rate) + ("c" if compound else "") for compound, rate in parts)


def on_net(taxes: Sequence[Tax]) -> tuple[Decimal, ...]:
    """The rates as what they are of the net amount: 5 and 9.975 compound are 5 and 10.47375."""
    if len(taxes) == 1:
        return (taxes[0].rate or _ZERO,)
    found: list[Decimal] = []
    for tax in sorted(taxes, key=lambda one: one.compound):
        base = _HUNDRED + (sum(found, _ZERO) if tax.compound else _ZERO)
        found.append((tax.rate or _ZERO) * base / _HUNDRED)
    return tuple(found)


def of_net(net: Decimal, rates: Sequence[Decimal]) -> Decimal:
    """The tax on a net amount, not rounded."""
    return net * sum(rates, _ZERO) / _HUNDRED


def in_gross(gross: Decimal, rates: Sequence[Decimal]) -> Decimal:
    """The tax inside a gross amount, not rounded."""
    whole = sum(rates, _ZERO)
    return gross * whole / (_HUNDRED + whole)


def effective(charge: Charge, coin: Decimal) -> tuple[Tax, ...]:
    """The taxes that were really charged.

    A store may name a rate and charge nothing (an exempt buyer): its stated amount is taken as the truth, unless the
    line is so small that the rate comes to nothing as well. A rate of zero beside others says nothing.
    """
    if len(charge.taxes) == 1:
        return () if _waived(charge.taxes[0], charge, coin) else charge.taxes
    charged = [tax for tax in charge.taxes if not _waived(tax, charge, coin)]
    taxing = [tax for tax in charged if tax.rate != 0]
    return tuple(taxing or charged[:1])


def _waived(tax: Tax, charge: Charge, coin: Decimal) -> bool:
    stated = charge.tax if tax.amount is None or not charge.tax else tax.amount
    return stated == 0 and tax.rate is not None and abs(of_net(charge.net, (tax.rate,))) > coin


def shared_fairly(found: list[Charge], currency: str, *, included: bool) -> list[Charge]:
    """Give each charge the tax of its own base where the store reported the tax of many on one of them.

    Done only when it is beyond doubt: one rate, at least one charge whose tax contradicts it, and the rate on all of
    them comes to the tax of all of them. Anything else stays as stated, and has to prove itself later.
    """
    coin = minor_unit(currency)
    charged = [(charge, effective(charge, coin)) for charge in found]
    contradicting = [charge for charge, taxes in charged if _contradicts(charge, taxes, coin)]
    if not contradicting:
        return found
    rates = {on_net(taxes) for _, taxes in charged if taxes}
    if len(rates) != 1:
        return found
    rate = rates.pop()
    for roles in ({LineRole.GOODS}, {LineRole.GOODS, LineRole.SHIPPING, LineRole.FEE}):
        group = [charge for charge in found if charge.role in roles and charge.part(included=included) > 0]
        if len(group) > 1 and all(one in group for one in contradicting) and _fits(group, rate, coin, included):
            taxes = contradicting[0].taxes
            shared = _share(group, taxes, minor_digits(currency), included)
            return [shared.get(charge.key, charge) for charge in found]
    return found


def _contradicts(charge: Charge, taxes: Sequence[Tax], coin: Decimal) -> bool:
    if not taxes or any(tax.rate is None for tax in taxes):
        return False
    return abs(of_net(charge.net, on_net(taxes)) - charge.tax) > coin * len(taxes)


def _fits(group: Sequence[Charge], rate: Sequence[Decimal], coin: Decimal, included: bool) -> bool:
    stated = sum((charge.tax for charge in group), _ZERO)
    base = sum((charge.part(included=included) for charge in group), _ZERO)
    computed = in_gross(base, rate) if included else of_net(base, rate)
    return abs(computed - stated) <= coin * len(group)


def _share(group: Sequence[Charge], taxes: tuple[Tax, ...], digits: int, included: bool) -> dict[str, Charge]:
    whole = sum((charge.tax for charge in group), _ZERO)
    parts = allocate(whole, [charge.part(included=included) for charge in group], digits)
    return {charge.key: _with_tax(charge, tax, taxes, included) for charge, tax in zip(group, parts, strict=True)}


def _with_tax(charge: Charge, tax: Decimal, taxes: tuple[Tax, ...], included: bool) -> Charge:
    net = charge.gross - tax if included else charge.net
    own = tuple(replace(one, amount=None) for one in taxes)
    return replace(charge, net=net, tax=tax, gross=net + tax, taxes=own)
