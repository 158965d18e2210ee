"""The GraphQL documents that are sent, one constant each, checked against the vendor's schema by a test.

Costs are counted by Shopify before anything runs: an object 1, a connection by its `first`; a request may ask for at
most 1000 points (Shopify, "API limits"). So pages of orders carry few lines each, longer orders are read on their own,
and every refund and every return has a request of its own.
"""

#: What a single read shows at once. More than these of a kind is refused rather than cut.
LINES = 25
DISCOUNTS = 50
SHIPPING_LINES = 10
REFUNDS = 100
RETURNS = 50
RETURN_LINES = 40
REFUND_LINES = 75
PAYMENTS = 100
#: With all that is told of each of them.
PAYMENTS_WHOLE = 50
#: What each order of a page shows.
PAGE_LINES = 5
PAGE_DISCOUNTS = 3
PAGE_SHIPPING_LINES = 1
#: Orders in a page of a list that shows only their dates.
LISTED = 100

_SHOP_MONEY = "{ shopMoney { amount } }"

_LINE = f"""
fragment LineFields on LineItem {{
  id name sku quantity currentQuantity isGiftCard requiresShipping
  product {{ id }}
  variant {{ id }}
  originalUnitPriceSet {_SHOP_MONEY}
  customAttributes {{ key value }}
  discountAllocations {{ allocatedAmountSet {_SHOP_MONEY} discountApplication {{ index }} }}
  taxLines {{ title rate priceSet {_SHOP_MONEY} }}
}}
"""

_ADDRESS = """
fragment AddressFields on MailingAddress {
  name firstName lastName company address1 address2 city province provinceCode countryCodeV2 zip phone
}
"""

_ORDER = f"""
fragment OrderFields on Order {{
  id name createdAt processedAt updatedAt cancelledAt cancelReason test
  displayFinancialStatus sourceName sourceIdentifier confirmationNumber
  currencyCode presentmentCurrencyCode taxesIncluded taxExempt dutiesIncluded
  email phone poNumber note tags customerLocale paymentGatewayNames
  customAttributes {{ key value }}
  paymentTerms {{ paymentTermsName }}
  customer {{ id firstName lastName defaultEmailAddress {{ emailAddress }} }}
  purchasingEntity {{
    ... on PurchasingCompany {{ company {{ id name externalId }} location {{ id name externalId }} }}
  }}
  billingAddress {{ ...AddressFields }}
  shippingAddress {{ ...AddressFields }}
  totalPriceSet {{ shopMoney {{ amount }} presentmentMoney {{ amount currencyCode }} }}
  totalTaxSet {_SHOP_MONEY}
  originalTotalDutiesSet {_SHOP_MONEY}
  originalTotalAdditionalFeesSet {_SHOP_MONEY}
  currentTotalPriceSet {_SHOP_MONEY}
  currentTotalTaxSet {_SHOP_MONEY}
  currentTotalDutiesSet {_SHOP_MONEY}
  currentTotalAdditionalFeesSet {_SHOP_MONEY}
  totalTipReceivedSet {_SHOP_MONEY}
  totalCashRoundingAdjustment {{ paymentSet {_SHOP_MONEY} }}
  lineItems(first: $lines) {{ nodes {{ ...LineFields }} pageInfo {{ hasNextPage endCursor }} }}
  shippingLines(first: $shipping, includeRemovals: true) {{
    nodes {{
      id title code isRemoved
      originalPriceSet {_SHOP_MONEY}
      discountAllocations {{ allocatedAmountSet {_SHOP_MONEY} discountApplication {{ index }} }}
      taxLines {{ title rate priceSet {_SHOP_MONEY} }}
    }}
    pageInfo {{ hasNextPage }}
  }}
  discountApplications(first: $discounts) {{
    nodes {{
      index
      ... on DiscountCodeApplication {{ code }}
      ... on AutomaticDiscountApplication {{ title }}
      ... on ManualDiscountApplication {{ title }}
      ... on ScriptDiscountApplication {{ title }}
    }}
    pageInfo {{ hasNextPage }}
  }}
  refunds(first: $refunds) {{ id }}
  returns(first: $returns) {{ nodes {{ id }} pageInfo {{ hasNextPage }} }}
}}
"""

_MONEY = f"""
fragment MoneyFields on Order {{
  transactions(first: $payments) {{
    id kind status gateway paymentId createdAt processedAt
    amountSet {_SHOP_MONEY}
    parentTransaction {{ id }}
  }}
  risk {{ recommendation }}
}}
"""

_WHOLE = _ORDER + _LINE + _ADDRESS

#: One order with its first lines; null when it is not there.
READ_ORDER = (
    """query ReadOrder($id: ID!, $lines: Int!, $shipping: Int!, $discounts: Int!, $refunds: Int!, $returns: Int!) {
  order(id: $id) { ...OrderFields }
}
"""
    + _WHOLE
)

#: The same with what no webhook body shows: its payments one by one, and the risk of fraud.
READ_WITH_MONEY = (
    """query ReadOrderWithMoney(
  $id: ID!, $lines: Int!, $shipping: Int!, $discounts: Int!, $refunds: Int!, $returns: Int!, $payments: Int!
) {
  order(id: $id) { ...OrderFields ...MoneyFields }
}
"""
    + _WHOLE
    + _MONEY
)

#: Orders that changed, the earliest change first.
CHANGED_ORDERS = (
    """query ChangedOrders(
  $query: String!, $first: Int!, $after: String, $lines: Int!, $shipping: Int!, $discounts: Int!, $refunds: Int!,
  $returns: Int!
) {
  orders(first: $first, after: $after, sortKey: UPDATED_AT, query: $query) {
    nodes { ...OrderFields }
    pageInfo { hasNextPage endCursor }
  }
}
"""
    + _WHOLE
)

#: Which orders changed and when, in the same order. A hundredth of the points of their content.
LIST_ORDERS = """query ListOrders($query: String!, $first: Int!, $after: String) {
  orders(first: $first, after: $after, sortKey: UPDATED_AT, query: $query) {
    nodes { id updatedAt }
    pageInfo { hasNextPage endCursor }
  }
}
"""

#: Several orders by their ids, as a page of changed ones shows them; null in the place of one that is not there.
READ_ORDERS = (
    """query ReadOrders(
  $ids: [ID!]!, $lines: Int!, $shipping: Int!, $discounts: Int!, $refunds: Int!, $returns: Int!
) {
  nodes(ids: $ids) { ... on Order { ...OrderFields } }
}
"""
    + _WHOLE
)

#: How many there are. `limit` null: without it Shopify stops to count at 10,000.
COUNT_ORDERS = """query CountOrders($query: String!, $limit: Int) {
  ordersCount(query: $query, limit: $limit) { count precision }
}
"""

#: The lines after the first page of them. `updatedAt` tells whether the order changed between the pages.
ORDER_LINES = (
    """query OrderLines($id: ID!, $first: Int!, $after: String!) {
  order(id: $id) {
    updatedAt
    lineItems(first: $first, after: $after) { nodes { ...LineFields } pageInfo { hasNextPage endCursor } }
  }
}
"""
    + _LINE
)

#: One refund, whole.
READ_REFUND = f"""query ReadRefund($id: ID!, $lines: Int!, $after: String) {{
  refund(id: $id) {{
    id createdAt processedAt note
    return {{ id }}
    duties {{ amountSet {_SHOP_MONEY} }}
    refundLineItems(first: $lines, after: $after) {{
      nodes {{ quantity restockType lineItem {{ id }} subtotalSet {_SHOP_MONEY} totalTaxSet {_SHOP_MONEY} }}
      pageInfo {{ hasNextPage endCursor }}
    }}
    refundShippingLines(first: 10) {{
      nodes {{ id subtotalAmountSet {_SHOP_MONEY} taxAmountSet {_SHOP_MONEY} }}
      pageInfo {{ hasNextPage }}
    }}
    orderAdjustments(first: 10) {{ nodes {{ id amountSet {_SHOP_MONEY} }} pageInfo {{ hasNextPage }} }}
    transactions(first: 20) {{ nodes {{ kind status gateway amountSet {_SHOP_MONEY} }} pageInfo {{ hasNextPage }} }}
  }}
}}
"""

#: One return, whole: what comes back of which shipment, and what became of it.
READ_RETURN = """query ReadReturn($id: ID!, $lines: Int!, $after: String) {
  return(id: $id) {
    id name status createdAt
    returnLineItems(first: $lines, after: $after) {
      nodes {
        id quantity processedQuantity
        returnReasonDefinition { handle }
        ... on ReturnLineItem { fulfillmentLineItem { id lineItem { id } } }
      }
      pageInfo { hasNextPage endCursor }
    }
    reverseFulfillmentOrders(first: 3) {
      nodes {
        lineItems(first: 50) {
          nodes { fulfillmentLineItem { id } dispositions { type quantity location { id } } }
          pageInfo { hasNextPage }
        }
      }
      pageInfo { hasNextPage }
    }
    refunds(first: 20) { nodes { id } pageInfo { hasNextPage } }
  }
}
"""

#: The payments of one order, for orders that were paid by gift card and something else.
READ_PAYMENTS = f"""query ReadPayments($id: ID!, $first: Int!) {{
  order(id: $id) {{ transactions(first: $first) {{ kind status gateway amountSet {_SHOP_MONEY} }} }}
}}
"""

READ_SHOP = """query ReadShop {
  shop { id myshopifyDomain currencyCode }
  currentAppInstallation { accessScopes { handle } }
}
"""

ALL = (
    READ_ORDER,
    READ_WITH_MONEY,
    CHANGED_ORDERS,
    LIST_ORDERS,
    READ_ORDERS,
    COUNT_ORDERS,
    ORDER_LINES,
    READ_REFUND,
    READ_RETURN,
    READ_PAYMENTS,
    READ_SHOP,
)
