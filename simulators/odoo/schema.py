"""The models that orders need, with the fields of Odoo 16 and 19 (card of Odoo, section 10; `fields_get` of both)."""

from collections.abc import Sequence
from decimal import Decimal
from typing import ClassVar

from .database import Database
from .external_ids import ExternalIds
from .fields import Field
from .lines import SaleOrderLines
from .model import Model, Values
from .partners import Partners
from .products import PricelistRules, Pricelists, Products
from .sale import CancelWizards, SaleOrders
from .table import Row

_ACTIVE = Field("active", "boolean", "Active", default=True)
_STATES = (("draft", "Quotation"), ("sent", "Quotation Sent"), ("sale", "Sales Order"), ("cancel", "Cancelled"))
_STATES_16 = (*_STATES[:3], ("done", "Locked"), _STATES[3])
_INVOICING = (
    ("upselling", "Upselling Opportunity"),
    ("invoiced", "Fully Invoiced"),
    ("to invoice", "To Invoice"),
    ("no", "Nothing to Invoice"),
)
_DELIVERY = (("pending", "Not Delivered"), ("partial", "Partially Delivered"), ("full", "Fully Delivered"))
_DELIVERY_19 = (_DELIVERY[0], ("started", "Started"), *_DELIVERY[1:])
_POLICIES = (("direct", "As soon as possible"), ("one", "When all products are ready"))
_ONE = Decimal(1)

_SALE_ORDER = (
    Field("partner_id", "many2one", "Customer", "res.partner", required=True),
    Field("name", "char", "Order Reference", required=True, readonly=True, only=16),
    Field("name", "char", "Order Reference", required=True, only=19),
    Field("state", "selection", "Status", readonly=True, selection=_STATES_16, default="draft", only=16),
    Field("state", "selection", "Status", readonly=True, selection=_STATES, default="draft", only=19),
    Field("locked", "boolean", "Locked", default=False, only=19),
    Field("partner_invoice_id", "many2one", "Invoice Address", "res.partner", required=True),
    Field("partner_shipping_id", "many2one", "Delivery Address", "res.partner", required=True),
    Field("client_order_ref", "char", "Customer Reference"),
    Field("origin", "char", "Source Document"),
    Field("reference", "char", "Payment Ref."),
    Field("date_order", "datetime", "Order Date", required=True),
    Field("commitment_date", "datetime", "Delivery Date"),
    Field("pricelist_id", "many2one", "Pricelist", "product.pricelist", required=True, only=16),
    Field("pricelist_id", "many2one", "Pricelist", "product.pricelist", only=19),
    Field("currency_id", "many2one", "Currency", "res.currency", readonly=True),
    Field("company_id", "many2one", "Company", "res.company", required=True, default=1),
    Field("warehouse_id", "many2one", "Warehouse", "stock.warehouse", required=True, default=1, only=16),
    Field("warehouse_id", "many2one", "Warehouse", "stock.warehouse", default=1, only=19),
    Field("carrier_id", "many2one", "Delivery Method", "delivery.carrier"),
    Field("payment_term_id", "many2one", "Payment Terms", "account.payment.term"),
    Field("user_id", "many2one", "Salesperson", "res.users", default=2),
    Field("team_id", "many2one", "Sales Team", "crm.team"),
    Field("note", "html", "Terms and conditions"),
    Field("order_line", "one2many", "Order Lines", "sale.order.line", "order_id"),
    Field("picking_ids", "one2many", "Transfers", "stock.picking", "sale_id"),
    Field(
        "picking_policy",
        "selection",
        "Shipping Policy",
        required=True,
        readonly=True,
        selection=_POLICIES,
        default="direct",
        only=16,
    ),
    Field(
        "picking_policy", "selection", "Shipping Policy", required=True, selection=_POLICIES, default="direct", only=19
    ),
    Field("amount_untaxed", "monetary", "Untaxed Amount", readonly=True),
    Field("amount_tax", "monetary", "Taxes", readonly=True),
    Field("amount_total", "monetary", "Total", readonly=True),
    Field("invoice_status", "selection", "Invoice Status", readonly=True, selection=_INVOICING, computed=True),
    Field(
        "delivery_status", "selection", "Delivery Status", readonly=True, selection=_DELIVERY, computed=True, only=16
    ),
    Field(
        "delivery_status", "selection", "Delivery Status", readonly=True, selection=_DELIVERY_19, computed=True, only=19
    ),
)
_LINE = (
    Field("order_id", "many2one", "Order Reference", "sale.order", required=True),
    Field("sequence", "integer", "Sequence", default=10),
    Field("name", "text", "Description", required=True),
    Field("product_id", "many2one", "Product", "product.product"),
    Field("product_uom_qty", "float", "Quantity", required=True, digits=2, default=_ONE),
    Field("product_uom", "many2one", "Unit of Measure", "uom.uom", only=16),
    Field("product_uom_id", "many2one", "Unit", "uom.uom", only=19),
    Field("price_unit", "float", "Unit Price", required=True, digits=2, default=Decimal(0), only=16),
    Field("price_unit", "float", "Unit Price", required=True, default=Decimal(0), only=19),
    Field("discount", "float", "Discount (%)", digits=2, default=Decimal(0)),
    Field("tax_id", "many2many", "Taxes", "account.tax", only=16),
    Field("tax_ids", "many2many", "Taxes", "account.tax", only=19),
    Field("price_subtotal", "monetary", "Subtotal", readonly=True),
    Field("price_tax", "float", "Total Tax", readonly=True),
    Field("price_total", "monetary", "Total", readonly=True),
    Field(
        "display_type",
        "selection",
        "Display Type",
        only=16,
        selection=(("line_section", "Section"), ("line_note", "Note")),
    ),
    Field(
        "display_type",
        "selection",
        "Display Type",
        only=19,
        selection=(("line_section", "Section"), ("line_subsection", "Subsection"), ("line_note", "Note")),
    ),
    Field("is_delivery", "boolean", "Is a Delivery", default=False),
    Field("is_downpayment", "boolean", "Is a down payment", default=False),
    Field("qty_delivered", "float", "Delivery Quantity", digits=2, default=Decimal(0)),
    Field("qty_invoiced", "float", "Invoiced Quantity", readonly=True, digits=2, default=Decimal(0)),
    Field("customer_lead", "float", "Lead Time", required=True, default=Decimal(0)),
    Field("currency_id", "many2one", "Currency", "res.currency", readonly=True, computed=True),
    Field("company_id", "many2one", "Company", "res.company", readonly=True, computed=True),
    Field("order_partner_id", "many2one", "Customer", "res.partner", readonly=True, computed=True),
    Field("state", "selection", "Order Status", readonly=True, selection=_STATES_16, computed=True, only=16),
    Field("state", "selection", "Order Status", readonly=True, selection=_STATES, computed=True, only=19),
)
_ADDRESSES = (("contact", "Contact"), ("invoice", "Invoice"), ("delivery", "Delivery"), ("other", "Other"))
_ADDRESSES_16 = (
    ("contact", "Contact"),
    ("invoice", "Invoice Address"),
    ("delivery", "Delivery Address"),
    ("private", "Private Address"),
    ("other", "Other Address"),
)
_AUTOPOST = (("always", "Always"), ("ask", "Ask after 3 validations without edits"), ("never", "Never"))
_PARTNER = (
    Field("name", "char", "Name"),
    Field("is_company", "boolean", "Is a Company", default=False),
    Field("ref", "char", "Reference"),
    Field("email", "char", "Email"),
    Field("phone", "char", "Phone"),
    Field("mobile", "char", "Mobile", only=16),
    Field("vat", "char", "Tax ID"),
    Field("street", "char", "Street"),
    Field("street2", "char", "Street2"),
    Field("city", "char", "City"),
    Field("zip", "char", "Zip"),
    Field("state_id", "many2one", "State", "res.country.state"),
    Field("country_id", "many2one", "Country", "res.country"),
    Field("lang", "selection", "Language", selection=(("en_US", "English (US)"),), default="en_US"),
    Field("parent_id", "many2one", "Related Company", "res.partner"),
    Field("child_ids", "one2many", "Contact", "res.partner", "parent_id"),
    Field("commercial_partner_id", "many2one", "Commercial Entity", "res.partner", readonly=True, computed=True),
    Field("type", "selection", "Address Type", selection=_ADDRESSES_16, default="contact", only=16),
    Field("type", "selection", "Address Type", selection=_ADDRESSES, default="contact", only=19),
    Field("company_name", "char", "Company Name"),
    Field("company_id", "many2one", "Company", "res.company"),
    Field("user_id", "many2one", "Salesperson", "res.users"),
    Field("function", "char", "Job Position"),
    Field("website", "char", "Website Link"),
    Field("comment", "html", "Notes"),
    Field("customer_rank", "integer", "Customer Rank", default=0),
    Field("credit_limit", "float", "Credit Limit", store=False, only=16),
    Field("credit_limit", "float", "Credit Limit", only=19),
    Field("use_partner_credit_limit", "boolean", "Partner Limit", store=False),
    Field(
        "property_payment_term_id", "many2one", "Customer Payment Terms", "account.payment.term", store=False, only=16
    ),
    Field("property_payment_term_id", "many2one", "Customer Payment Terms", "account.payment.term", only=19),
    Field("property_product_pricelist", "many2one", "Pricelist", "product.pricelist", store=False),
    Field("autopost_bills", "selection", "Auto-post bills", required=True, selection=_AUTOPOST, default="ask", only=19),
    _ACTIVE,
)
_TYPES_16 = (("consu", "Consumable"), ("service", "Service"), ("product", "Storable Product"))
_TYPES = (("consu", "Goods"), ("service", "Service"), ("combo", "Combo"))
_PRODUCT = (
    Field("name", "char", "Name", required=True, store=False),
    Field("default_code", "char", "Internal Reference"),
    Field("barcode", "char", "Barcode"),
    Field("type", "selection", "Type", selection=_TYPES_16, store=False, default="consu", only=16),
    Field("type", "selection", "Product Type", required=True, selection=_TYPES, store=False, default="consu", only=19),
    Field("list_price", "float", "Sales Price", digits=2, store=False, default=_ONE, only=16),
    Field("list_price", "float", "Sales Price", store=False, default=_ONE, only=19),
    Field("lst_price", "float", "Sales Price", digits=2, store=False, computed=True, only=16),
    Field("lst_price", "float", "Sales Price", store=False, computed=True, only=19),
    Field("taxes_id", "many2many", "Customer Taxes", "account.tax", store=False, only=16),
    Field("taxes_id", "many2many", "Sales Taxes", "account.tax", store=False, only=19),
    Field("uom_id", "many2one", "Unit of Measure", "uom.uom", required=True, store=False, only=16),
    Field("uom_id", "many2one", "Unit", "uom.uom", required=True, store=False, only=19),
    Field("description_sale", "text", "Sales Description", store=False),
    Field("sale_ok", "boolean", "Can be Sold", store=False, default=True, only=16),
    Field("sale_ok", "boolean", "Sales", store=False, default=True, only=19),
    Field("currency_id", "many2one", "Currency", "res.currency", readonly=True, store=False, computed=True),
    _ACTIVE,
)
_KINDS_16 = (("percent", "Percentage of Price"),)
_KINDS = (("percent", "Percentage"),)
_USES = (("sale", "Sales"), ("purchase", "Purchases"), ("none", "None"))
_INCLUDED = (("tax_included", "Tax Included"), ("tax_excluded", "Tax Excluded"))
_TAX = (
    Field("name", "char", "Tax Name", required=True),
    Field("amount", "float", "Amount", required=True, digits=4, default=Decimal(0)),
    # The vendor has more ways to compute; the double knows percentages.
    Field(
        "amount_type", "selection", "Tax Computation", required=True, selection=_KINDS_16, default="percent", only=16
    ),
    Field("amount_type", "selection", "Tax Computation", required=True, selection=_KINDS, default="percent", only=19),
    Field("price_include", "boolean", "Included in Price", default=False, only=16),
    Field("price_include", "boolean", "Price Include", readonly=True, store=False, computed=True, only=19),
    Field("price_include_override", "selection", "Included in Price", selection=_INCLUDED, only=19),
    Field("type_tax_use", "selection", "Tax Type", required=True, selection=_USES, default="sale"),
    Field("sequence", "integer", "Sequence", required=True, default=1),
    Field("company_id", "many2one", "Company", "res.company", required=True, readonly=True, default=1),
    _ACTIVE,
)
_CURRENCY = (
    Field("name", "char", "Currency", required=True),
    Field("full_name", "char", "Name"),
    Field("symbol", "char", "Symbol", required=True),
    Field("rounding", "float", "Rounding Factor"),
    Field("decimal_places", "integer", "Decimal Places", readonly=True),
    _ACTIVE,
)
_ROUNDING_16 = (("round_per_line", "Round per Line"), ("round_globally", "Round Globally"))
_ROUNDING = (("round_globally", "Round per Tax"), ("round_per_line", "Round per Line"))
_COMPANY = (
    Field("name", "char", "Company Name", required=True),
    Field("partner_id", "many2one", "Partner", "res.partner", required=True),
    Field("currency_id", "many2one", "Currency", "res.currency", required=True),
    Field("country_id", "many2one", "Country", "res.country", store=False),
    Field(
        "tax_calculation_rounding_method",
        "selection",
        "Tax Calculation Rounding Method",
        selection=_ROUNDING_16,
        default="round_per_line",
        only=16,
    ),
    Field(
        "tax_calculation_rounding_method",
        "selection",
        "Tax Calculation Rounding Method",
        selection=_ROUNDING,
        default="round_globally",
        only=19,
    ),
    Field("account_sale_tax_id", "many2one", "Default Sale Tax", "account.tax"),
    _ACTIVE,
)
_RULE_KINDS = (("fixed", "Fixed Price"), ("percentage", "Discount"))
_RULE = (
    Field("pricelist_id", "many2one", "Pricelist", "product.pricelist", required=True),
    Field("product_id", "many2one", "Product Variant", "product.product"),
    Field("compute_price", "selection", "Compute Price", selection=_RULE_KINDS, default="fixed"),
    Field("fixed_price", "float", "Fixed Price", default=Decimal(0)),
    Field("percent_price", "float", "Percentage Price", default=Decimal(0)),
    Field("min_quantity", "float", "Min. Quantity", digits=2, default=Decimal(0)),
    Field("date_start", "datetime", "Start Date"),
    Field("date_end", "datetime", "End Date"),
)
_PICKING_STATES = (
    ("draft", "Draft"),
    ("waiting", "Waiting Another Operation"),
    ("confirmed", "Waiting"),
    ("assigned", "Ready"),
    ("done", "Done"),
    ("cancel", "Cancelled"),
)
_PICKING = (
    Field("name", "char", "Reference", readonly=True),
    Field("state", "selection", "Status", readonly=True, selection=_PICKING_STATES, default="draft"),
    Field("origin", "char", "Source Document"),
    Field("sale_id", "many2one", "Sales Order", "sale.order"),
    Field("partner_id", "many2one", "Contact", "res.partner"),
    Field("carrier_id", "many2one", "Carrier", "delivery.carrier"),
    Field("carrier_tracking_ref", "char", "Tracking Reference"),
)
_EXTERNAL_ID = (
    Field("module", "char", "Module", required=True, default=""),
    Field("name", "char", "External Identifier", required=True),
    Field("model", "char", "Model Name", required=True),
    Field("res_id", "many2one_reference", "Record ID"),
    Field("complete_name", "char", "Complete ID", readonly=True, store=False, computed=True),
    Field("noupdate", "boolean", "Non Updatable", default=False),
)
_COUNTRY = (Field("name", "char", "Country Name", required=True), Field("code", "char", "Country Code", required=True))
_STATE = (
    Field("name", "char", "State Name", required=True),
    Field("code", "char", "State Code", required=True),
    Field("country_id", "many2one", "Country", "res.country", required=True),
)
_USER = (
    Field("name", "char", "Name", store=False),
    Field("login", "char", "Login", required=True),
    Field("tz", "char", "Timezone", store=False),
    Field("lang", "char", "Language", store=False),
    Field("company_id", "many2one", "Company", "res.company", required=True, default=1),
    _ACTIVE,
)
_PARAMETER = (Field("key", "char", "Key", required=True), Field("value", "text", "Value", required=True))
_WAREHOUSE = (
    Field("name", "char", "Warehouse", required=True),
    Field("code", "char", "Short Name", required=True),
    Field("company_id", "many2one", "Company", "res.company", required=True, readonly=True, default=1),
    _ACTIVE,
)
_PRICELIST = (
    Field("name", "char", "Pricelist Name", required=True),
    Field("currency_id", "many2one", "Currency", "res.currency", required=True),
    Field("company_id", "many2one", "Company", "res.company"),
    Field("item_ids", "one2many", "Pricelist Rules", "product.pricelist.item", "pricelist_id"),
    Field("sequence", "integer", "Sequence", default=16),
    _ACTIVE,
)
_WIZARD = (Field("order_id", "many2one", "Sale Order", "sale.order", required=True),)


class Taxes(Model):
    """account.tax. Whether a price contains it is said by another field since Odoo 18."""

    def changed(self, row_id: int, given: Values, *, new: bool) -> None:
        if self.db.version >= 17:
            row = self.table.rows[row_id]
            self.table.update(row_id, {"price_include": row.get("price_include_override") == "tax_included"})

    def compute(self, field: str, row: Row) -> object:
        return row["price_include"] if field == "price_include" else self.display_name(row["id"])


class Pickings(Model):
    """stock.picking: deliveries, numbered."""

    def fill(self, row: Row, given: Values) -> None:
        row["name"] = f"WH/OUT/{len(self.table.rows) + 1:05d}"


class Users(Model):
    """res.users: the one that calls."""

    on_model: ClassVar[frozenset[str]] = Model.on_model | {"context_get"}

    def context_get(self) -> dict[str, object]:
        """Language and zone of the caller."""
        row = self.table.rows[self.db.user]
        return {"lang": row["lang"], "tz": row["tz"], "uid": self.db.user}


class Parameters(Model):
    """ir.config_parameter: system parameters, such as `database.uuid`."""

    on_model: ClassVar[frozenset[str]] = Model.on_model | {"get_param"}
    rec_name: ClassVar[str] = "key"

    def get_param(self, key: str, default: object = False) -> object:
        """One value."""
        for row_id in self.table.matching("key", key):
            return self.table.rows[row_id]["value"]
        return default


_NAMED: Sequence[tuple[str, str, str]] = (
    ("account.payment.term", "Payment Terms", "Payment Terms"),
    ("crm.team", "Sales Team", "Sales Team"),
    ("delivery.carrier", "Shipping Methods", "Delivery Method"),
    ("uom.uom", "Product Unit of Measure", "Unit of Measure"),
)


def install(db: Database) -> None:
    """Make all models of a database."""
    add = _Installer(db)
    add(SaleOrders, "sale.order", "Sales Order", "date_order desc, id desc", _SALE_ORDER)
    add(SaleOrderLines, "sale.order.line", "Sales Order Line", "order_id, sequence, id", _LINE)
    add(Partners, "res.partner", "Contact", "display_name, id desc", _PARTNER)
    add(Products, "product.product", "Product Variant", "default_code, name, id", _PRODUCT)
    add(Taxes, "account.tax", "Tax", "sequence, id", _TAX)
    add(Pricelists, "product.pricelist", "Pricelist", "sequence, id", _PRICELIST)
    add(PricelistRules, "product.pricelist.item", "Pricelist Rule", "min_quantity desc, id desc", _RULE)
    add(Model, "res.currency", "Currency", "active desc, name", _CURRENCY)
    add(Model, "res.company", "Companies", "name", _COMPANY)
    add(Model, "res.country", "Country", "name", _COUNTRY)
    add(Model, "res.country.state", "Country state", "code", _STATE)
    add(Users, "res.users", "User", "name, login", _USER)
    add(ExternalIds, "ir.model.data", "Model Data", "module, model, name", _EXTERNAL_ID)
    add(Parameters, "ir.config_parameter", "System Parameter", "key", _PARAMETER)
    add(Model, "stock.warehouse", "Warehouse", "id", _WAREHOUSE)
    add(Pickings, "stock.picking", "Transfer", "id desc", _PICKING)
    for name, label, string in _NAMED:
        add(Model, name, label, "id", (Field("name", "char", string, required=True), _ACTIVE))
    if db.version < 17:
        add(CancelWizards, "sale.order.cancel", "Sales Order Cancel", "id", _WIZARD)
    db.external_ids = db.models["ir.model.data"]  # type: ignore[assignment]


class _Installer:
    def __init__(self, db: Database) -> None:
        self._db = db

    def __call__(self, kind: type[Model], name: str, label: str, order: str, fields: Sequence[Field]) -> None:
        self._db.models[name] = kind(self._db, name, label, order, fields)
