"""The service as a process: opens what it needs, listens, and ends in order."""

import errno
import signal
import socket
import threading
from collections.abc import Callable, Mapping
from pathlib import Path

import uvicorn
from fastapi import FastAPI

from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.connect import migrate_at_once
from zhiyin.errors import ConfigError
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.registry.store import Store as Releases
from zhiyin.serving.access import is_loopback
from zhiyin.serving.app import create_app
from zhiyin.serving.keys import Keys
from zhiyin.serving.live import Live
from zhiyin.serving.store import Store

GRACE_SECONDS = 10
BACKLOG = 2_048


def serve(
    registry: Path,
    settings: ServeSettings,
    *,
    root: Path,
    environment: Mapping[str, str],
    ready: Callable[[str], None] | None = None,
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

    Raises
    ------
    ArtifactError
        If no release serves, or it is damaged.
    ConfigError
        If the port is taken, the host is not ours, or keys are needed and there are none.
    DataError
        If the store is not ours, or of a newer zhiyin.
    StoreError
        If the store cannot be opened.
    """
    listener = listening(settings)
    try:
        live = Live.of(Releases(registry), environment)
        migrate_at_once(StoreAddress.of(settings.store, root))
        app = create_app(live, Store.of(settings.store, root), _keys(root / settings.keys, settings), settings)
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGHUP, lambda *_: live.wake())
        _Server(app, settings, listener, ready).run([listener])
    finally:
        listener.close()


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


class _Server(uvicorn.Server):
    """Tells when it answers; its own output is off, because who started it speaks for it."""

    def __init__(
        self, app: FastAPI, settings: ServeSettings, listener: socket.socket, ready: Callable[[str], None] | None
    ) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=GRACE_SECONDS,
            )
        )
        host = f"[{settings.host}]" if ":" in settings.host else settings.host
        self._url = f"http://{host}:{listener.getsockname()[1]}"
        self._ready = ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started and self._ready:
            self._ready(self._url)
