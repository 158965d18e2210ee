"""The other side: what a target does with a request, whenever it arrives, and what it shows when it is asked.

Targets differ in two ways that matter. What a second *create* with our reference meets: a refusal (a unique key), a
fold into the document that is there (an upsert), or a second document (the reference can only be searched for, and the
search may lag). And whether an *update* compares marks in the same call or overwrites whatever is there.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from .search import Violation, Wrong


class Create(StrEnum):
    REFUSED = "create refused"
    FOLDED = "create folded"
    SEARCHABLE = "create searchable"


class Update(StrEnum):
    CONDITIONAL = "update conditional"
    UNCONDITIONAL = "update unconditional"


class Call(StrEnum):
    """One HTTP request, atomic at the target."""

    NONE = ""
    CREATE = "create"
    UPDATE = "update"
    CONFIRM = "confirm"
    REFUND = "refund"


class Answer(StrEnum):
    """What a worker holds in its hand: the outcome of a request, or of a probe."""

    NONE = ""
    DONE = "done"
    REFUSED = "refused"
    EXISTS = "refused, it is there already"
    NOT_SENT = "not applied"
    UNKNOWN = "no answer"
    THIS = "this"
    OLDER = "older"
    NEWER = "newer"
    ABSENT = "absent"
    NOT_SEEN_YET = "absent, but it may be hidden"


class Request(NamedTuple):
    call: Call
    revision: int
    awaited: bool
    """False once nobody listens: the sender crashed, lost its lease or timed out. It may land all the same."""


class Document(NamedTuple):
    revision: int
    """The mark: written by the same call that changes the content."""
    confirmed: bool
    searchable: bool


class Target(NamedTuple):
    documents: tuple[Document, ...] = ()
    refunds: tuple[bool, ...] = ()
    """One entry for each refund booked: whether a search finds it yet."""

    @property
    def hides_something(self) -> bool:
        return not all(self.refunds) or not all(document.searchable for document in self.documents)

    def all_searchable(self) -> "Target":
        shown = tuple(document._replace(searchable=True) for document in self.documents)
        return Target(shown, (True,) * len(self.refunds))


class Landed(NamedTuple):
    target: Target
    answer: Answer
    violation: Violation | None = None


@dataclass(frozen=True)
class TargetKind:
    create: Create
    update: Update
    load_unconfirms: bool = False
    """The first step undoes the second: a late load takes the confirmation away again."""
    refuses: frozenset[int] = frozenset()
    """Revisions whose content the target never takes."""

    def __str__(self) -> str:
        return f"{self.create}, {self.update}" + (", load un-confirms" if self.load_unconfirms else "")

    @property
    def finds_by_search_only(self) -> bool:
        return self.create is Create.SEARCHABLE

    @property
    def compares(self) -> bool:
        return self.update is Update.CONDITIONAL

    def land(self, target: Target, request: Request) -> Landed:
        """One request takes effect. Nothing here knows or cares who sent it, or when."""
        if request.call is Call.REFUND:
            return self._refund(target)
        if request.call is Call.CONFIRM:
            return self._confirm(target, request.revision)
        if request.revision in self.refuses:
            return Landed(target, Answer.REFUSED)
        if request.call is Call.CREATE and (not target.documents or self.finds_by_search_only):
            return self._add(target, request.revision)
        if request.call is Call.CREATE and self.create is Create.REFUSED:
            return Landed(target, Answer.EXISTS)
        return self._overwrite(target, request.revision)

    def _add(self, target: Target, revision: int) -> Landed:
        document = Document(revision, confirmed=False, searchable=not self.finds_by_search_only)
        documents = (*target.documents, document)
        twice = Violation(Wrong.DUPLICATE, "a second document for one order") if target.documents else None
        return Landed(target._replace(documents=documents), Answer.DONE, twice)

    def _overwrite(self, target: Target, revision: int) -> Landed:
        document = target.documents[0]
        if self.compares and document.revision > revision:
            return Landed(target, Answer.EXISTS)
        confirmed = document.confirmed and not self.load_unconfirms
        return Landed(target._replace(documents=(Document(revision, confirmed, document.searchable),)), Answer.DONE)

    def _confirm(self, target: Target, revision: int) -> Landed:
        """Carries no mark, so the target acts on whatever content is there."""
        document = target.documents[0]
        wrong = None
        if document.revision != revision and not document.confirmed:
            detail = f"the confirmation meant for r{revision} acts on r{document.revision}, which nobody has proved"
            wrong = Violation(Wrong.TOO_EARLY, detail)
        return Landed(target._replace(documents=(document._replace(confirmed=True),)), Answer.DONE, wrong)

    def _refund(self, target: Target) -> Landed:
        if not any(document.confirmed for document in target.documents):
            return Landed(target, Answer.DONE, Violation(Wrong.TOO_EARLY, "the refund is there before its order"))
        if target.refunds and self.create is Create.REFUSED:
            return Landed(target, Answer.EXISTS)
        if target.refunds and self.create is Create.FOLDED:
            return Landed(target, Answer.DONE)
        twice = Violation(Wrong.DUPLICATE, "one refund is booked twice") if target.refunds else None
        return Landed(target._replace(refunds=(*target.refunds, not self.finds_by_search_only)), Answer.DONE, twice)


KINDS = tuple(TargetKind(create, update) for create in Create for update in Update)
