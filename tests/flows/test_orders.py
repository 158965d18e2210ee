"""Orders on their whole way: from a signed webhook to a document in Odoo that holds what the buyer paid."""

from simulators.shopify import Cart
from simulators.shopify import Item as Goods
from simulators.woocommerce import Item
from tests.flows.company import SHOPIFY, WOO, Company, amounts, lines
from tests.unit.adapters.shopify.shops import MUG, TEA, VAT7, D

BUYER = {"first_name": "Erika", "last_name": "Beispiel", "email": "erika@shop.example", "country": "DE"}


async def test_a_woocommerce_order_from_its_webhook_to_its_confirmed_document(company: Company) -> None:
    order = company.woo.place_order([Item("MUG", 2), Item("BOOK")], billing=BUYER, shipping=D("5.00"))
    await company.deliver()
    document = await company.document(WOO, order.id)
    assert (document.client_order_ref, document.currency) == (str(order.id), "EUR")
    # 22.00 at 10 %, 10.70 at 7 %, shipping 5.00 at 10 %.
    assert amounts(document) == ["37.70", "3.45", "41.15"]
    assert document.amount_total == order.sums.total
    assert lines(document) == [("MUG", 2), ("BOOK", 1), ("SHIPPING", 1)]
    assert (document.partner.name, document.partner.email) == ("Erika Beispiel", "erika@shop.example")
    assert document.date_order.replace(microsecond=0, tzinfo=order.created.tzinfo) == order.created


async def test_a_shopify_order_from_its_webhook_to_its_confirmed_document(company: Company) -> None:
    """FC-034: booked in the shop's currency, tax inside the prices, shipping taxed like goods."""
    order = company.shop.place_order(
        Cart([MUG, TEA], shipping=D("50"), shipping_rates=VAT7, taxes_included=True, email="som@shop.example")
    )
    await company.deliver()
    document = await company.document(SHOPIFY, order.id)
    assert (document.client_order_ref, document.currency) == (f"#{order.number}", "THB")
    # 3 mugs at 19.99, 7 teas at 7.35, shipping 50.00.
    assert str(document.amount_total) == "161.42"
    assert [line.product for line in document.lines] == ["MUG", "TEA", "SHIPPING"]
    assert {taxes for line in document.lines for taxes in line.taxes} == {"tallystick_demo.tax_7_included"}


async def test_delivered_twice_and_polled_is_one_document(company: Company) -> None:
    """FC-003, FC-004, FC-115: four deliveries of one change and a poll, at the same moment."""
    bought = company.woo.place_order([Item("MUG")], billing=BUYER)
    sold = company.shop.place_order(Cart([TEA]))
    await company.deliver(times=2)
    await company.poll()
    await company.document(WOO, bought.id)
    await company.document(SHOPIFY, sold.id)
    await company.quiet()
    for connection, order_id in ((WOO, bought.id), (SHOPIFY, sold.id)):
        (document,) = company.documents(connection, order_id)
        created = [one for one in company.odoo.journal.of("created") if one.key == document.external_id]
        assert len(created) == 1


async def test_what_no_webhook_told_is_booked_by_the_poll(company: Company) -> None:
    """FC-099."""
    bought, sold = company.woo.place_order([Item("MUG", 3)]), company.shop.place_order(Cart([TEA]))
    company.lose()
    await company.poll()
    assert (await company.document(WOO, bought.id)).amount_total == bought.sums.total
    await company.document(SHOPIFY, sold.id)


async def test_a_guest_who_buys_three_times_is_one_customer(company: Company) -> None:
    """FC-011: one mailbox in three spellings makes one light customer and three orders."""
    spellings = ("gast@shop.example", "Gast@Shop.example", " GAST@SHOP.EXAMPLE ")
    orders = [company.woo.place_order([Item("MUG")], billing={**BUYER, "email": email}) for email in spellings]
    await company.deliver()
    partners = {(await company.document(WOO, order.id)).partner.id for order in orders}
    assert len(partners) == 1
    assert len([one for one in company.odoo.partners if one.email.lower().strip() == "gast@shop.example"]) == 1


async def test_a_payment_that_failed_makes_no_document_and_no_second_customer(company: Company) -> None:
    """FC-012: the first attempt fails, another order a minute later succeeds; then the first is paid after all."""
    buyer = {**BUYER, "email": "zweimal@shop.example"}
    failed = company.woo.place_order([Item("MUG")], status="failed", billing=buyer)
    paid = company.woo.place_order([Item("MUG")], billing=buyer)
    await company.deliver()
    document = await company.document(WOO, paid.id)
    assert await company.not_eligible(WOO, failed.id)
    assert company.documents(WOO, failed.id) == []
    company.woo.pay(failed.id)
    await company.deliver()
    again = await company.document(WOO, failed.id)
    assert again.partner.id == document.partner.id


async def test_drafts_ghosts_and_unpaid_orders_make_no_document(company: Company) -> None:
    """FC-120, FC-121, FC-080: but cash on delivery is booked unpaid, because the contract says so."""
    draft = company.woo.place_order([Item("MUG")], status="checkout-draft")
    pending = company.woo.place_order([Item("MUG")], status="pending")
    waiting = company.woo.place_order([Item("MUG")], status="on-hold", payment_method="bacs")
    cash = company.woo.place_order([Item("MUG")], payment_method="cod")
    trial = company.shop.place_order(Cart([TEA], test=True))
    await company.deliver()
    await company.document(WOO, cash.id)
    reasons = [await company.not_eligible(WOO, one.id) for one in (draft, pending, waiting)]
    reasons.append(await company.not_eligible(SHOPIFY, trial.id))
    assert reasons == ["DRAFT", "PENDING_PAYMENT", "UNPAID", "TEST_ORDER"]
    await company.quiet()
    assert [company.documents(WOO, one.id) for one in (draft, pending, waiting)] == [[], [], []]
    assert company.documents(SHOPIFY, trial.id) == []


async def test_two_lines_of_one_variant_and_a_product_that_is_gone(company: Company) -> None:
    """FC-075, FC-076: two lines stay two; a deleted product keeps its line as long as its SKU is stated."""
    order = company.shop.place_order(Cart([MUG, Goods("Mug, a gift", D("0.00"), 1, sku="MUG"), TEA]))
    company.shop.delete_product("TEA")
    await company.deliver()
    document = await company.document(SHOPIFY, order.id)
    assert lines(document) == [("MUG", 3), ("MUG", 1), ("TEA", 7)]


async def test_a_line_whose_product_is_gone_holds_the_order_and_is_never_left_out(company: Company) -> None:
    """FC-076: WooCommerce forgets the SKU together with the product."""
    order = company.woo.place_order([Item("MUG"), Item("BOOK")])
    order.lines[1].sku = None
    await company.deliver()
    assert (await company.held(WOO, order.id))[0] == "MAPPING"
    assert company.documents(WOO, order.id) == []
