"""What ERPs push of their stock becomes wishes for a fresh read, which the stock's reads take up; nothing else is taken
from it. The wishes are rows: they outlive us, and several of one SKU are one.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence

import structlog

from tallystick.errors import Unauthorised, Unavailable, Unreadable
from tallystick.intake.delivery import Dealt, Delivery, Outcome, Undecodable, Waits
from tallystick.ledger.pending import PendingReason
from tallystick.ledger.stock import Stocks
from tallystick.stock.ports import StockHook

log = structlog.get_logger(__name__)

_AGAIN_S = 30.0


class StockHints:
    """Deals with the deliveries of ERPs (`tallystick.intake.admission.Beside`)."""

    def __init__(self, hooks: Mapping[str, StockHook], stocks: Stocks) -> None:
        self._hooks = hooks
        self._stocks = stocks

    @property
    def connections(self) -> Collection[str]:
        """Whose deliveries it deals with."""
        return self._hooks.keys()

    async def deal(self, deliveries: Sequence[Delivery]) -> list[Outcome]:
        """What became of each. Raises one of `away.AWAY`: then all may be offered again."""
        told: dict[str, dict[int, Sequence[str]]] = defaultdict(dict)
        outcomes: list[Outcome] = [Dealt()] * len(deliveries)
        for at, delivery in enumerate(deliveries):
            try:
                told[delivery.connection][at] = self._hooks[delivery.connection].told(delivery.headers, delivery.raw)
            except Unreadable as error:
                outcomes[at] = Undecodable(str(error))
        for erp, by_place in told.items():
            outcome = await self._wish(erp, {word for words in by_place.values() for word in words})
            for at in by_place:
                outcomes[at] = outcome
        return outcomes

    async def _wish(self, erp: str, told: Collection[str]) -> Outcome:
        """All words of a batch by one look-up. What cannot be looked up now is offered again."""
        try:
            skus = await self._hooks[erp].skus_of(told)
        except (Unavailable, Unauthorised) as error:
            log.warning("what changed cannot be looked up", erp=erp, error=str(error))
            away = isinstance(error, Unavailable)
            return Waits(PendingReason.STORE_DOWN if away else PendingReason.UNAUTHORISED, "", _AGAIN_S)
        await self._stocks.wish(erp, skus)
        return Dealt() if skus else Dealt("not ours")
