"""The service as a process: opens what it needs, listens, and ends in order."""

import errno
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import msgspec

from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.connect import migrate_at_once, read_at_once
from zhiyin.data.store.events import last
from zhiyin.errors import ConfigError, MissingExtraError
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.registry.signing import Signer
from zhiyin.registry.store import Store as Releases
from zhiyin.serving.addresses import is_loopback
from zhiyin.serving.app import create_app
from zhiyin.serving.audit import Audit
from zhiyin.serving.clock import Clock
from zhiyin.serving.keys import Keys
from zhiyin.serving.live import Live
from zhiyin.serving.logs import logging_to
from zhiyin.serving.metrics import shared_directory
from zhiyin.serving.observe import Traces
from zhiyin.serving.schedule import Schedule
from zhiyin.serving.server import Server
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store
from zhiyin.serving.supervisor import Supervisor
from zhiyin.serving.tls import context_of
from zhiyin.serving.vault import Vault

BACKLOG = 2_048

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Job:
    """What a process that answers needs to know; goes to a worker as JSON."""

    registry: str
    root: str
    settings: Settings
    descriptor: int = -1
    """Of the socket, in a worker."""
    config: str = ""
    """The path of the zhiyin.toml; empty for none."""


def serve(
    registry: Path,
    settings: Settings,
    *,
    root: Path,
    environment: Mapping[str, str],
    ready: Callable[[str], None] | None = None,
    config: Path | None = None,
) -> None:
    """Serve until a signal to end: SIGINT or SIGTERM; SIGHUP looks for another release at once.

    Parameters
    ----------
    registry
        The directory of the releases.
    root
        What the paths of the settings are relative to.
    environment
        Where keys are looked up.
    ready
        Told the URL when requests are answered.
    config
        The zhiyin.toml to train with, whose data the dashboard checks; without it nothing is trained.

    Raises
    ------
    ArtifactError
        If no release serves, or it is damaged.
    ConfigError
        If the port is taken, the host is not ours, keys are needed and there are none, or TLS cannot be had.
    DataError
        If the store is not ours, or of a newer zhiyin.
    StoreError
        If the store cannot be opened.
    ServiceError
        If the workers cannot start, or go on dying.
    """
    job = Job(str(registry), str(root), settings, config="" if config is None else str(config.absolute()))
    with closing(listening(settings.serve)) as listener, logging_to(sys.stderr, settings.serve):
        migrate_at_once(StoreAddress.of(settings.serve.store, root))  # by one, before several open it
        with _scheduled(job) as begin:

            def answering() -> None:
                begin()
                log.info("the service answers")
                if ready:
                    ready(_url(settings, listener))

            if settings.serve.workers == 1:
                server(job, listener, environment, answering).answer()
            else:
                _supervise(job, listener, environment, answering)
        log.info("the service has ended")


def server(
    job: Job,
    listener: socket.socket,
    environment: Mapping[str, str],
    ready: Callable[[], None],
    alive: Callable[[], None] = lambda: None,
) -> Server:
    """A process that is about to answer; raises as `serve` does."""
    settings, root = job.settings, Path(job.root)
    tls = context_of(settings.access, root)
    live = Live.of(Releases(Path(job.registry)), environment)
    signer = Signer.of(root / settings.privacy.signing_key)
    vault = Vault.of(settings.privacy, environment)
    app = create_app(
        live,
        Store.of(settings.serve.store, root, vault=vault, digests=signer.digest, creates=job.descriptor < 0),
        _keys(root / settings.serve.keys, settings.serve),
        settings,
        audit=Audit(root / settings.access.audit),
        signer=signer,
        tracing=tracing_of(settings.serve),
        config=Path(job.config) if job.config else None,
    )
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGHUP, lambda *_: live.wake())
    log.info("release %d serves", live.served.release.number)
    return Server(app, listener, tls=tls, drain_seconds=settings.serve.drain_seconds, ready=ready, alive=alive)


def _supervise(job: Job, listener: socket.socket, environment: Mapping[str, str], ready: Callable[[], None]) -> None:
    settings = job.settings.serve
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
def _scheduled(job: Job) -> Iterator[Callable[[], None]]:
    """What lets trainings begin when they are due, until this is closed."""
    if not job.config:
        yield lambda: None
        return
    command = [sys.executable, "-m", "zhiyin", "train", "--json", "--config", job.config]
    stored = partial(stored_events, StoreAddress.of(job.settings.serve.store, Path(job.root)))
    schedule = Schedule(Releases(Path(job.registry)), job.settings.retrain, command, stored=stored, clock=Clock())
    try:
        yield schedule.start
    finally:
        schedule.stop()


def stored_events(address: StoreAddress) -> int:
    """How many events the store has taken, those that were deleted since included."""
    return read_at_once(address, last)


def tracing_of(settings: ServeSettings) -> Traces | None:
    """What keeps spans, if that is wanted; raises as `serve` does."""
    if settings.traces is None:
        return None
    try:
        from zhiyin.serving.traces import Tracing  # noqa: PLC0415 - the extra traces
    except ImportError:
        raise MissingExtraError("opentelemetry-exporter-otlp-proto-http", "traces") from None
    return Tracing.to(settings.traces)


def _url(settings: Settings, listener: socket.socket) -> str:
    host = f"[{settings.serve.host}]" if ":" in settings.serve.host else settings.serve.host
    return f"{'http' if settings.access.certificate is None else 'https'}://{host}:{listener.getsockname()[1]}"


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


def _keys(path: Path, settings: ServeSettings) -> Keys:
    keys = Keys(path)
    if keys.names() or path.exists() or (settings.open_on_loopback and is_loopback(settings.host)):
        return keys
    raise ConfigError(
        f"{path} holds no API key: run `zhiyin keys create NAME`, "
        "or set serve.open_on_loopback = true with host = 127.0.0.1 to try the service on this machine alone"
    )
