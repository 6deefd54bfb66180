"""`zhiyin demo`."""

import os
import shutil
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhiyin.cli.options import AsJson
from zhiyin.cli.printing import say, show, show_json, table

if TYPE_CHECKING:
    from zhiyin.cli.project import Project
    from zhiyin.data.dataset import Dataset
    from zhiyin.data.sample_shop import Truth
    from zhiyin.registry.prepare import Prepared
    from zhiyin.registry.serve_settings import ServeSettings
    from zhiyin.registry.train import Trained

DIRECTORY = Path("zhiyin-shop")


def demo(
    no_serve: Annotated[bool, typer.Option("--no-serve", help="Stop before serving.")] = False,
    port: Annotated[int, typer.Option(help="Where to serve.", metavar="PORT")] = 8000,
    directory: Annotated[Path, typer.Option(help="The folder for the shop.", metavar="FOLDER")] = DIRECTORY,
    people: Annotated[int, typer.Option(help="The size of the shop.", metavar="N")] = 5_000,
    items: Annotated[int, typer.Option(help="The size of its catalogue.", metavar="N")] = 2_000,
    events: Annotated[int, typer.Option(help="About how many events.", metavar="N")] = 300_000,
    as_json: AsJson = False,
) -> None:
    """Make a sample shop, check it, train and compare models, register the best, and serve it.

    JSON, which stops before serving: release, chosen, promote, sentence, note, report.
    """
    from zhiyin.cli.first_requests import somebody
    from zhiyin.cli.progress import bars
    from zhiyin.cli.project import Project, now
    from zhiyin.cli.sample_project import CONFIG, claimed, made, with_network
    from zhiyin.registry.serve_settings import ServeSettings
    from zhiyin.serving.run import listening

    settings = ServeSettings(port=port, open_on_loopback=True)
    no_serve = no_serve or as_json
    if not no_serve:
        listening(settings).close()  # better now than after the training
    renewed = claimed(directory)
    with bars() as progress:
        progress("making the shop", 0, 1)
        shop = made(directory, (people, items, events), now())
        progress("making the shop", 1, 1)
    project = Project.read(directory / CONFIG)
    prepared = project.prepared()
    if not as_json:
        made_it = "Renewed" if renewed else "Made"
        say(f"{made_it} the sample shop in {directory}: {people:,} people, {items:,} items, a year")
        _show_findings(prepared)
    data = prepared.dataset(project.config.weights)
    missing = with_network(directory, data)
    found = _trained(Project.read(directory / CONFIG), data, shop.truth)
    found = replace(found, note="; ".join(filter(None, [found.note, missing])))
    if as_json:
        show_json(found.as_json())
        return
    _show_outcome(found, data)
    if no_serve:
        if not shutil.which("zhiyin"):
            say(f"`. {Path(sys.executable).parent}/activate` lets your shell find zhiyin")
        say(f"next: `cd {directory}`, then `zhiyin serve`, or `zhiyin recommend --user {somebody(data)}`")
    else:
        _serve(project, data, replace(project.config.serve, port=port, log_level="warning"))


def _trained(project: "Project", data: "Dataset", truth: "Truth") -> "Trained":
    from zhiyin.cli.oracle import Oracle
    from zhiyin.cli.progress import bars
    from zhiyin.cli.project import now
    from zhiyin.registry.train import train

    oracle = Oracle(truth, data, project.config.rules)
    with bars() as progress:
        return train(project.config, project.root, now=now(), environment=os.environ, ceiling=oracle, progress=progress)


def _show_findings(prepared: "Prepared") -> None:
    rows = [(one.level, f"{one.table}.{one.code}", f"{one.count:,}") for one in prepared.findings]
    half = (len(rows) + 1) // 2
    columns = ("level", "finding", "count")
    beside = [(*left, *right) for left, right in zip(rows, [*rows[half:], ("", "", "")], strict=False)][:half]
    show(
        table((*columns, *columns), beside, right=("count",), title="What the check found (dirt is put in on purpose)")
    )
    kept, gone = len(prepared.cleaned.tables.events), len(prepared.cleaned.dropped)
    say(f"  {kept:,} events are kept, {gone:,} are dropped; `zhiyin check` says why and what to do\n")


def _show_outcome(found: "Trained", data: "Dataset") -> None:
    show(found.report)
    if found.note:
        say(f"note: {found.note}", "yellow")
    say(f"release {found.number} ({found.chosen}) learnt from {len(data.interactions):,} events", "bold")
    say(found.verdict.sentence, "green" if found.verdict.promote else "yellow")


def _serve(project: "Project", data: "Dataset", settings: "ServeSettings") -> None:
    from zhiyin.cli.first_requests import somebody, try_it
    from zhiyin.serving.run import serve
    from zhiyin.serving.settings import Settings

    person = somebody(data)
    (item,) = project.release().recommend([person], 1)["item_id"]

    def ready(url: str) -> None:
        for line in try_it(url, person, item):
            say(line)

    with suppress(KeyboardInterrupt):
        chosen = replace(Settings.of(project.config), serve=settings)
        serve(project.store.root, chosen, root=project.root, environment=os.environ, ready=ready, config=project.path)
    say("\nstopped; the shop and its releases stay in " + str(project.root))
