"""The GraphQL documents about customers and companies, checked against the vendor's schema by a test.

A company shows 40 locations a request, below the 1000 points that one may ask for (Shopify, "API limits").
"""

CUSTOMERS = 50
COMPANIES = 100
LOCATIONS = 40
#: More than one catalogue is no tier that could be named.
CATALOGUES = 2

_CUSTOMER = """
fragment CustomerFields on Customer {
  id firstName lastName updatedAt
  defaultEmailAddress { emailAddress }
  defaultPhoneNumber { phoneNumber }
  defaultAddress {
    name firstName lastName company address1 address2 city province provinceCode countryCodeV2 zip phone
  }
}
"""

#: One customer; null when it is not there.
READ_CUSTOMER = "query ReadCustomer($id: ID!) { customer(id: $id) { ...CustomerFields } }" + _CUSTOMER

#: Customers that changed, the earliest change first.
CHANGED_CUSTOMERS = (
    """query ChangedCustomers($query: String!, $first: Int!, $after: String) {
  customers(first: $first, after: $after, sortKey: UPDATED_AT, query: $query) {
    nodes { ...CustomerFields }
    pageInfo { hasNextPage endCursor }
  }
}
"""
    + _CUSTOMER
)

#: One company with a page of its locations; null when it is not there.
READ_COMPANY = """query ReadCompany(
  $id: ID!, $first: Int!, $after: String, $catalogues: Int!, $namespace: String!, $key: String!
) {
  company(id: $id) {
    id name externalId updatedAt
    mainContact { customer { defaultEmailAddress { emailAddress } defaultPhoneNumber { phoneNumber } } }
    metafield(namespace: $namespace, key: $key) { value }
    locations(first: $first, after: $after) {
      nodes {
        id name externalId
        billingAddress { ...CompanyAddressFields }
        shippingAddress { ...CompanyAddressFields }
        buyerExperienceConfiguration { paymentTermsTemplate { name } }
        taxSettings { taxExempt taxRegistrationId }
        catalogs(first: $catalogues) { nodes { title } }
      }
      pageInfo { hasNextPage endCursor }
    }
  }
}

fragment CompanyAddressFields on CompanyAddress {
  recipient companyName address1 address2 city province zoneCode countryCode zip phone
}
"""

#: Companies that changed themselves. No order by date is offered.
CHANGED_COMPANIES = """query ChangedCompanies($query: String!, $first: Int!, $after: String) {
  companies(first: $first, after: $after, query: $query) {
    nodes { id }
    pageInfo { hasNextPage endCursor }
  }
}
"""

#: Locations that changed, each with its company, whose own date need not move.
CHANGED_LOCATIONS = """query ChangedLocations($query: String!, $first: Int!, $after: String) {
  companyLocations(first: $first, after: $after, query: $query) {
    nodes { company { id } }
    pageInfo { hasNextPage endCursor }
  }
}
"""

ALL = (READ_CUSTOMER, CHANGED_CUSTOMERS, READ_COMPANY, CHANGED_COMPANIES, CHANGED_LOCATIONS)
