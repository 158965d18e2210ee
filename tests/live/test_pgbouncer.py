"""The ledger behind a real pgbouncer in transaction mode, where one exists: `pgbouncer` on the PATH.

Two server connections for twenty clients: whatever a session kept between statements would be found missing.
"""

import asyncio
import contextlib
import shutil
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import asyncpg
import pytest
import pytest_asyncio

from tallystick.clock import Timing
from tallystick.ledger.ledger import Ledger
from tallystick.ledger.migrate import migrate
from tallystick.ledger.pool import open_pool
from tallystick.ledger.rows import EffectState, Intent
from tallystick.settings import LedgerSettings
from tallystick.stack.process import free_port
from tests.integration.ledger_help import LATE_S, applied, head_of, order

pytestmark = [
    pytest.mark.live,
    pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="there is no pgbouncer on the PATH"),
]
_CLIENTS, _ORDERS = 20, 15


def _configure(folder: Path, dsn: str, port: int) -> Path:
    url = urlsplit(dsn)
    config = folder / "pgbouncer.ini"
    config.write_text(
        f"[databases]\n* = host={url.hostname} port={url.port} user={url.username} password={url.password}\n"
        f"[pgbouncer]\nlisten_addr = 127.0.0.1\nlisten_port = {port}\nunix_socket_dir =\nauth_type = any\n"
        "pool_mode = transaction\ndefault_pool_size = 2\nmax_client_conn = 100\n"
    )
    folder.chmod(0o755)
    return config


@pytest_asyncio.fixture
async def pgbouncer(database: str) -> AsyncIterator[str]:
    """The DSN of the database through pgbouncer, which refuses to run as root."""
    with tempfile.TemporaryDirectory() as folder:
        port = free_port()
        config = _configure(Path(folder), database, port)
        process = await asyncio.create_subprocess_exec("pgbouncer", "--quiet", "--user=nobody", str(config))
        try:
            url = urlsplit(database)
            dsn = f"postgresql://{url.username}@127.0.0.1:{port}{url.path}"
            await _answers(dsn)
            yield dsn
        finally:
            process.terminate()
            await process.wait()


async def _answers(dsn: str) -> None:
    async with asyncio.timeout(30):
        while True:
            with contextlib.suppress(OSError):
                await (await asyncpg.connect(dsn, statement_cache_size=0)).close()
                return
            await asyncio.sleep(0.05)


async def test_the_ledger_needs_nothing_of_a_session(database: str, pgbouncer: str) -> None:
    """Record, take, read, intend and settle from twenty clients over two server connections."""
    await migrate(database)
    pool = await open_pool(pgbouncer, LedgerSettings(pool_max=_CLIENTS, statement_cache_size=0))

    async def client(number: int) -> None:
        ledger = Ledger(pool, "erp", f"worker-{number}", Timing(), LATE_S)
        for serial in range(_ORDERS):
            recorded = await ledger.record([order(number * 1000 + serial)])
            head = await head_of(ledger, recorded.claims[0])
            assert await ledger.intend([Intent(head, "v1", ("l1",))])
            await ledger.settle([applied(head)])

    try:
        await asyncio.gather(*(client(number) for number in range(_CLIENTS)))
        [done] = await pool.fetch("SELECT count(*) AS n FROM effect WHERE state = $1", EffectState.APPLIED)
        assert done["n"] == _CLIENTS * _ORDERS
    finally:
        await pool.close()
