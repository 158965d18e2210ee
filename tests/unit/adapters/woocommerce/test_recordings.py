"""Every order that a real shop ever showed us is read, and proves itself or is found with the right reason."""

import pytest

from adapters.woocommerce.settings import Dialect
from adapters.woocommerce.translate import reading
from tallystick.canonical import checks
from tallystick.canonical.digest import digest
from tallystick.canonical.money import amount
from tallystick.ports import Reading
from tallystick.reasons import HoldReason
from tests.unit.adapters.woocommerce import recorded

#: Samples that were cut or altered by their publishers, with what they lack.
_UNBALANCED_SAMPLES = {"order-963-coupon-fee-tax", "order-variation-attributes"}


def _read(order: dict[str, object]) -> Reading:
    return reading(order, "woocommerce", Dialect())


def _reasons(found: Reading) -> set[str]:
    assert found.order is not None
    return {finding.reason for finding in (*found.findings, *checks.findings(found.order))}


@pytest.mark.parametrize("run", recorded.RUNS)
def test_every_order_in_an_answer_of_the_api(run: str) -> None:
    seen = 0
    for call in recorded.exchanges(run):
        if not call.body.startswith((b"{", b"[")):
            continue
        for order in recorded.orders(call.json()):
            _expect_sound(call.name, order)
            seen += 1
    assert seen > 50


@pytest.mark.parametrize("run", recorded.RUNS)
def test_every_order_in_a_delivery(run: str) -> None:
    seen = 0
    for delivery in recorded.deliveries(run):
        if delivery.topic.startswith("order.") and b'"line_items"' in delivery.raw:
            order = recorded.Exchange(delivery.name, 200, {}, delivery.raw).json()
            _expect_sound(delivery.name, order)
            seen += 1
    assert seen > 50


def _expect_sound(name: str, order: dict[str, object]) -> None:
    assert _reasons(_read(order)) == set(), name


def test_every_sample() -> None:
    names = set()
    for name, order in recorded.samples():
        names.add(name)
        expected = {HoldReason.UNBALANCED} if name in _UNBALANCED_SAMPLES else set()
        assert _reasons(_read(order)) == expected, name
    assert len(names) >= 8


@pytest.mark.parametrize("run", recorded.RUNS)
@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param("090-", "091-", id="two decimals and six"),
        pytest.param("266-", "269-", id="yen, before and after the shop's decimals were changed"),
    ],
)
def test_two_forms_of_one_state_are_one_content(run: str, first: str, second: str) -> None:
    one, other = (_read(recorded.exchange(run, prefix).json()) for prefix in (first, second))
    assert one.order is not None
    assert other.order is not None
    assert digest(one.order) == digest(other.order)


def test_a_save_without_a_change_is_the_same_content() -> None:
    """The date moves, and `_links`, and nothing that counts."""
    before = _read(recorded.exchange("excl-tax", "114-").json())
    after = _read(recorded.exchange("excl-tax", "115-").json())
    assert before.order is not None
    assert after.order is not None
    assert before.source_modified != after.source_modified
    assert digest(before.order) == digest(after.order)


def test_fractions_of_yen_are_brought_to_whole_yen() -> None:
    """FC-033: 333 and 23.31 tax were shown as 356.31; 333, 23 and 356 are booked, and add up."""
    found = _read(recorded.exchange("excl-tax", "268-").json()).order
    assert found is not None
    assert [str(amount(part)) for part in (found.totals.net, found.totals.tax, found.totals.total)] == [
        "333", "23", "356"
    ]  # fmt: skip


def test_tax_rounded_at_the_subtotal() -> None:
    """FC-015, FC-128: the order states 0.35, its lines show 0.12 each; the order's tax is the truth."""
    found = _read(recorded.exchange("excl-tax", "274-").json()).order
    assert found is not None
    assert amount(found.totals.tax) + amount(found.totals.net) == amount(found.totals.total)
    assert str(amount(found.totals.tax)) == "0.35"
    assert str(sum(amount(line.amount.tax) for line in found.lines)) == "0.36"


# ---- refunds -------------------------------------------------------------------------------------------------------


def _refunds(run: str) -> dict[str, Reading]:
    """Those of the order on which everything was tried."""
    order, listed = (recorded.exchange(run, prefix).json() for prefix in ("147-", "144-"))
    return {found.object_id: found for found in reading(order, "woocommerce", Dialect(), listed).parts}


@pytest.mark.parametrize("run", recorded.RUNS)
def test_what_a_real_shop_gave_back(run: str) -> None:
    """FC-089: of nine, the one of 0.00 is no refund."""
    found = {name: part.refund for name, part in _refunds(run).items()}
    assert set(found) == {"27", "30", "31", "32", "33", "34", "35", "36"}
    shown = {
        name: (str(amount(r.total)), str(amount(r.adjustment.gross)), [line.line_id for line in r.lines])
        for name, r in found.items()
        if r is not None
    }
    assert shown == {
        "27": ("0", "0", []),
        # FC-085: goodwill, and a line that the shop did not know.
        "30": ("1.00", "1.00", []),
        "36": ("0.10", "0.10", []),
        "31": ("21.78", "0", ["6"]),
        "32": ("10.30", "0", ["7"]),
        # The amount wins over the lines.
        "33": ("2.00", "0.35", ["5"]),
        "34": ("1.10", "0", []),
        "35": ("1.00", "0", ["5"]),
    }


@pytest.mark.parametrize("run", recorded.RUNS)
def test_what_is_held_of_it(run: str) -> None:
    """FC-123: the amount that was never given. Besides, fifty pieces of a line of one went back into stock."""
    held = {name: [finding.detail for finding in part.findings] for name, part in _refunds(run).items()}
    assert {name for name, details in held.items() if details} == {"27", "35"}
    assert "refund 27 states no amount" in held["27"][0]
    assert "names 50 pieces of line 5, 49 more than were left of it" in held["35"][0]


@pytest.mark.parametrize("run", recorded.RUNS)
def test_lines_and_shipping_name_those_of_the_order(run: str) -> None:
    returned, shipping = (_refunds(run)[name].refund for name in ("31", "34"))
    assert returned is not None
    assert shipping is not None
    (tee,), (post,) = returned.lines, shipping.shipping_lines
    assert (tee.sku, tee.quantity, tee.title) == ("TEE-L", "1", "Tee - L")
    assert [str(amount(part)) for part in (tee.amount.net, tee.amount.tax)] == ["19.80", "1.98"]
    assert [(tax.rate_percent, str(amount(tax.amount))) for tax in tee.taxes] == [("10", "1.98")]
    assert (post.id, post.code, str(amount(post.amount.gross))) == ("8", "flat_rate", "1.10")
