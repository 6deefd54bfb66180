"""A real PostgreSQL for the tests: Debian's binaries, started once per test process, a database for each test.

`ZHIYIN_TEST_POSTGRES` names another server, as the URL of a user who may create databases.
"""

import atexit
import os
import pwd
import shutil
import signal
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from functools import cache
from itertools import count
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

VARIABLE = "ZHIYIN_TEST_POSTGRES"
USERS = ("postgres", "nobody")  # the server refuses to run as root
DURABLE = (
    "-c fsync=on -c recovery_init_sync_method=syncfs"  # the second: a start after a crash syncs no file one by one
)
_numbers = count()


def binaries() -> Path | None:
    """The folder of initdb and postgres."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[4]))
    if found:
        return found[-1].parent
    path = shutil.which("initdb")
    return Path(path).resolve().parent if path else None


def missing() -> str:
    """Why there is no PostgreSQL to test with; empty if there is one."""
    if os.environ.get(VARIABLE) or binaries():
        return ""
    return f"no PostgreSQL: apt-get install postgresql, or set {VARIABLE} to a URL"


class Cluster:
    """A server of our own on 127.0.0.1, with fsync on."""

    def __init__(self) -> None:
        self._bin = binaries()
        self._folder = Path(tempfile.mkdtemp(prefix="zhiyin-postgres-"))
        self._user = _unprivileged()
        if self._user:
            os.chown(self._folder, *self._user)
        self._port = _free_port()
        self._run("initdb", "-D", self._data, "-A", "trust", "-U", "tester", "--no-sync", "-E", "UTF8")
        self.start()

    @property
    def url(self) -> str:
        return f"postgresql://tester:not-a-secret@127.0.0.1:{self._port}/postgres"

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def start(self) -> None:
        options = f"-p {self._port} -c listen_addresses=127.0.0.1 -c unix_socket_directories='' {DURABLE}"
        self._run("pg_ctl", "-D", self._data, "-o", options, "-l", str(self._folder / "log"), "-w", "start")

    def stop(self, mode: str = "fast") -> None:
        self._run("pg_ctl", "-D", self._data, "-m", mode, "-w", "stop")

    @contextmanager
    def gone(self) -> Iterator[None]:
        """The server is down meanwhile."""
        self.stop()
        try:
            yield
        finally:
            self.start()

    @contextmanager
    def hanging(self) -> Iterator[None]:
        """Connections are accepted by the kernel and never answered, because every process is stopped."""
        pids = [self._pid(), *_children(self._pid())]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)

    def remove(self) -> None:
        self.stop("immediate")
        shutil.rmtree(self._folder)

    def _pid(self) -> int:
        return int((self._folder / "data" / "postmaster.pid").read_text().split()[0])

    def _run(self, name: str, *arguments: str) -> None:
        uid, gid = self._user or (None, None)
        subprocess.run(
            [str(self._bin / name), *arguments],
            check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self._folder, user=uid, group=gid,
            extra_groups=[] if self._user else None,
        )  # fmt: skip


def _unprivileged() -> tuple[int, int] | None:
    """Another user when we are root."""
    if os.geteuid():
        return None
    for name in USERS:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    return 65_534, 65_534


def _children(pid: int) -> list[int]:
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True, check=False)
    return [int(one) for one in found.stdout.split()]


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        return int(taken.getsockname()[1])


@cache
def cluster() -> Cluster:
    """The server of this test process; removed when the process ends."""
    started = Cluster()
    atexit.register(started.remove)
    return started


def server() -> str:
    """The URL of the server."""
    return os.environ.get(VARIABLE) or cluster().url


def new_database() -> str:
    """The URL of an empty database."""
    import asyncio

    import asyncpg

    name = f"zhiyin_test_{os.getpid()}_{next(_numbers)}"

    async def create() -> None:
        connection = await asyncpg.connect(server())
        await connection.execute(f'DROP DATABASE IF EXISTS "{name}"')
        await connection.execute(f'CREATE DATABASE "{name}"')
        await connection.close()

    asyncio.run(create())
    return urlunsplit(urlsplit(server())._replace(path=f"/{name}"))
