"""What an administrator of the Odoo sets."""

from dataclasses import dataclass


@dataclass(slots=True)
class OdooSettings:
    """May be changed while the server runs, except `version`, `currency`, `rounding` and what names the database."""

    #: "16.0" or "19.0".
    version: str = "19.0"
    database: str = "demo"
    uuid: str = "6a1f0b4e-2c57-4f0e-9b43-0d6f1c8e7a21"
    company: str = "Tallystick Demo"
    currency: str = "EUR"
    country: str = "DE"
    login: str = "tallystick"
    #: An API key; it is accepted in the password's place.
    key: str = "4f1c0de5a7b98e23d6c410f7a9b8e6d5c3f21a07"
    #: `round_per_line` or `round_globally`; "" is the default: per line in 16, globally in 19.
    rounding: str = ""
    #: The user's zone: a load reads moments in it unless the context names another.
    zone: str = "Europe/Brussels"
    #: "Lock Confirmed Sales".
    lock_confirmed: bool = False
    #: Seconds that every call takes before it is applied.
    latency_s: float = 0.0
    #: Calls that overlap in time see each other as on Postgres under repeatable read: a load whose record was changed
    #: since it arrived fails as not serializable, any other call is run again by the server itself.
    contention: bool = False
    #: Whether a proxy stands before it: an outage is then a 502 with a page, else a cut connection.
    behind_proxy: bool = False

    def __post_init__(self) -> None:
        if self.version not in ("16.0", "19.0"):
            raise ValueError(f"the double knows Odoo 16.0 and 19.0, not {self.version!r}")

    @property
    def major(self) -> int:
        """16 or 19."""
        return int(self.version.partition(".")[0])
