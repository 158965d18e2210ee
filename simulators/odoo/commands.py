"""What a client writes into a relation to many records: commands such as `[0, 0, values]` or `[6, 0, ids]`."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from .fields import Field

if TYPE_CHECKING:
    from .model import Model

CREATE, UPDATE, DELETE, UNLINK, LINK, CLEAR, SET = range(7)
Command = Sequence[Any]


def commands_of(value: Any) -> Sequence[Command]:
    """A written value as commands: nothing clears, plain ids replace."""
    if value is None or value is False:
        return [(CLEAR,)]
    if all(isinstance(one, int) for one in value):
        return [(SET, 0, value)] if value else []
    found: Sequence[Command] = value
    return found


def linked(model: "Model", field: Field, row_id: int, value: Any) -> tuple[int, ...]:
    """The ids of a many2many after the commands."""
    there = model.db.models[field.relation]
    found = list(model.table.rows[row_id].get(field.name) or ())
    for command in commands_of(value):
        match command[0]:
            case 0:
                found.append(there.create_one(command[2]))
            case 1:
                there.write_one(command[1], command[2])
            case 2 | 3:
                found = [other for other in found if other != command[1]]
            case 4:
                found.append(command[1])
            case 5:
                found = []
            case 6:
                found = list(command[2])
    return tuple(there.existing(dict.fromkeys(found)))


def hang(model: "Model", field: Field, row_id: int, command: Command) -> None:
    """One command of a one2many. A load puts the External ID of a new record in the place of its id."""
    there = model.db.models[field.relation]
    match command[0]:
        case 0:
            created = there.create_one({**command[2], field.inverse: row_id})
            if isinstance(command[1], str):
                model.db.external_ids.name_record(command[1], there.name, created)
        case 1:
            there.write([command[1]], command[2])
        case 2 | 3:
            there.unlink([command[1]])
        case 4:
            _move(there, field, row_id, [command[1]])
        case 5:
            there.unlink(list(there.table.matching(field.inverse, row_id)))
        case 6:
            kept = set(command[2])
            there.unlink([other for other in there.table.matching(field.inverse, row_id) if other not in kept])
            _move(there, field, row_id, command[2])


def _move(there: "Model", field: Field, row_id: int, ids: Sequence[int]) -> None:
    """Hang records here that hang elsewhere."""
    strangers = [other for other in ids if there.table.rows.get(other, {}).get(field.inverse) != row_id]
    there.write(strangers, {field.inverse: row_id})
