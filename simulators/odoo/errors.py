"""What an Odoo refuses, in the exceptions and the words of its version (card of Odoo, section 12)."""

from typing import Any

USER_ERROR = "odoo.exceptions.UserError"
VALIDATION_ERROR = "odoo.exceptions.ValidationError"
ACCESS_ERROR = "odoo.exceptions.AccessError"
ACCESS_DENIED = "odoo.exceptions.AccessDenied"
MISSING_ERROR = "odoo.exceptions.MissingError"
VALUE_ERROR = "builtins.ValueError"
#: Those that a load reports with their own words; all others are "unknown errors" to it.
SPOKEN = frozenset({USER_ERROR, VALIDATION_ERROR, ACCESS_ERROR, MISSING_ERROR})


class OdooError(Exception):
    """An exception inside the server. `name` is the Python name that clients decide by."""

    def __init__(self, name: str, message: str, *, field: str = "", from_database: bool = False) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        #: The column that the database refused.
        self.field = field
        #: Raised by Postgres, not by Python.
        self.from_database = from_database

    def data(self, *arguments: Any) -> dict[str, Any]:
        """The error object of JSON answers."""
        last = self.message.strip().rpartition("\n")[2]
        return {
            "name": self.name,
            "message": self.message,
            "arguments": [self.message, *arguments],
            "context": {},
            "debug": f"Traceback (most recent call last): {last}",
        }


def user_error(message: str) -> OdooError:
    """A refusal by a rule of the business."""
    return OdooError(USER_ERROR, message)


def validation_error(message: str) -> OdooError:
    """A refusal by a constraint."""
    return OdooError(VALIDATION_ERROR, message)


def value_error(message: str) -> OdooError:
    """A value or a name that the framework cannot use."""
    return OdooError(VALUE_ERROR, message)


def access_denied() -> OdooError:
    """Wrong credentials in a call that carries them."""
    return OdooError(ACCESS_DENIED, "Access Denied")


def missing_record(model: str, row_id: int, user: int) -> OdooError:
    """The record was deleted, or never was."""
    return OdooError(
        MISSING_ERROR, f"Record does not exist or has been deleted.\n(Record: {model}({row_id},), User: {user})"
    )


def no_model(model: str) -> OdooError:
    """The model is of no installed module."""
    return user_error(f"Object {model} doesn't exist")


def private_method(version: int, model: str, method: str) -> OdooError:
    """Names with an underscore are not for clients."""
    shown = method if version < 17 else f"'{model}.{method}'"
    return OdooError(ACCESS_ERROR, f"Private methods (such as {shown}) cannot be called remotely.")


def no_method(version: int, model: str, method: str) -> OdooError:
    """The model has no such method."""
    if version < 17:
        message = f"The method '{method}' does not exist on the model '{model}'"
    else:
        message = f"The method '{model}.{method}' does not exist"
    return OdooError("builtins.AttributeError", message)


def no_field_written(version: int, model: str, field: str) -> OdooError:
    """A value for a field that this version does not have."""
    return value_error(f"Invalid field '{field}' {'on model' if version < 17 else 'in'} '{model}'")


def no_field_read(version: int, model: str, field: str) -> OdooError:
    """A field asked for that this version does not have."""
    return value_error(f"Invalid field '{field}' {'on model' if version < 17 else 'on'} '{model}'")


def no_field_loaded(version: int, field: str) -> OdooError:
    """A column of a load that this version does not have."""
    if version < 17:
        return OdooError("builtins.KeyError", repr(field))
    return value_error(f"Invalid field name {field!r}")


def no_field_searched(version: int, model: str, leaf: tuple[Any, ...]) -> OdooError:
    """A condition on a field that this version does not have."""
    return value_error(f"Invalid field {model}.{leaf[0]} in {'leaf' if version < 17 else 'condition'} {leaf!r}")


def missing_value(version: int, model: str, label: str, field: str, string: str) -> OdooError:
    """A required field without a value: the database's NOT NULL."""
    if version < 17:
        message = (
            "The operation cannot be completed:\n- Create/update: a mandatory field is not set.\n"
            "- Delete: another model requires the record being deleted. If possible, archive it instead.\n\n"
            f"Model: {label} ({model})\nField: {string} ({field})\n"
        )
    else:
        message = (
            f"The operation cannot be completed: Missing required value for the field '{string}' ({field}).\n"
            f"Model: '{label}' ({model})\n- create/update: a mandatory field is not set\n"
            "- delete: another model requires the record being deleted, you can archive it instead\n"
        )
    return OdooError(VALIDATION_ERROR, message, field=field, from_database=True)


def duplicate_external_id(module: str, name: str) -> OdooError:
    """The unique index on (module, name) of ir.model.data."""
    message = (
        "The operation cannot be completed: duplicate key value violates unique constraint "
        f'"ir_model_data_module_name_uniq_index"\nDETAIL:  Key (module, name)=({module}, {name}) already exists.\n'
    )
    return OdooError(VALIDATION_ERROR, message, from_database=True)
