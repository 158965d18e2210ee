"""`tallystick connections test`: what only the real server can prove."""

from collections.abc import Awaitable, Callable

from tallystick.errors import TallystickError, Unauthorised

from .names import MODULE
from .records import Records
from .settings import OdooSettings
from .transport import Transport
from .values import text
from .versions import NEWEST, OLDEST, major

Finding = tuple[str, bool, str]
#: Read at every order; writing shows at the first order only.
_MODELS = ("sale.order", "sale.order.line", "res.partner", "product.product", "account.tax", "product.pricelist")


class ConnectionCheck:
    """Tries one thing after the other; a thing that fails is a finding and does not stop the next."""

    def __init__(self, transport: Transport, records: Records, settings: OdooSettings) -> None:
        self._transport = transport
        self._records = records
        self._settings = settings

    async def run(self) -> list[Finding]:
        """All findings, in the order in which they are worth reading."""
        tried: list[tuple[str, Callable[[], Awaitable[Finding]]]] = [
            ("the server's version", self._version),
            ("the field of the mark", self._mark("sale.order", "mark_field", self._settings.mark_field)),
            (
                "the field of the mark on credit notes",
                self._mark("account.move", "credit_mark_field", self._settings.credit_mark_field),
            ),
            ("External IDs can be looked up", self._external_ids),
            *((f"{model} can be read", self._readable(model)) for model in _MODELS),
            ("journals that take payments", self._journals),
            ("the company", self._company),
        ]
        findings = []
        for name, attempt in tried:
            try:
                findings.append(await attempt())
            except TallystickError as error:
                findings.append((name, False, str(error)))
        return findings

    async def _version(self) -> Finding:
        version = major(await self._transport.version())
        fine = OLDEST <= version <= NEWEST
        return (f"the server is Odoo {version}", fine, "" if fine else f"use Odoo {OLDEST} to {NEWEST}")

    def _mark(self, model: str, setting: str, wanted: str) -> Callable[[], Awaitable[Finding]]:
        async def read() -> Finding:
            about = (await self._records.fields(model)).get(wanted)
            fine = about is not None and about.kind in ("char", "text")
            words = (
                "" if fine else f"it is not there or no text: leave `{setting}` out, or set it to a field of your own"
            )
            return (f"the field {wanted!r} of {model} takes our mark", fine, words)

        return read

    async def _external_ids(self) -> Finding:
        name = "External IDs can be looked up"
        try:
            await self._records.addresses(["connections-test"], MODULE)
        except Unauthorised as error:
            return (name, False, f'{error}; give the user "Access Rights" under Settings, Users, Administration')
        return (name, True, "")

    def _readable(self, model: str) -> Callable[[], Awaitable[Finding]]:
        async def read() -> Finding:
            await self._records.find(model, [], ("id",), limit=1)
            return (f"{model} can be read", True, "")

        return read

    async def _journals(self) -> Finding:
        """A contract's `payments` names some of them; which, it shows at the first payment."""
        rows = await self._records.find("account.journal", [["type", "in", ["bank", "cash", "credit"]]], ("name",))
        named = ", ".join(f"{row['id']}: {text(row['name'])}" for row in rows)
        words = (
            f"name them in `payments`: {named}" if rows else "make one of type bank or cash, if payments are to cross"
        )
        return ("journals that take payments", bool(rows), words)

    async def _company(self) -> Finding:
        """How the company rounds taxes: the contract's arithmetic has to say the same."""
        own = self._settings.company_id
        field = "tax_calculation_rounding_method"
        rows = await self._records.find("res.company", [["id", "=", own]] if own else [], ("name", field))
        if not rows:
            return ("the company", False, f"the user does not see the company {own}")
        told = ", ".join(f"{row['id']}: {text(row[field]) or 'unknown'}" for row in rows)
        return (f"the company rounds taxes {told}", True, "write it as `arithmetic.tax_rounding` into the contract")
