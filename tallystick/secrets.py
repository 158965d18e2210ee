"""Secrets come from mounted files or from the environment, never from the configuration text or the command line."""

import os
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, PrivateAttr, model_validator

from tallystick.errors import SetupError


class Secret(BaseModel):
    """`{file: /run/secrets/key}` or `{env: NAME}`. Its text never shows in a repr, a log or a dump."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    file: Path | None = None
    env: str | None = None
    _text: str | None = PrivateAttr(default=None)

    @model_validator(mode="after")
    def _one_of(self) -> Self:
        if (self.file is None) == (self.env is None):
            raise ValueError("a secret is given as {file: PATH} or as {env: NAME}, exactly one of the two")
        return self

    @classmethod
    def of(cls, text: str) -> "Secret":
        """A secret that this process made itself (demo and tests)."""
        secret = cls(env="-")
        secret._text = text
        return secret

    def reveal(self) -> str:
        """The secret text, read anew each time so that a rotated file takes effect. Raises `SetupError`."""
        text = self._text
        if text is not None:
            return text
        if self.file is not None:
            try:
                return self.file.read_text(encoding="utf-8").strip()
            except OSError as error:
                raise SetupError(f"the secret file {self.file} cannot be read: {error.strerror}") from error
        value = os.environ.get(self.env or "")
        if not value:
            raise SetupError(f"the environment variable {self.env} is not set; a connection takes its secret from it")
        return value
