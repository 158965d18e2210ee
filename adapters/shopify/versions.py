"""Versions of the Admin API: one each quarter, each served for a year (Shopify, "API versioning")."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from tallystick.support import Support

_VERSION = re.compile(r"(\d{4})-(\d{2})")
#: The header in which a reply tells why a call will be given up; an address of the documentation.
_REASON = "x-shopify-api-deprecated-reason"
_REASON_MAX = 200


class Versions:
    """What the calendar and the replies tell about the version in use."""

    def __init__(self, wanted: str) -> None:
        self._wanted = wanted
        self._deprecated = ""
        #: The version that served the last reply; another one than asked for when that has expired.
        self.served = ""

    def told(self, headers: Mapping[str, str]) -> None:
        """Take over what a reply says."""
        self.served = headers.get("x-shopify-api-version", self.served)
        self._deprecated = headers.get(_REASON, self._deprecated)[:_REASON_MAX]

    @property
    def support(self) -> Support:
        """As known now."""
        return Support(self._wanted, _ends(self._wanted), self.served, self._deprecated)


def _ends(version: str) -> datetime | None:
    match = _VERSION.fullmatch(version)
    return datetime(int(match[1]) + 1, int(match[2]), 1, tzinfo=UTC) if match else None
