"""Any request at all, straight into the application: bytes where bytes come in, with nothing that tidies them first."""

import asyncio
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import unquote

from starlette.testclient import TestClient

from tests.holding.harness import HANG_SECONDS
from zhiyin.registry.release import Release
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.registry.store import Store as Releases
from zhiyin.serving.app import create_app
from zhiyin.serving.audit import Audit
from zhiyin.serving.live import Live
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store

Header = tuple[bytes, bytes]
JSON: Header = (b"content-type", b"application/json")
HERE: Header = (b"host", b"127.0.0.1:8000")


class Came(NamedTuple):
    """What came back."""

    status: int
    headers: dict[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


class Asked:
    """An application that runs, and a way to send it anything."""

    def __init__(self, client: TestClient) -> None:
        self._client = client

    def __call__(
        self, method: str, raw_path: bytes, query: bytes = b"", body: bytes = b"", headers: Sequence[Header] = ()
    ) -> Came:
        """As uvicorn would hand it over."""
        scope = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http",
            "path": unquote(raw_path.decode("latin-1")), "raw_path": raw_path, "root_path": "", "query_string": query,
            "headers": [HERE, *headers], "client": ("127.0.0.1", 50_000), "server": ("127.0.0.1", 8_000), "state": {},
        }  # fmt: skip
        assert self._client.portal
        return self._client.portal.call(self._answered, scope, body)

    async def _answered(self, scope: dict[str, Any], body: bytes) -> Came:
        told: list[dict[str, Any]] = []
        waiting = [{"type": "http.request", "body": body, "more_body": False}]

        async def receive() -> dict[str, Any]:
            return waiting.pop() if waiting else {"type": "http.disconnect"}

        async def send(message: dict[str, Any]) -> None:
            told.append(message)

        # in a context of its own, as a server gives it to every request
        answering = asyncio.create_task(self._client.app(scope, receive, send))  # type: ignore[arg-type]  # starlette wants mappings, this sends them untyped
        try:
            await asyncio.wait_for(answering, HANG_SECONDS)
        except TimeoutError:
            raise AssertionError(f"{scope['method']} {scope['raw_path']!r} hangs") from None
        start = next(one for one in told if one["type"] == "http.response.start")
        content = b"".join(one.get("body", b"") for one in told if one["type"] == "http.response.body")
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in start["headers"]}
        return Came(start["status"], headers, content)


@contextmanager
def asking(folder: Path, release: Release, store: str = "events.db", **settings: object) -> Iterator[Asked]:
    """A service over a registry of two releases, a store and an audit in a folder."""
    registry = Releases(folder / "releases")
    for number in (1, 2):
        registry.publish(release.write, {"created": number})
    registry.promote(1, 1)
    chosen = ServeSettings(**({"open_on_loopback": True, "gorse": True, "similar_users": True} | settings))
    app = create_app(
        Live.of(registry, {}),
        Store.of(store, folder),
        None,
        Settings(chosen),
        audit=Audit(folder / "audit.jsonl"),
    )
    with TestClient(app, "http://127.0.0.1:8000", raise_server_exceptions=True) as client:
        yield Asked(client)
