"""The product between an archive and a plain ERP, as a process that a crash point may end: `… CONFIG KAFKA DSN`."""

import asyncio
import signal
import sys
from pathlib import Path

from consumers.main import work
from tallystick.installation import Addresses, assemble
from tallystick.settings import load_settings
from tests.integration.backfill_help import KINDS


async def main(config: str, kafka: str, dsn: str) -> None:
    """Until SIGTERM, or the end by force."""
    installation = assemble(load_settings(Path(config)), KINDS, Addresses(kafka, dsn))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    try:
        await work(installation, stop)
    finally:
        await installation.close()


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
