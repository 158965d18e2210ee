"""One database of one company: its models, and the transaction that a call is."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .settings import OdooSettings
from .table import Undo

if TYPE_CHECKING:
    from .model import Model
    from .models.external_ids import ExternalIds


@dataclass(frozen=True, slots=True)
class Effect:
    """Something that the journal is to tell when the call commits; `gone` describes what was removed."""

    what: str
    model: str
    row_id: int
    gone: Any = None
    #: What the journal is to call it and to keep of it; empty: the record's own name, and its document.
    key: str = ""
    detail: Any = None


class Database:
    """What all models share. Calls come one after another; each commits or leaves nothing but used-up ids."""

    external_ids: "ExternalIds"
    #: Of the running call.
    context: Mapping[str, Any]
    now: datetime

    def __init__(self, settings: OdooSettings, clock: Callable[[], datetime], user: int) -> None:
        self.settings = settings
        self.version = settings.major
        #: Who calls.
        self.user = user
        self.models: dict[str, Model] = {}
        self.undo = Undo()
        #: What models have to do once at the end of a call.
        self.at_the_end: list[Callable[[], None]] = []
        self._effects: list[Effect] = []
        self._clock = clock
        self.begin({})

    def begin(self, context: Mapping[str, Any]) -> None:
        """Start a call: everything that it writes bears one moment."""
        self.context = context
        self.now = self._clock().astimezone(UTC).replace(tzinfo=None)

    def flush(self) -> None:
        """Work out what depends on what was written."""
        for work in self.at_the_end:
            work()

    def commit(self) -> list[Effect]:
        """Keep it all; what has happened, each once, and no change of what is new."""
        self.undo.steps.clear()
        effects, self._effects = (
            list({(one.what, one.model, one.row_id, one.key): one for one in self._effects}.values()),
            [],
        )
        return _condensed(effects)

    def roll_back(self) -> None:
        """Undo the whole call."""
        self.back_to((0, 0))

    def savepoint(self) -> tuple[int, int]:
        """A point to go back to inside the call."""
        return len(self.undo.steps), len(self._effects)

    def back_to(self, savepoint: tuple[int, int]) -> None:
        """Undo everything since the savepoint."""
        self.undo.back_to(savepoint[0])
        del self._effects[savepoint[1] :]

    def note(self, what: str, model: str, row_id: int, gone: Any = None, *, key: str = "", detail: Any = None) -> None:
        """Something happened that the journal is to tell when the call commits."""
        self._effects.append(Effect(what, model, row_id, gone, key, detail))


def _condensed(effects: list[Effect]) -> list[Effect]:
    new = {(effect.model, effect.row_id) for effect in effects if effect.what == "created"}
    return [effect for effect in effects if effect.what != "updated" or (effect.model, effect.row_id) not in new]
