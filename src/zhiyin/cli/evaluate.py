"""`zhiyin evaluate`."""

import json
from dataclasses import replace
from typing import Annotated

import typer

from zhiyin.cli.options import CONFIG, AsJson, ConfigPath, Html
from zhiyin.cli.printing import say, show, show_json
from zhiyin.compute.ranks import rank


def evaluate(
    config: ConfigPath = CONFIG,
    k: Annotated[int | None, typer.Option("-k", "--k", help="The length of the lists.", metavar="N")] = None,
    html: Html = None,
    as_json: AsJson = False,
) -> None:
    """Compare the models on what people did later, and publish nothing.

    JSON: chosen, note, report (rows with metrics, intervals and comparisons, protocol, footnotes, segments).
    """
    from zhiyin.cli.progress import bars
    from zhiyin.cli.project import Project
    from zhiyin.evaluation.page import page
    from zhiyin.registry.compare import compare
    from zhiyin.registry.durable import replace_bytes

    project = Project.read(config)
    settings = project.config if k is None else replace(project.config, recipe=replace(project.config.recipe, k=k))
    data = project.prepared().dataset(settings.weights)
    with bars() as progress:
        found = compare(settings, data, project.root, progress=progress)
    if html and rank() == 0:
        replace_bytes(html, page(found.report).encode())
    if as_json:
        show_json({"chosen": found.chosen, "note": found.note, "report": json.loads(found.report.as_json())})
        return
    show(found.report)
    if found.note:
        say(f"note: {found.note}", "yellow")
    say(f"the validation window chose {found.chosen}; nothing was published, `zhiyin train` does")
    if html:
        say(f"the page is in {html}")
