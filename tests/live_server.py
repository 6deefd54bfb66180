"""A real server in a thread of its own, for clients that speak over a socket."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from starlette.applications import Starlette

from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving.run import listening


@contextmanager
def running(app: Starlette) -> Iterator[str]:
    """The URL of the application, while it runs on a free port of this machine."""
    listener = listening(ServeSettings(port=0))
    config = uvicorn.Config(app, log_config=None, access_log=False, timeout_graceful_shutdown=5)
    server, started = uvicorn.Server(config), threading.Event()

    async def serve() -> None:
        task = asyncio.create_task(server.serve([listener]))
        while not server.started and not task.done():
            await asyncio.sleep(0.01)
        started.set()
        await task

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="live-server")
    thread.start()
    assert started.wait(30)
    assert server.started
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(30)
        listener.close()
    assert not thread.is_alive()
