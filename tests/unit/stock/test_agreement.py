"""What contradicts itself between routes is refused before anything runs."""

from pathlib import Path
from typing import Any

import pytest

from tallystick.contract.compile import Contract
from tallystick.contract.load import ContractError, load_contract, parse_contract
from tallystick.errors import SetupError
from tallystick.settings import Route
from tallystick.stock.agreement import check
from tallystick.stock.ports import TakesStockAt

_TEXT = (Path(__file__).resolve().parents[3] / "contracts" / "shopify-odoo.yaml").read_text(encoding="utf-8")
_START, _END = _TEXT.index("stock:\n"), _TEXT.index("\n\n", _TEXT.index("stock:\n"))


class Erp:
    """Only as far as it is asked."""

    overlap_s = 0.0

    def __init__(self, takes: TakesStockAt = TakesStockAt.CONFIRM) -> None:
        self.takes_stock_at = takes

    def changed_stock(self, window: Any) -> Any:
        """Not asked."""

    async def read_stock(self, skus: Any) -> Any:
        """Not asked."""


def contract(stock: str, confirm: bool = True) -> Contract:
    text = _TEXT[:_START] + stock + _TEXT[_END:]
    return parse_contract(text if confirm else text.replace("confirm: true", "confirm: false"), "contract.yaml")


def section(source: str) -> str:
    return f"stock:\n  locations: [{{warehouses: [{source}]}}]\n  reserve_from: {{otherwise: WH}}\n"


def routes(*stocks: Contract, flows: str = "live") -> dict[Route, Contract]:
    return {
        Route.model_validate(
            {
                "store": f"shop-{number}",
                "erp": "erp",
                "contract": "c.yaml",
                "since": "2026-01-01T00:00:00Z",
                "flows": {"stock": flows if number == 1 else "live"},
            }
        ): one
        for number, one in enumerate(stocks)
    }


@pytest.mark.parametrize(
    ("source", "fine"),
    [
        ("WH", False),
        ("{warehouse: WH, share: 60}", False),
        ("{warehouse: WH, share: 50}", True),
        ("{warehouse: WH, shared: true}", True),
    ],
)
def test_one_warehouse_behind_two_shops_is_split_or_knowingly_shared(source: str, fine: bool) -> None:
    """FC-095: anything else would sell the same pieces twice."""
    both = contract(section(source))
    if fine:
        check(routes(both, both), {"erp": Erp()})
    else:
        with pytest.raises(SetupError, match="sold twice"):
            check(routes(both, both), {"erp": Erp()})


def test_a_shop_that_only_sells_has_to_say_from_which_warehouse() -> None:
    silent = contract("stock: {}\n")
    with pytest.raises(SetupError, match=r"reserve_from"):
        check(routes(contract(section("WH")), silent, flows="off"), {"erp": Erp()})


@pytest.mark.parametrize("takes", [TakesStockAt.RESERVE, TakesStockAt.SHIP])
def test_a_step_that_is_not_ours_cannot_be_told_from_a_sale(takes: TakesStockAt) -> None:
    with pytest.raises(SetupError, match="not ours"):
        check(routes(contract(section("WH"))), {"erp": Erp(takes)})


def test_drafts_do_not_go_with_an_erp_that_takes_goods_at_the_confirmation() -> None:
    drafts = routes(contract(section("WH"), confirm=False))
    with pytest.raises(SetupError, match="drafts"):
        check(drafts, {"erp": Erp()})
    check(drafts, {"erp": Erp(TakesStockAt.DRAFT)})


@pytest.mark.parametrize(
    ("stock", "words"),
    [
        (section("{warehouse: WH, share: 120}"), "less than or equal to 100"),
        ("stock:\n  locations: [{location: a, warehouses: [WH]}, {location: b, warehouses: [WH]}]\n"
         "  reserve_from: {otherwise: WH}\n", "sold twice"),
        ("stock:\n  locations: [{warehouses: [WH]}]\n", "reserve_from"),
        ("stock:\n  locations: [{warehouses: [WH]}]\n  reserve_from: {otherwise: EAST}\n", "behind no location"),
        ("stock:\n  locations: [{warehouses: [WH]}]\n  reserve_from: {otherwise: WH, by: shiping.city}\n", "shipping"),
    ],
)  # fmt: skip
def test_what_one_contract_says_twice(stock: str, words: str) -> None:
    """FC-095: refused with its line when the contract is loaded."""
    with pytest.raises(ContractError, match=words):
        contract(stock)


def test_the_example_contracts_agree() -> None:
    folder = Path(__file__).resolve().parents[3] / "contracts"
    both = [load_contract(folder / f"{name}-odoo.yaml") for name in ("shopify", "woocommerce")]
    check(routes(*both), {"erp": Erp()})
