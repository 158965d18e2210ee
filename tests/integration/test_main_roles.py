"""The roles composed: an order crosses by webhook and by polling; what cannot work is refused before it begins."""

from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from tallystick.errors import SetupError
from tallystick.ledger.migrate import migrate
from tallystick.stack import Stack
from tests.integration.product_help import Product, product, running, until


@pytest_asyncio.fixture
async def sold(stack: Stack, database: str, tmp_path: Path, topic_prefix: str) -> AsyncIterator[Product]:
    """An installation with empty tables."""
    await migrate(database)
    async with product(stack, database, tmp_path, topic_prefix) as made:
        yield made


async def test_an_order_crosses_once_by_webhook_and_by_polling(sold: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both ways see it; Odoo holds it once, confirmed."""
    _set(monkeypatch, sold)
    async with running(sold) as listening:
        await sold.scene.subscribe(f"http://{listening.webhooks}")
        told, found = sold.sell(), sold.sell()
        woo = sold.scene.woo
        for delivery in woo.pending_deliveries():
            if delivery.object_id == told.id:
                assert await woo.deliver(delivery) == 200
        await until(lambda: bool(sold.booked(str(told.id))) and bool(sold.booked(str(found.id))))
        await until(lambda: all(order.state == "sale" for order in sold.scene.odoo.orders))
    assert len(sold.booked(str(told.id))) == len(sold.booked(str(found.id))) == 1


async def test_a_connection_that_vanished_from_the_configuration_is_refused(
    sold: Product, monkeypatch: pytest.MonkeyPatch
) -> None:
    _set(monkeypatch, sold)
    async with running(sold):
        pass
    sold.drop("woocommerce")
    with pytest.raises(SetupError, match="connections forget"):
        async with running(sold):
            pass


async def test_a_database_of_another_version_is_refused(
    sold: Product, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Older: migrate first. Newer: a `post` migration that this code does not know has ended its time."""
    _set(monkeypatch, sold)
    connection = await asyncpg.connect(database)
    try:
        await connection.execute("INSERT INTO schema_migration (id) VALUES ('9999_later.pre')")
        async with running(sold):
            pass
        await connection.execute("INSERT INTO schema_migration (id) VALUES ('9999_later.post')")
        with pytest.raises(SetupError, match="newer version"):
            async with running(sold):
                pass
        await connection.execute("DELETE FROM schema_migration")
        with pytest.raises(SetupError, match="tallystick migrate"):
            async with running(sold):
                pass
    finally:
        await connection.close()


async def test_a_new_system_that_does_not_answer_is_refused(sold: Product, monkeypatch: pytest.MonkeyPatch) -> None:
    """Until a connection has answered once, nobody knows which company it is."""
    _set(monkeypatch, sold)
    sold.scene.down(True)
    with pytest.raises(SetupError, match="'odoo' is new and cannot be asked"):
        async with running(sold):
            pass
    sold.scene.down(False)
    async with running(sold):
        pass
    sold.scene.down(True)
    async with running(sold):
        pass


def _set(monkeypatch: pytest.MonkeyPatch, sold: Product) -> None:
    """The secrets that the configuration takes from the environment, for the roles in this process."""
    for name, value in sold.env.items():
        monkeypatch.setenv(name, value)
