"""Any refund of any sale becomes a credit document that the ERP adds up to what went back, or is held as unbalanced."""

from collections import Counter
from dataclasses import dataclass
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from tallystick.canonical import refunds
from tallystick.canonical.money import EXACT, amount, minor_unit, money, quantise
from tallystick.canonical.quantities import parse_quantity, quantity_text
from tallystick.contract.compile import Contract
from tallystick.contract.document import Hold, LineRole, RefundDocument
from tallystick.reasons import HoldReason
from tallystick.v1 import money_pb2, order_pb2, refund_pb2
from tests.strategies import STEADY, Sale, canonical, sales
from tests.unit.contract.written import contract

_PRODUCTS = {"goodwill": "GOODWILL", "kept": "KEPT"}


def _contracts() -> list[Contract]:
    found = []
    for basis in ("as_store", "included", "excluded"):
        for policy, decimals in (("split", 3), ("rounding_line", 3), ("precise", "unlimited")):
            for goodwill_tax in ("untaxed", "as_order"):
                arithmetic = {"unrepresentable_price": policy, "price_decimals": decimals}
                policies = {"restock_unknown": "no", "goodwill_tax": goodwill_tax}
                found.append(
                    contract(taxes={"basis": basis}, arithmetic=arithmetic, refunds=policies, products=_PRODUCTS)
                )
    return found


CONTRACTS = _contracts()


@dataclass(frozen=True)
class Back:
    """What of a sale goes back: a share of each of the first lines in hundredths, shipping, and money beyond."""

    shares: tuple[int, ...]
    shipping: bool
    #: In minor units; negative where something is kept.
    beyond: int


backs = st.builds(
    Back,
    shares=st.lists(st.sampled_from((0, 25, 50, 100, 100)), min_size=1, max_size=8).map(tuple),
    shipping=st.booleans(),
    beyond=st.sampled_from((0, 0, 0, 1, 700, -1, -5)),
)


def refund_of(order: order_pb2.Order, back: Back) -> refund_pb2.Refund:
    """The refund as a shop computes it: each amount its share, rounded; the parts make the total."""
    refund = refund_pb2.Refund(connection="shop", id="5", order_id=order.id, currency_code=order.currency_code)
    refund.refunded_at.FromSeconds(1_795_300_000)
    for line, share in zip(order.lines, back.shares, strict=False):
        if share and amount(line.amount.gross):
            pieces = parse_quantity(line.quantity.ordered) * share / 100
            refund.lines.add(
                line_id=line.id, kind=line.kind, sku=line.sku, title=line.title, quantity=quantity_text(pieces),
                amount=_share(line.amount, share, order), taxes=line.taxes, restock=refund_pb2.RESTOCK_UNKNOWN,
            )  # fmt: skip
    refund.shipping_lines.extend(order.shipping_lines if back.shipping else ())
    total = refunds.named(refund) + back.beyond * minor_unit(order.currency_code)
    refund.total.CopyFrom(money(order.currency_code, max(total, Decimal(0))))
    refunds.complete(refund, order)
    return refund


def _share(taxed: money_pb2.TaxedAmount, share: int, order: order_pb2.Order) -> money_pb2.TaxedAmount:
    """In the basis of the prices, as shops do."""
    currency, included = order.currency_code, order.tax_basis == money_pb2.TAX_BASIS_INCLUDED
    base, tax = (
        quantise(EXACT.divide(amount(value) * share, Decimal(100)), currency)
        for value in (taxed.gross if included else taxed.net, taxed.tax)
    )
    net = base - tax if included else base
    return money_pb2.TaxedAmount(net=money(currency, net), tax=money(currency, tax), gross=money(currency, net + tax))


def test_any_refund_balances_to_the_last_minor_unit_or_is_held() -> None:
    outcomes: Counter[str] = Counter()

    @STEADY
    @given(sale=sales(), back=backs, rules=st.sampled_from(CONTRACTS))
    def run(sale: Sale, back: Back, rules: Contract) -> None:
        refund = refund_of(canonical(sale), back)
        outcome = rules.refund(refund)
        if isinstance(outcome, Hold):
            assert outcome.reason is HoldReason.UNBALANCED
            outcomes["held"] += 1
            return
        proof = rules.balance(outcome)
        assert (proof.store_total, proof.difference) == (amount(refund.total), Decimal(0))
        assert all(line.gross >= 0 for line in outcome.lines if line.role is LineRole.GOODS)
        outcomes["goodwill"] += any(line.role is LineRole.GOODWILL for line in outcome.lines)
        outcomes["kept"] += any(line.role is LineRole.KEPT for line in outcome.lines)
        outcomes["credited"] += 1

    run()
    assert outcomes["credited"] > 9 * outcomes["held"], outcomes
    assert outcomes["goodwill"] > 5, outcomes
    assert outcomes["kept"] > 0, outcomes


@STEADY
@given(sale=sales(), back=backs, rules=st.sampled_from(CONTRACTS), missing=st.integers(1, 10_000))
def test_a_total_that_its_parts_do_not_make_is_held(sale: Sale, back: Back, rules: Contract, missing: int) -> None:
    """By more than rounding may ever explain."""
    refund = refund_of(canonical(sale), back)
    refund.total.units += missing + 50
    outcome = rules.refund(refund)
    assert isinstance(outcome, Hold)
    assert outcome.reason is HoldReason.UNBALANCED


@STEADY
@given(sale=sales(), rules=st.sampled_from(CONTRACTS))
def test_lines_of_a_refund_keep_the_keys_of_their_order(sale: Sale, rules: Contract) -> None:
    order = canonical(sale)
    refund = refund_of(order, Back((100, 100), shipping=True, beyond=0))
    outcome = rules.refund(refund)
    if isinstance(outcome, RefundDocument):
        assert {line.line_id for line in refund.lines} <= {line.key for line in outcome.lines}
