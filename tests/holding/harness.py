"""A service in a process of its own, many clients at once, and a record of what was acknowledged."""

import asyncio
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

SCALE = os.environ.get("ZHIYIN_HOLD", "short")
"""`short` in every test run, `full` by `make hold`: the numbers of rounds, events and minutes that were promised."""

CLIENTS = 64
AT_ONCE = (1, 1, 1, 5, 25)
"""Events of one call."""
START_SECONDS = 120
HANG_SECONDS = 60
"""Nothing takes so long on any machine: whatever does has hung."""


class Answered(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float = 0.0

    def json(self) -> Any:
        return json.loads(self.body)


Sends: TypeAlias = Callable[[str, str, Any], Awaitable[Answered]]
"""method, path, body or None."""


def full(short: int, complete: int) -> int:
    """A number of rounds, events or seconds at the scale of this run."""
    return complete if SCALE == "full" else short


@dataclass
class Project:
    """A shop's folder with zhiyin.toml and a release in it."""

    root: Path
    environment: dict[str, str] = field(default_factory=dict)

    @contextmanager
    def serving(self, *options: str) -> Iterator["Process"]:
        """`zhiyin serve`, until the block ends."""
        process = Process(self, options)
        try:
            yield process
        finally:
            process.kill()


class Process:
    """A running service that can be killed and started again on the same port."""

    def __init__(self, project: Project, options: tuple[str, ...] = ()) -> None:
        self._project, self._options = project, options
        self.port = 0
        self.start()

    def start(self) -> None:
        """Start, and wait until it answers."""
        command = [sys.executable, "-m", "zhiyin", "serve", "--port", str(self.port), *self._options]
        environment = {**os.environ, "ZHIYIN_THREADS": "1", **self._project.environment}
        self.log = self._project.root / "serve.log"
        with self.log.open("ab") as log:
            begin = log.tell()
            self._process = subprocess.Popen(
                command, cwd=self._project.root, stdout=log, stderr=log, env=environment, start_new_session=True
            )
        deadline = time.monotonic() + START_SECONDS
        while not (url := _url_in(self.log.read_bytes()[begin:])):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the service did not start:\n{self.log.read_text()[-3_000:]}")
            time.sleep(0.02)
        self.port = int(url.rpartition(":")[2])

    @property
    def pid(self) -> int:
        return self._process.pid

    def pids(self) -> list[int]:
        """The service and its workers."""
        return [pid for pid, session in _sessions() if session == self._process.pid]

    def kill(self) -> None:
        """SIGKILL to the service, and then to every worker of it."""
        while pids := [pid for pid in sorted(self.pids()) if _is_alive(pid)]:
            for pid in pids:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
        self._process.wait()

    def signal(self, number: int) -> None:
        """To the parent, who passes it on."""
        self._process.send_signal(number)

    def stop(self, seconds: float = 30) -> int:
        """SIGTERM, as an init system does; the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(seconds)

    def megabytes(self) -> dict[int, float]:
        """Resident memory of each process."""
        found = {}
        for pid in self.pids():
            with suppress(OSError, IndexError):
                pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
                found[pid] = pages * os.sysconf("SC_PAGE_SIZE") / 2**20
        return found


def _sessions() -> Iterator[tuple[int, int]]:
    """Every process and the session that it belongs to."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError, IndexError):
            yield int(path.parent.name), int(path.read_text().rpartition(")")[2].split()[3])


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _url_in(text: bytes) -> str:
    for line in text.decode(errors="replace").splitlines():
        place = line.find("http://127.0.0.1:")
        if place >= 0 and "serv" in line:
            return line[place:].split(",")[0].split()[0].strip('"')
    return ""


@asynccontextmanager
async def connection(port: int, key: str = "") -> AsyncIterator[Sends]:
    """One connection that stays open; raises OSError or EOFError where it breaks, AssertionError where it hangs."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    admission = f"X-API-Key: {key}\r\n" if key else ""

    async def send(method: str, path: str, body: Any = None) -> Answered:
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{admission}"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        began = time.perf_counter()
        writer.write(head.encode() + b"\r\n" + content)
        try:
            return await asyncio.wait_for(_answer(reader, began), HANG_SECONDS)
        except TimeoutError:
            raise AssertionError(f"{method} {path} hangs") from None

    try:
        yield send
    finally:
        writer.close()


async def _answer(reader: asyncio.StreamReader, began: float) -> Answered:
    first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name}
    body = await reader.readexactly(int(headers["content-length"]))
    return Answered(int(first.split()[1]), headers, body, time.perf_counter() - began)


@dataclass
class Record:
    """Which events were acknowledged, and what else came back."""

    acknowledged: set[str] = field(default_factory=set)
    unanswered: list[dict[str, Any]] = field(default_factory=list)
    refused: list[Answered] = field(default_factory=list)


async def send_events(port: int, events: list[dict[str, Any]], record: Record, seed: int = 0) -> None:
    """All of the events, from many clients, one by one or some at once; a client whose connection breaks gives up."""
    chance, left = random.Random(seed), iter(events)

    async def client() -> None:
        sending: list[dict[str, Any]] = []
        with suppress(OSError, EOFError):
            async with connection(port) as send:
                while sending := list(islice(left, chance.choice(AT_ONCE))):
                    answer = await send("POST", "/v1/events", sending)
                    if answer.status == 202:
                        record.acknowledged.update(event["event_id"] for event in sending)
                    else:
                        record.refused.append(answer)
                        record.unanswered += sending
        record.unanswered += sending

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    record.unanswered += left
