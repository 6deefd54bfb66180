"""The service as a process: opens what it needs, listens, and ends in order."""

import errno
import logging
import os
import signal
import socket
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import msgspec

from zhiyin.data.sources.live import opened
from zhiyin.errors import ConfigError, DataError, MissingExtraError
from zhiyin.registry.lock import exclusive
from zhiyin.registry.retrain_settings import RetrainSettings
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.registry.store import Store
from zhiyin.serving.access import is_loopback
from zhiyin.serving.app import create_app
from zhiyin.serving.clock import Clock
from zhiyin.serving.events import EventStore
from zhiyin.serving.keys import Keys
from zhiyin.serving.live import Live
from zhiyin.serving.logs import logging_to
from zhiyin.serving.metrics import shared_directory
from zhiyin.serving.observe import Traces
from zhiyin.serving.schedule import Schedule
from zhiyin.serving.server import Server
from zhiyin.serving.supervisor import Supervisor

BACKLOG = 2_048

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What a process that answers needs to know; goes to a worker as JSON."""

    registry: str
    root: str
    settings: ServeSettings
    retrain: RetrainSettings
    descriptor: int = -1
    """Of the socket, in a worker."""


def serve(
    registry: Path,
    settings: ServeSettings,
    *,
    root: Path,
    environment: Mapping[str, str],
    ready: Callable[[str], None] | None = None,
    config: Path | None = None,
    retrain: RetrainSettings | None = None,
) -> None:
    """Serve until a signal to end: SIGINT or SIGTERM; SIGHUP looks for another release at once.

    Parameters
    ----------
    registry
        The directory of the releases.
    root
        What the paths of the settings are relative to.
    environment
        Where the key of pseudonyms is looked up.
    ready
        Told the URL when requests are answered.
    config
        The zhiyin.toml to train with; without it nothing is trained.
    retrain
        When to train.

    Raises
    ------
    ArtifactError
        If no release serves, or it is damaged.
    ConfigError
        If the port is taken, the host is not ours, or keys are needed and there are none.
    DataError
        If the event store cannot be opened.
    RegistryBusyError
        If another service writes to the same store.
    ServiceError
        If the workers cannot start, or go on dying.
    """
    job = Job(str(registry), str(root), settings, retrain or RetrainSettings())
    path = root / settings.store
    with closing(listening(settings)) as listener, logging_to(sys.stderr, settings):
        with exclusive(path.parent, f".{path.name}.lock"), _scheduled(job, config) as begin:

            def answering() -> None:
                begin()
                log.info("the service answers")
                if ready:
                    ready(_url(settings, listener))

            if settings.workers == 1:
                server(job, listener, environment, answering).answer()
            else:
                _supervise(job, listener, environment, answering)
        log.info("the service has ended")


def server(job: Job, listener: socket.socket, environment: Mapping[str, str], ready: Callable[[], None]) -> Server:
    """A process that is about to answer; raises as `serve` does."""
    settings, root = job.settings, Path(job.root)
    live = Live.of(Store(Path(job.registry)), environment)
    store = EventStore(root / settings.store)
    store.check()
    app = create_app(
        live,
        store,
        _keys(root / settings.keys, settings),
        settings,
        retrain=job.retrain,
        tracing=tracing_of(settings),
    )
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGHUP, lambda *_: live.wake())
    log.info("release %d serves", live.served.release.number)
    return Server(app, listener, drain_seconds=settings.drain_seconds, ready=ready)


def _supervise(job: Job, listener: socket.socket, environment: Mapping[str, str], ready: Callable[[], None]) -> None:
    settings = job.settings
    EventStore(Path(job.root) / settings.store).check()  # made by one, before several open it
    _keys(Path(job.root) / settings.keys, settings)
    inherited = {**os.environ, **environment}
    job = replace(job, descriptor=listener.fileno())
    command = [sys.executable, "-m", "zhiyin.serving.worker", msgspec.json.encode(job).decode()]
    with shared_directory(inherited) as metrics:
        Supervisor(
            command,
            descriptors=[listener.fileno()],
            environment=inherited,
            metrics=metrics,
            drain_seconds=settings.drain_seconds,
            ready=ready,
        ).run(settings.workers)


@contextmanager
def _scheduled(job: Job, config: Path | None) -> Iterator[Callable[[], None]]:
    """What lets trainings begin when they are due, until this is closed."""
    if config is None:
        yield lambda: None
        return
    command = [sys.executable, "-m", "zhiyin", "train", "--json", "--config", str(config.absolute())]
    stored = partial(stored_events, Path(job.root) / job.settings.store)
    schedule = Schedule(Store(Path(job.registry)), job.retrain, command, stored=stored, clock=Clock())
    try:
        yield schedule.start
    finally:
        schedule.stop()


def stored_events(path: Path) -> int:
    """How many events the store has taken."""
    if not path.exists():
        return 0
    try:
        with closing(opened(path)) as connection:
            (last,) = connection.execute("SELECT coalesce(max(sequence), 0) FROM events").fetchone()
    except sqlite3.Error as error:
        raise DataError(f"{path} cannot be read ({error}): events are not counted") from None
    return int(last)


def tracing_of(settings: ServeSettings) -> Traces | None:
    """What keeps spans, if that is wanted; raises as `serve` does."""
    if settings.traces is None:
        return None
    try:
        from zhiyin.serving.traces import Tracing  # noqa: PLC0415 - the extra traces
    except ImportError:
        raise MissingExtraError("opentelemetry-exporter-otlp-proto-http", "traces") from None
    return Tracing.to(settings.traces)


def _url(settings: ServeSettings, listener: socket.socket) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{listener.getsockname()[1]}"


def listening(settings: ServeSettings) -> socket.socket:
    """The socket, bound but not yet accepting.

    Raises
    ------
    ConfigError
        If it cannot be had.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise ConfigError(f"serve.host {settings.host!r} is no address: {error.strerror}") from None
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise ConfigError(_not_ours(settings, error)) from None
    listener.setblocking(False)
    return listener


def _not_ours(settings: ServeSettings, error: OSError) -> str:
    place = f"port {settings.port} on {settings.host}"
    if error.errno == errno.EADDRINUSE:
        return f"{place} is in use: stop what listens there, or choose another port (--port)"
    if error.errno == errno.EACCES:
        return f"{place} may not be opened by this user: choose a port above 1023"
    return f"{place} cannot be opened: {error.strerror}"


def _keys(path: Path, settings: ServeSettings) -> Keys | None:
    keys = Keys(path)
    if keys.names() or path.exists():
        return keys
    if settings.open_on_loopback and is_loopback(settings.host):
        return None
    raise ConfigError(
        f"{path} holds no API key: run `zhiyin keys create NAME`, "
        "or set serve.open_on_loopback = true with host = 127.0.0.1 to try the service on this machine alone"
    )
