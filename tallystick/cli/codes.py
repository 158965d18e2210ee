"""The exit codes of every command, in one place. `tallystick --help` prints this table."""

from enum import IntEnum


class Exit(IntEnum):
    """What a command tells the shell."""

    FINE = 0
    FAILED = 1
    USAGE = 2
    HELD = 3
    NOT_FOUND = 4
    INTERRUPTED = 130

    @property
    def words(self) -> str:
        """What it means, for people."""
        return _WORDS[self]


_WORDS = {
    Exit.FINE: "everything is fine",
    Exit.FAILED: "something is wrong, or could not be done; standard error says what",
    Exit.USAGE: "a wrong option, or a file, payload or configuration that cannot be used",
    Exit.HELD: "an order or a record is held or not eligible; the output says why",
    Exit.NOT_FOUND: "there is no such order, record, connection or operation",
    Exit.INTERRUPTED: "stopped by Ctrl-C",
}


def table() -> str:
    """All codes, one a line, for `--help`."""
    return "\n".join(f"- `{code.value}` {code.words}" for code in Exit)


class Stop(Exception):
    """A command ends here, with this code and these words."""

    def __init__(self, code: Exit, words: str) -> None:
        super().__init__(words)
        self.code = code
