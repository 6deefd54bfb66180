"""A service in a process of its own, many clients at once, and a record of what was acknowledged."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

SCALE = os.environ.get("ZHIYIN_HOLD", "short")
"""`short` in every test run, `full` by `make hold`: the numbers of rounds, events and minutes that were promised."""

CLIENTS = 64
START_SECONDS = 60


class Answered(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

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

    def kill(self) -> None:
        """SIGKILL to the service and every worker of it."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def stop(self, seconds: float = 30) -> int:
        """SIGTERM, as an init system does; the exit code."""
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(seconds)

    def megabytes(self) -> float:
        """Resident memory of the service and its workers."""
        total = 0
        for path in Path("/proc").glob("[0-9]*/stat"):
            try:
                fields = path.read_text().rpartition(")")[2].split()
                if int(fields[2]) == self._process.pid:  # its process group
                    total += int((path.parent / "statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            except (OSError, IndexError):
                continue
        return total / 2**20


def _url_in(text: bytes) -> str:
    for line in text.decode(errors="replace").splitlines():
        place = line.find("http://127.0.0.1:")
        if place >= 0 and "serv" in line:
            return line[place:].split(",")[0].split()[0].strip('"')
    return ""


@asynccontextmanager
async def connection(port: int) -> AsyncIterator[Sends]:
    """One connection that stays open; raises OSError or EOFError where it breaks."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)

    async def send(method: str, path: str, body: Any = None) -> Answered:
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n"
        if body is not None:
            head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n"
        writer.write(head.encode() + b"\r\n" + content)
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines) if name}
        return Answered(int(first.split()[1]), headers, await reader.readexactly(int(headers["content-length"])))

    try:
        yield send
    finally:
        writer.close()


@dataclass
class Record:
    """Which events were acknowledged, and what else came back."""

    acknowledged: set[str] = field(default_factory=set)
    unanswered: list[dict[str, Any]] = field(default_factory=list)
    refused: list[Answered] = field(default_factory=list)


async def send_events(port: int, events: list[dict[str, Any]], record: Record) -> None:
    """All of the events, from many clients one by one; a client whose connection breaks gives up."""
    left = iter(events)

    async def client() -> None:
        sending: list[dict[str, Any]] = []
        with suppress(OSError, EOFError):
            async with connection(port) as send:
                for event in left:
                    sending = [event]
                    answer = await send("POST", "/v1/events", event)
                    sending = []
                    if answer.status == 202:
                        record.acknowledged.add(event["event_id"])
                    else:
                        record.refused.append(answer)
                        record.unanswered.append(event)
        record.unanswered += sending

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    record.unanswered += left
