"""Load over HTTP: as fast as answers come, or at a rate that does not wait for them."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from time import perf_counter
from typing import Any, NamedTuple, TypeAlias

import numpy as np

Asks: TypeAlias = Callable[[], bytes]
"""The next request, as it goes over the wire."""

Sends: TypeAlias = Callable[[bytes], Awaitable[bytes]]
"""What sends a request and waits for the body of its answer."""


class Taken(NamedTuple):
    """What came of a load."""

    seconds: float
    latencies: list[float]  # seconds

    @property
    def rate(self) -> float:
        """Answers per second."""
        return len(self.latencies) / self.seconds

    def quantile(self, p: float) -> float:
        """Milliseconds within which a share p of the answers came."""
        return float(np.quantile(self.latencies, p)) * 1_000


async def closed(port: int, ask: Asks, clients: int, requests: int) -> Taken:
    """Each of several clients sends its next request when its last one is answered: what the service can do at most."""
    left, latencies = iter(range(requests)), []

    async def client() -> None:
        async with connected(port) as send:
            for _ in left:
                request = ask()
                started = perf_counter()
                await send(request)
                latencies.append(perf_counter() - started)

    started = perf_counter()
    await asyncio.gather(*(client() for _ in range(clients)))
    return Taken(perf_counter() - started, latencies)


async def opened(port: int, ask: Asks, per_second: float, requests: int, *, seed: int = 0) -> Taken:
    """Requests come by chance, so many per second on average, whether or not others are answered yet.

    A latency counts from the moment at which the request should have been sent: a stall is felt by all who come in it.
    """
    gaps = np.random.default_rng(seed).exponential(1 / per_second, requests)
    moments, latencies = np.cumsum(gaps), []
    free: asyncio.Queue[Sends] = asyncio.Queue()
    doors = [connected(port) for _ in range(64)]
    for door in doors:
        free.put_nowait(await door.__aenter__())
    started = perf_counter()

    async def one(moment: float, request: bytes) -> None:
        send = await free.get()
        await send(request)
        latencies.append(perf_counter() - started - moment)
        free.put_nowait(send)

    async with asyncio.TaskGroup() as tasks:
        for moment in moments:
            pause = moment - (perf_counter() - started)
            if pause > 0:
                await asyncio.sleep(pause)
            tasks.create_task(one(float(moment), ask()))
    seconds = perf_counter() - started
    for door in doors:
        await door.__aexit__(None, None, None)
    return Taken(seconds, latencies)


@asynccontextmanager
async def connected(port: int) -> AsyncIterator[Sends]:
    """One connection that stays open."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send(request: bytes) -> bytes:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        body = await reader.readexactly(length)
        if head[9:10] != b"2":
            raise SystemExit(f"the service refused: {head.decode()}{body.decode()}")
        return body

    try:
        yield send
    finally:
        writer.close()


def get(path: str) -> bytes:
    """A GET as it goes over the wire."""
    return f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode()


def post(path: str, body: Any) -> bytes:
    """A POST of JSON as it goes over the wire."""
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    return f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content


def row(what: str, value: float, unit: str, aim: str = "") -> dict[str, Any]:
    """One line of the result."""
    return {"what": what, "value": round(value, 2), "unit": unit, "aim": aim}


def quantiles(name: str, seconds: Sequence[float], aims: tuple[str, str] = ("", "")) -> list[dict[str, Any]]:
    """The middle and the slow end, in ms."""
    taken = Taken(1.0, list(seconds))
    return [row(f"{name}, p{p}", taken.quantile(p / 100), "ms", aim) for p, aim in zip((50, 99), aims, strict=True)]
