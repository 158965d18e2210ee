"""Child processes of the bench: each is a module of this package, says one line when it is ready, and ends with us."""

import asyncio
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
import psutil


@dataclass(slots=True)
class Child:
    """A running module. `said` is its first line, decoded."""

    process: asyncio.subprocess.Process
    said: dict[str, object]

    def rss_mb(self) -> float:
        """Resident memory, in MB."""
        return float(psutil.Process(self.process.pid).memory_info().rss) / 1e6

    async def ask(self, **question: object) -> dict[str, object]:
        """One line to it, one line back."""
        assert self.process.stdin is not None
        self.process.stdin.write(orjson.dumps(question) + b"\n")
        await self.process.stdin.drain()
        return await _line(self.process)


@asynccontextmanager
async def child(module: str, *arguments: str) -> AsyncIterator[Child]:
    """Run `python -m bench.<module>` for as long as the context lasts."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        f"bench.{module}",
        *arguments,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 24,
    )
    try:
        yield Child(process, await _line(process))
    finally:
        assert process.stdin is not None
        # The end of its input is the sign to end.
        process.stdin.close()
        try:
            await asyncio.wait_for(process.wait(), 20)
        except TimeoutError:
            process.kill()
            await process.wait()


async def _line(process: asyncio.subprocess.Process) -> dict[str, object]:
    assert process.stdout is not None
    line = await process.stdout.readline()
    if not line:
        raise RuntimeError(f"a child of the bench ended early with exit code {await process.wait()}")
    answer = orjson.loads(line)
    assert isinstance(answer, dict)
    return answer


def say(**answer: object) -> None:
    """To the parent, from a child."""
    sys.stdout.buffer.write(orjson.dumps(answer) + b"\n")
    sys.stdout.buffer.flush()


async def questions() -> AsyncIterator[dict[str, object]]:
    """From the parent, in a child; ends when the parent does."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader(limit=1 << 24)
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        question = orjson.loads(line)
        assert isinstance(question, dict)
        yield question
