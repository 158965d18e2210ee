"""From the contract's words to database ids: products by SKU, taxes and pricelists by External ID, countries by code.

Set-based; what was found exactly once is remembered for a while, what is missing or ambiguous is asked again.
"""

from collections import defaultdict
from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping
from functools import partial

from tallystick.clock import Clock

from .records import Records
from .values import link

Ids = tuple[int, ...]
Found = Mapping[str, Ids]


class References:
    """Look-ups with a memory. Each answers, for every key asked, the ids that it may mean: none, one, or several."""

    def __init__(self, records: Records, clock: Clock, ttl_s: float) -> None:
        self._records = records
        self._clock = clock
        self._ttl_s = ttl_s
        self._known: dict[tuple[str, str], tuple[float, int]] = {}

    def forget(self) -> None:
        """Odoo refused something: what was remembered may be gone."""
        self._known.clear()

    async def products(self, skus: Collection[str]) -> Found:
        """Products by internal reference, archived ones left out."""
        return await self._look_up("product.product", skus, self._ask_products)

    async def resolve(self, wanted: Collection[tuple[str, str]]) -> dict[tuple[str, str], Ids]:
        """Records of models by External ID (a text with a dot) or by database id (digits); all else is not found."""
        by_model: dict[str, set[str]] = defaultdict(set)
        for model, reference in wanted:
            by_model[model].add(reference)
        found: dict[tuple[str, str], Ids] = {}
        for model, references in by_model.items():
            ask = partial(self._ask_references, model)
            ids = await self._look_up(model, references, ask)
            found |= {(model, reference): ids[reference] for reference in references}
        return found

    async def countries(self, codes: Collection[str]) -> Found:
        """Countries by ISO code of two letters."""
        return await self._look_up("res.country", codes, self._ask_countries)

    async def states(self, places: Collection[tuple[int, str]]) -> dict[tuple[int, str], Ids]:
        """States by country (its id) and code, also with and without the country before it: "JP13", "US-CA"."""
        keys = {f"{country}/{code}": (country, code) for country, code in places}
        found = await self._look_up("res.country.state", keys, self._ask_states)
        return {place: found[key] for key, place in keys.items()}

    async def _look_up(
        self, kind: str, keys: Collection[str], ask: Callable[[Collection[str]], Awaitable[Found]]
    ) -> Found:
        now_s = self._clock.monotonic_s()
        found: dict[str, Ids] = {}
        for key in set(keys):
            until_s, record_id = self._known.get((kind, key), (0.0, 0))
            if until_s > now_s:
                found[key] = (record_id,)
        missing = set(keys) - set(found)
        if missing:
            asked = await ask(missing)
            found |= {key: asked.get(key, ()) for key in missing}
            self._known |= {(kind, key): (now_s + self._ttl_s, ids[0]) for key, ids in asked.items() if len(ids) == 1}
        return found

    async def _ask_products(self, skus: Collection[str]) -> Found:
        rows = await self._records.find("product.product", [["default_code", "in", sorted(skus)]], ("default_code",))
        return _grouped((row["default_code"], row["id"]) for row in rows)

    async def _ask_references(self, model: str, references: Collection[str]) -> Found:
        ids = {reference: int(reference) for reference in references if reference.isdigit()}
        by_module: dict[str, dict[str, str]] = defaultdict(dict)
        for reference in references:
            module, dot, name = reference.partition(".")
            if dot:
                by_module[module][name] = reference
        for module, names in by_module.items():
            for name, address in (await self._records.addresses(list(names), module)).items():
                if address.model == model:
                    ids[names[name]] = address.record_id
        there = await self._records.by_id(model, set(ids.values()), ("id",))
        return {reference: (record_id,) for reference, record_id in ids.items() if record_id in there}

    async def _ask_countries(self, codes: Collection[str]) -> Found:
        rows = await self._records.find("res.country", [["code", "in", sorted(codes)]], ("code",))
        return _grouped((row["code"], row["id"]) for row in rows)

    async def _ask_states(self, keys: Collection[str]) -> Found:
        countries = {int(key.partition("/")[0]) for key in keys}
        domain = [["country_id", "in", sorted(countries)]]
        rows = await self._records.find("res.country.state", domain, ("code", "country_id"))
        known = {f"{link(row['country_id'])}/{row['code']}": row["id"] for row in rows}
        spelled = {key: _spelled(key, known) for key in keys}
        return {key: (known[one],) for key, one in spelled.items() if one is not None}


def _spelled(key: str, known: Collection[str]) -> str | None:
    """The key with the code as Odoo spells it."""
    country, _, code = key.partition("/")
    shorter = code[2:].lstrip("-")
    spellings = (f"{country}/{one}" for one in (code, shorter, f"{code[:2]}-{shorter}"))
    return next((one for one in spellings if one in known), None)


def _grouped(pairs: Iterable[tuple[str, int]]) -> Found:
    grouped: dict[str, Ids] = {}
    for key, record_id in pairs:
        grouped[key] = (*grouped.get(key, ()), record_id)
    return grouped
