"""Work side by side of which nothing goes on unseen."""

import asyncio
from collections.abc import Awaitable, Iterable


async def together(works: Iterable[Awaitable[object]]) -> None:
    """Do all of it, each to its end; then raise what the first in order raised.

    `asyncio.gather` answers at the first failure, or at the first that was cancelled, while the others go on: they
    would use what their owner has already closed.
    """
    ended = await asyncio.gather(*works, return_exceptions=True)
    for one in ended:
        if isinstance(one, BaseException):
            raise one
