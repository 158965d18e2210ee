"""The plain ERP: documents with a reference and a mark, over HTTP, as safe or unsafe as a test wants it.

It writes many documents in one call, each by itself, and confirms them in a second call. What a second create of the
same reference meets, whether an update compares revisions, and how long a new document stays invisible to searches
are settings; faults and the journal are those of all doubles.
"""

import itertools
import time
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson
from aiohttp import web

from simulators.faults import FaultScript
from simulators.journal import Journal


class Create(StrEnum):
    """What a second create with the same reference meets."""

    REFUSED = "refused"
    FOLDED = "folded"
    #: Nothing: there are two documents then.
    SEARCHABLE = "searchable"


@dataclass(frozen=True, slots=True)
class Behaviour:
    """How safe this ERP is."""

    create: Create = Create.REFUSED
    #: An update with an older revision than the document's is refused in the same call.
    conditional: bool = False
    #: How long a new document is not found by its reference.
    search_lag_s: float = 0.0
    #: The content of a confirmed document is not changed any more; its mark is.
    locks: bool = False


@dataclass(slots=True)
class Document:
    """One document as it stands."""

    id: str
    kind: str
    ref: str
    mark: str
    revision: int
    content: Any
    visible_at_s: float
    confirmed: bool = False


Result = dict[str, Any]


@dataclass(slots=True)
class PlainErp:
    """The company's books. `refuses` and `busy` name references that are refused for good, or for now."""

    behaviour: Behaviour = Behaviour()
    faults: FaultScript = field(default_factory=FaultScript)
    journal: Journal = field(default_factory=Journal)
    documents: list[Document] = field(default_factory=list)
    refuses: set[str] = field(default_factory=set)
    busy: set[str] = field(default_factory=set)
    _by_id: dict[str, Document] = field(default_factory=dict)
    _by_ref: dict[tuple[str, str], list[Document]] = field(default_factory=dict)
    _ids: Iterable[int] = field(default_factory=lambda: itertools.count(1))

    # ---- what a call does ------------------------------------------------------------------------------------------

    def write(self, kind: str, item: Mapping[str, Any]) -> Result:
        """Create without an id, else update."""
        ref = item["ref"]
        if ref in self.busy or ref in self.refuses:
            status = "busy" if ref in self.busy else "refused"
            self.journal.note(status, ref, {"revision": item["revision"]})
            return {"ref": ref, "status": status}
        if item.get("id"):
            found = self._by_id.get(item["id"])
            return self._update(found, item) if found else {"ref": ref, "status": "gone"}
        same = self._by_ref.get((kind, ref), [])
        if not same or self.behaviour.create is Create.SEARCHABLE:
            return self._create(kind, item)
        if self.behaviour.create is Create.REFUSED:
            return {"ref": ref, "status": "exists"}
        return self._update(same[0], item)

    def _create(self, kind: str, item: Mapping[str, Any]) -> Result:
        visible_at_s = time.monotonic() + self.behaviour.search_lag_s
        number = str(next(iter(self._ids)))
        made = Document(number, kind, item["ref"], item["mark"], item["revision"], item["content"], visible_at_s)
        self.documents.append(made)
        self._by_id[number] = made
        self._by_ref.setdefault((kind, made.ref), []).append(made)
        self._note("created", made)
        return {"ref": made.ref, "status": "created", "id": number}

    def _update(self, document: Document, item: Mapping[str, Any]) -> Result:
        if self.behaviour.locks and document.confirmed and document.content != item["content"]:
            return {"ref": document.ref, "status": "locked", "id": document.id}
        if self.behaviour.conditional and document.revision > item["revision"]:
            return {"ref": document.ref, "status": "newer", "id": document.id}
        document.mark, document.revision, document.content = item["mark"], item["revision"], item["content"]
        self._note("updated", document)
        return {"ref": document.ref, "status": "updated", "id": document.id}

    def confirm(self, kind: str, item: Mapping[str, Any]) -> Result:
        """Confirm whatever content is there: the call carries no mark. Once more is harmless."""
        document = self._by_id.get(item["id"])
        if document is None:
            return {"ref": item["ref"], "status": "gone"}
        document.confirmed = True
        self._note("confirmed", document)
        return {"ref": document.ref, "status": "confirmed", "id": document.id}

    def find(self, kind: str, item: Mapping[str, Any]) -> Result:
        """By id at once; by reference once the search shows it."""
        if item.get("id"):
            document = self._by_id.get(item["id"])
        else:
            now_s = time.monotonic()
            same = self._by_ref.get((kind, item["ref"]), [])
            document = next((one for one in same if one.visible_at_s <= now_s), None)
        if document is None:
            return {"ref": item["ref"], "status": "absent"}
        return {
            "ref": document.ref,
            "status": "found",
            "id": document.id,
            "mark": document.mark,
            "content": document.content,
            "confirmed": document.confirmed,
        }

    def _note(self, what: str, document: Document) -> None:
        detail = {"id": document.id, "kind": document.kind, "revision": document.revision}
        self.journal.note(what, document.ref, detail)

    def of(self, kind: str) -> list[Document]:
        """All documents of one kind, in order of creation."""
        return [document for document in self.documents if document.kind == kind]

    # ---- over HTTP -------------------------------------------------------------------------------------------------

    def application(self) -> web.Application:
        """`POST /<kind>/<call>` with a list of items answers a list of results."""
        app = web.Application(client_max_size=64 * 1024 * 1024)
        app.router.add_get("/identity", self._identity)
        for name, call in (("write", self.write), ("confirm", self.confirm), ("find", self.find)):
            app.router.add_post(f"/{{kind}}/{name}", self._answered(name, call))
        return app

    async def _identity(self, _: web.Request) -> web.Response:
        return web.json_response({"company": "plain"})

    def _answered(
        self, name: str, call: Callable[[str, Mapping[str, Any]], Result]
    ) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        async def answer(request: web.Request) -> web.StreamResponse:
            kind, items = request.match_info["kind"], orjson.loads(await request.read())

            async def apply() -> web.Response:
                results = [call(kind, item) for item in items]
                return web.Response(body=orjson.dumps(results), content_type="application/json")

            return await self.faults.run(f"{kind}.{name}", request, apply)

        return answer
