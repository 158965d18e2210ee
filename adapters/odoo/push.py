"""What an Odoo pushes of its stock: the hook "stock changed", or a webhook of its own automation rules.

Those exist from 17 on and are unsigned: `{"_model": "stock.quant", "_id": 21, …}`, several of one change, none again
after a failure (card of Odoo, section 11). So they need a token in the address, and say no more than where to look.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence

from tallystick.errors import Unreadable
from tallystick.ports import Hint
from tallystick.stock import hook

from .records import Records
from .values import link, text

#: Records of these stand for products; of a transfer its moves do.
_BY_PRODUCT = ("stock.quant", "stock.move", "stock.move.line")
_PRODUCT, _TRANSFER = "product.product", "stock.picking"
_SKU = "sku"


class StockPush:
    """One connection's hook."""

    def __init__(self, settings: hook.HookSettings, records: Records) -> None:
        self._settings = settings
        self._records = records

    def verify(self, headers: Mapping[str, str], raw: bytes) -> bool:
        """See `hook.verify`."""
        return hook.verify(self._settings, headers, raw)

    def hint(self, headers: Mapping[str, str], raw: bytes) -> Hint:
        """See `hook.hint`."""
        return hook.hint(headers)

    def told(self, headers: Mapping[str, str], raw: bytes) -> Sequence[str]:
        """`sku:MUG` and `stock.quant:21`. Raises `Unreadable`."""
        content = hook.parse(raw)
        if not isinstance(content, dict) or "_model" not in content:
            return [f"{_SKU}:{sku}" for sku in hook.told(raw)]
        model, record_id = content["_model"], content.get("_id")
        if not isinstance(model, str) or type(record_id) is not int or not 0 < record_id < 2**31:
            raise Unreadable("the body names no record of Odoo")
        return [f"{model}:{record_id}"] if model in (*_BY_PRODUCT, _PRODUCT, _TRANSFER) else []

    async def skus_of(self, told: Collection[str]) -> Collection[str]:
        """One look-up for each model that is named, and one for the products."""
        split = [word.partition(":") for word in told]
        skus = {name for kind, _, name in split if kind == _SKU}
        ids = {kind: {int(name) for other, _, name in split if other == kind} for kind, _, _ in split if kind != _SKU}
        products = set(ids.pop(_PRODUCT, ()))
        if _TRANSFER in ids:
            domain = [["picking_id", "in", sorted(ids.pop(_TRANSFER))]]
            products |= _links(await self._records.find("stock.move", domain, ("product_id",)))
        for model, wanted in ids.items():
            products |= _links((await self._records.by_id(model, wanted, ("product_id",))).values())
        rows = await self._records.by_id(_PRODUCT, products, ("default_code",))
        return skus | {code for row in rows.values() if (code := text(row["default_code"]))}


def _links(rows: Iterable[Mapping[str, object]]) -> set[int]:
    return {product for row in rows if (product := link(row["product_id"]))}
