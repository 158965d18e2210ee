"""SQL is a file: each statement stands in `sql/*.sql` under a line `-- name: <name>`, with its description over it."""

import re
from functools import cache
from importlib.resources import files

_NAME = re.compile(r"^-- name: (\w+)$", re.MULTILINE)


@cache
def queries(file: str) -> dict[str, str]:
    """The named statements of `sql/<file>.sql`."""
    text = (files(__package__) / "sql" / f"{file}.sql").read_text(encoding="utf-8")
    parts = _NAME.split(text)
    return dict(zip(parts[1::2], (body.strip() for body in parts[2::2]), strict=True))
