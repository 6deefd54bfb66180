"""`zhiyin serve`."""

import os
from contextlib import suppress
from dataclasses import replace
from typing import Annotated

import typer

from zhiyin.cli.options import CONFIG, ConfigPath
from zhiyin.cli.printing import say


def serve(
    host: Annotated[str | None, typer.Option(help="Where to listen; 0.0.0.0 is everywhere.", metavar="HOST")] = None,
    port: Annotated[int | None, typer.Option(help="0 takes any free port.", metavar="PORT")] = None,
    open_on_loopback: Annotated[
        bool, typer.Option("--open-on-loopback", help="Ask no key of callers on this machine, to try it.")
    ] = False,
    workers: Annotated[
        int | None, typer.Option(help="Processes that answer; each holds the release.", metavar="N")
    ] = None,
    config: ConfigPath = CONFIG,
) -> None:
    """Answer requests over HTTP with the serving release; a newly promoted one takes over by itself."""
    # requests are answered side by side: one thread each beats two that wait for each other; numpy is not loaded yet
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from zhiyin.cli.project import Project
    from zhiyin.serving.access import is_loopback
    from zhiyin.serving.run import serve as answer
    from zhiyin.serving.settings import Settings

    project = Project.read(config)
    configured = project.config.serve
    settings = replace(
        configured,
        host=configured.host if host is None else host,
        port=configured.port if port is None else port,
        workers=configured.workers if workers is None else workers,
        open_on_loopback=open_on_loopback or configured.open_on_loopback,
    )
    is_open = settings.open_on_loopback and is_loopback(settings.host)

    def ready(url: str) -> None:
        say(f"serving release {project.store.serving()} on {url}, described in {url}/openapi.json; Ctrl-C ends it")
        if settings.dashboard:
            say(f"the dashboard for people is {url}/")
        if is_open:
            say("callers on this machine need no key")
        else:
            option = "" if config == CONFIG else f" --config {config}"
            say(f"callers need a key, `zhiyin keys create NAME{option}` makes one: Authorization: Bearer KEY")

    with suppress(KeyboardInterrupt):
        answer(
            project.store.root,
            replace(Settings.of(project.config), serve=settings),
            root=project.root,
            environment=os.environ,
            ready=ready,
            config=config,
        )
    say("stopped")
