"""`zhiyin train`."""

import os

from zhiyin.cli.options import CONFIG, AsJson, ConfigPath, Html
from zhiyin.cli.printing import say, show, show_json
from zhiyin.compute.ranks import rank


def train(config: ConfigPath = CONFIG, html: Html = None, as_json: AsJson = False) -> None:
    """Read, clean, compare the models, register the best as a release, and promote it if it is better beyond noise.

    JSON: release, chosen, promote, sentence, note, report.
    """
    from zhiyin.cli.acting import note
    from zhiyin.cli.progress import bars
    from zhiyin.cli.project import Project, now
    from zhiyin.evaluation.page import page
    from zhiyin.registry.durable import replace_bytes
    from zhiyin.registry.train import train as trained

    project = Project.read(config)
    with bars() as progress:
        found = trained(project.config, project.root, now=now(), environment=os.environ, progress=progress)
    if found.verdict.promote and rank() == 0:
        note(project, "promote", f"release {found.number}: {found.verdict.sentence}")
    if html and rank() == 0:
        replace_bytes(html, page(found.report).encode())
    if as_json:
        show_json(found.as_json())
        return
    show(found.report)
    if found.note:
        say(f"note: {found.note}", "yellow")
    say(f"release {found.number} ({found.chosen}) is written", "bold")
    say(found.verdict.sentence, "green" if found.verdict.promote else "yellow")
    if html:
        say(f"the page is in {html}")
    option = "" if config == CONFIG else f" --config {config}"
    if found.verdict.promote:
        say(f"next: `zhiyin serve{option}`, or `zhiyin recommend --user ID{option}`")
    else:
        say(f"next: `zhiyin versions{option}`, or `zhiyin promote {found.number}{option}` to have it all the same")
