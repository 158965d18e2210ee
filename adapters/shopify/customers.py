"""Customers and companies read back, and found by their change."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Any

from adapters.shopify import buyer_documents as documents
from adapters.shopify.buyers import company_from_graphql, company_key, company_number, customer_from_graphql, gone
from adapters.shopify.client import ShopifyClient
from adapters.shopify.fields import Json, identifier, instant, objects, part, text
from adapters.shopify.searching import WALK_MAX, changed_between
from adapters.shopify.settings import ShopifySettings
from tallystick.errors import Unavailable, Unreadable
from tallystick.ports import NeedsRead, Reading, Window
from tallystick.v1 import event_pb2

#: What leads to companies that changed.
_SEARCHES = ((documents.CHANGED_COMPANIES, "companies"), (documents.CHANGED_LOCATIONS, "companyLocations"))
#: How often a company that changes while its locations are read is begun anew.
TORN_READS = 3


class CustomersOfShopify:
    """The `CustomerSource` half of the adapter."""

    def __init__(self, connection: str, settings: ShopifySettings, client: ShopifyClient) -> None:
        self._connection = connection
        self._metafield = dict(zip(("namespace", "key"), settings.credit_limit_metafield.split("."), strict=True))
        self._client = client

    async def read(self, key: str) -> Reading:
        """A customer by number, a company by `company-` and its number."""
        company = company_number(key)
        if company is not None:
            return await self._company(company)
        data = await self._client.query(documents.READ_CUSTOMER, {"id": f"gid://shopify/Customer/{key}"})
        node = data.get("customer")
        return gone(key) if node is None else customer_from_graphql(self._connection, part(node))

    async def changed(self, window: Window) -> AsyncIterator[Sequence[Reading | NeedsRead]]:
        """Companies first, each with all its locations; then customers by the date of their last change."""
        seen: set[str] = set()
        for document, name in (
            (documents.CHANGED_COMPANIES, "companies"),
            (documents.CHANGED_LOCATIONS, "companyLocations"),
        ):
            async for nodes in self._pages(document, name, documents.COMPANIES, window.start, window.end):
                numbers = {identifier(part(node.get("company")).get("id") or node.get("id")) for node in nodes} - seen
                seen |= numbers
                for number in sorted(numbers):
                    yield [await self._found(number)]
        async for page in self._customers(window):
            yield page

    async def _customers(self, window: Window) -> AsyncIterator[Sequence[Reading | NeedsRead]]:
        start: datetime | None = window.start
        while start is not None:
            walked, begun, newest = 0, start, start
            start = None
            async for nodes in self._pages(
                documents.CHANGED_CUSTOMERS, "customers", documents.CUSTOMERS, begun, window.end
            ):
                yield [customer_from_graphql(self._connection, node) for node in nodes]
                walked += len(nodes)
                newest = max([newest, *(seen for node in nodes if (seen := instant(node.get("updatedAt"))))])
                if walked >= WALK_MAX and newest > begun:
                    start = newest
                    break

    async def _pages(
        self, document: str, name: str, first: int, start: datetime, end: datetime
    ) -> AsyncIterator[list[Json]]:
        variables: dict[str, Any] = {"query": changed_between(start, end), "first": first, "after": None}
        while True:
            page = part((await self._client.query(document, variables)).get(name))
            yield objects(page.get("nodes"))
            info = part(page.get("pageInfo"))
            if info.get("hasNextPage") is not True:
                return
            variables["after"] = text(info.get("endCursor"))

    # ---- companies

    async def _found(self, number: str) -> Reading | NeedsRead:
        """One that cannot be translated must not stop the walk."""
        try:
            return await self._company(number)
        except Unreadable as error:
            return NeedsRead(event_pb2.ENTITY_TYPE_CUSTOMER, company_key(number), str(error))

    async def _company(self, number: str) -> Reading:
        for _ in range(TORN_READS):
            node, locations = await self._pieces(number)
            if node is None:
                return gone(company_key(number))
            if locations is not None:
                return company_from_graphql(self._connection, node, locations)
        raise Unavailable("the company changed each time while its locations were read", 5.0)

    async def _pieces(self, number: str) -> tuple[Json | None, list[Json] | None]:
        """The company and all its locations; none of these when it changed in between."""
        variables: dict[str, Any] = {
            "id": f"gid://shopify/Company/{number}",
            "first": documents.LOCATIONS,
            "after": None,
            "catalogues": documents.CATALOGUES,
            **self._metafield,
        }
        first: Json | None = None
        locations: list[Json] = []
        while True:
            shown = (await self._client.query(documents.READ_COMPANY, variables)).get("company")
            if shown is None:
                return None, None
            node = part(shown)
            first = first or node
            if node.get("updatedAt") != first.get("updatedAt"):
                return first, None
            page = part(node.get("locations"))
            locations += objects(page.get("nodes"))
            if not part(page.get("pageInfo")).get("hasNextPage"):
                return first, locations
            variables["after"] = text(part(page["pageInfo"]).get("endCursor"))
