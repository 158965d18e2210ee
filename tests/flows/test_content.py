"""What odd orders hold, on their whole way: duties, lines typed by hand, buyers whom nobody names, copies."""

from simulators.shopify import Cart, Item
from simulators.woocommerce import Item as WooItem
from tests.flows.company import SHOPIFY, WOO, Company
from tests.unit.adapters.shopify.shops import MUG, TEA, VAT7, D

ENGRAVING = Item("Engraving", D("15.00"), 1, rates=VAT7, custom=True, requires_shipping=False)


async def test_import_duties_stand_on_a_line_and_an_account_of_their_own(company: Company) -> None:
    """FC-073: outside the tax base, and the document comes to what the buyer paid."""
    lamp = Item("Mug, from abroad", D("40.00"), 1, sku="MUG", rates=VAT7, duty=D("12.30"))
    order = company.shop.place_order(Cart([lamp], taxes_included=True))
    await company.deliver()
    document = await company.document(SHOPIFY, order.id)
    (duty,) = [line for line in document.lines if line.product == "DUTY"]
    assert (duty.quantity, duty.price_unit, set(duty.taxes)) == (D("1"), D("12.30"), set[str]())
    assert document.amount_total == D("52.30")


async def test_a_line_typed_by_hand_is_the_service_that_the_contract_names(company: Company) -> None:
    """FC-079: with its own words; what it is called in the shop is no product of Odoo."""
    order = company.shop.place_order(Cart([TEA, ENGRAVING], taxes_included=True))
    await company.deliver()
    document = await company.document(SHOPIFY, order.id)
    assert [line.product for line in document.lines] == ["TEA", "CUSTOM"]
    assert "Engraving" in document.lines[1].name


async def test_an_order_that_names_nobody_flows_under_the_anonymous_customer(company: Company) -> None:
    """FC-081: neither e-mail nor phone nor customer, in both shops; two strangers share a light reference."""
    nobody = {"email": "", "customer_id": None, "billing": None, "delivery": None}
    sold = [company.shop.place_order(Cart([MUG], **nobody)) for _ in range(2)]  # type: ignore[arg-type]
    bought = company.woo.place_order([WooItem("MUG")])
    await company.deliver()
    partners = [(await company.document(SHOPIFY, order.id)).partner for order in sold]
    assert {(one.name, one.email) for one in partners} == {("Online buyer", "")}
    assert len({one.id for one in partners}) == 1
    assert (await company.document(WOO, bought.id)).partner.name == "Online buyer"


async def test_a_copy_of_another_channels_order_is_only_observed(company: Company) -> None:
    """FC-066: somebody puts a Shopify order into the other shop, naming where it is from; one document, one origin."""
    sold = company.shop.place_order(Cart([TEA], currency="EUR"))
    copy = company.woo.place_order(
        [WooItem("MUG")], created_via="rest-api", meta={"tallystick_order": f"{SHOPIFY}/{sold.id}"}
    )
    await company.deliver()
    await company.document(SHOPIFY, sold.id)
    assert await company.not_eligible(WOO, copy.id) == "COPY"
    company.woo.set_status(copy.id, "completed")
    await company.deliver()
    assert await company.not_eligible(WOO, copy.id, revision=2) == "COPY"
    await company.quiet()
    assert company.documents(WOO, copy.id) == []
