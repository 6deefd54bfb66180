"""`zhiyin tune`."""

import difflib
import itertools
import json
import tomllib
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from zhiyin.cli.options import CONFIG, AsJson, ConfigPath, Html
from zhiyin.cli.printing import say, show, show_json
from zhiyin.errors import ConfigError

if TYPE_CHECKING:
    from zhiyin.registry.tune import Tuned

OUT = "zhiyin.tuned.toml"

Budget = Annotated[str, typer.Option(help="How long to search: 90s, 10m, 2h.", metavar="TIME")]
Seed = Annotated[int, typer.Option(help="Another seed tries other settings.", metavar="N")]
Also = Annotated[
    list[str] | None,
    typer.Option(help="Try this model, too, such as IALS or GraphFilter; may be repeated.", metavar="TYPE"),
]
Out = Annotated[
    Path | None, typer.Option(help=f"Where to write the configuration ({OUT} if not given).", metavar="FILE")
]
Write = Annotated[bool, typer.Option("--write", help="Change the zhiyin.toml itself; a copy of it is kept.")]


def tune(
    budget: Budget = "10m",
    also: Also = None,
    out: Out = None,
    write: Write = False,
    html: Html = None,
    seed: Seed = 0,
    config: ConfigPath = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Search for better models and hyper-parameters on a validation window, and write them down as a zhiyin.toml.

    JSON: written, improved, sentence, models, recipe, notes, trials (model, number, state, value, seconds, settings).
    """
    from zhiyin.cli.progress import bars
    from zhiyin.cli.project import Project
    from zhiyin.evaluation.tuning_page import page
    from zhiyin.registry.durable import replace_bytes
    from zhiyin.registry.trials import DIRECTORY
    from zhiyin.registry.tune import tune as tuned

    target = _target(config, out, write)
    project = Project.read(config)
    data = project.prepared().dataset(project.config.weights)
    trials = (project.root / project.config.registry.directory).parent / DIRECTORY
    with bars() as progress:
        found = tuned(
            data, project.config, project.root,
            also=also or (), budget=budget, seed=seed, directory=trials, progress=progress,
        )  # fmt: skip
    before = config.read_bytes().decode("utf-8-sig")
    left_out = set(project.config.models) - set(found.best)
    after = _rewritten(before, found, str(config)) if found.improved or left_out else before
    if html:
        replace_bytes(html, page(found.trials, found.validation, found.sentence, found.notes).encode())
    kept = _backup(config) if write and after != before else None
    replace_bytes(target, after.encode())
    if as_json:
        _show_json(found, target)
        return
    show(found.validation)
    _show_difference(before, after, (config, target))
    for note in found.notes:
        say(f"note: {note}", "yellow")
    say(found.sentence, "green" if found.improved else "yellow")
    if kept:
        say(f"{config} is changed; as it was, it is kept in {kept}")
    if html:
        say(f"the page is in {html}")
    option = "" if target == CONFIG else f" --config {target}"
    say(f"next: `zhiyin train{option}`, which measures on the test window")


def _target(config: Path, out: Path | None, write: bool) -> Path:
    if out and write:
        raise ConfigError("--out and --write exclude each other: --write changes the zhiyin.toml itself")
    target = config if write else out or config.with_name(OUT)
    if target.resolve().parent != config.resolve().parent:
        raise ConfigError(
            f"{target} would lie in another folder than {config}, whose paths are relative to it: name a file beside it"
        )
    if not write and target.resolve() == config.resolve():
        raise ConfigError(f"{target} is the file that is read: use --write to change it, which keeps a copy")
    return target


def _rewritten(before: str, found: "Tuned", name: str) -> str:
    from zhiyin.registry.config import parsed
    from zhiyin.registry.rewrite import with_sections

    recipe = tomllib.loads(before).get("recipe", {})
    if found.recipe.retrievers or recipe:
        recipe = {**recipe, "retrievers": list(found.recipe.retrievers)}
    after = with_sections(before, {"models": found.best, **({"recipe": recipe} if recipe else {})}, name)
    parsed(after, name)
    return after


def _backup(config: Path) -> Path:
    """A copy that replaces no earlier one."""
    from zhiyin.registry.durable import replace_bytes

    names = (config.with_name(f"{config.name}.{number}.bak") for number in itertools.count(1))
    free = next(path for path in names if not path.exists())
    replace_bytes(free, config.read_bytes())
    return free


def _show_difference(before: str, after: str, names: tuple[Path, Path]) -> None:
    old, new = (str(name) for name in names)
    for line in difflib.unified_diff(before.splitlines(), after.splitlines(), old, new, lineterm=""):
        say(line, {"+": "green", "-": "red"}.get(line[0], ""))


def _show_json(found: "Tuned", target: Path) -> None:
    trials = [{**row, "settings": json.loads(row["settings"])} for row in found.trials.to_dicts()]
    show_json({
        "written": str(target), "improved": found.improved, "sentence": found.sentence, "models": found.best,
        "recipe": asdict(found.recipe), "notes": found.notes, "trials": trials,
    })  # fmt: skip
