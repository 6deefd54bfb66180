"""`zhiyin recommend`."""

from typing import TYPE_CHECKING, Annotated

import typer

from zhiyin.cli.options import CONFIG, AsJson, ConfigPath, VersionNumber, Where
from zhiyin.cli.printing import remark, show_json
from zhiyin.errors import ConfigError

if TYPE_CHECKING:
    from zhiyin.data.queries import Queries
    from zhiyin.ranking.scenario import Scenario
    from zhiyin.registry.config import Config
    from zhiyin.registry.release import Release

PLAIN_K = 10
STRANGER = "a stranger"


def recommend(
    user: Annotated[list[str] | None, typer.Option(help="Whose list; may be repeated.", metavar="ID")] = None,
    history: Annotated[
        list[str] | None, typer.Option(help="Answer for somebody who did this, oldest first: ID,ID,…", metavar="IDS")
    ] = None,
    k: Annotated[
        int | None,
        typer.Option("-k", "--k", help="How many items a list has; 10, or as the scenario says.", metavar="N"),
    ] = None,
    where: Where = None,
    scenario: Annotated[
        str | None, typer.Option(help="As this scenario of zhiyin.toml wants it, not as measured.", metavar="NAME")
    ] = None,
    now: Annotated[str | None, typer.Option(help="The moment of asking, if it is not now.", metavar="TIME")] = None,
    version: VersionNumber = None,
    config: ConfigPath = CONFIG,
    as_json: AsJson = False,
) -> None:
    """Recommend items to people, or to somebody with a given history, as the service would answer now.

    JSON: release, answers (user_id or null, known, items: item_id, score, rank, origin, title, price).
    """
    from zhiyin.cli.answers import items_json, show_items, too_few, with_details
    from zhiyin.cli.project import Project
    from zhiyin.cli.project import now as clock
    from zhiyin.ranking.slate import slate
    from zhiyin.ranking.terms import Terms
    from zhiyin.registry.release import shown
    from zhiyin.serving.moments import moment

    if bool(user) == bool(history):
        raise ConfigError("say whose list is wanted: either --user ID, or --history ID,ID")
    when = clock() if now is None else moment(int(now) if now.isdecimal() else now, "--now")
    project = Project.read(config)
    people = [STRANGER] if history else [_named(name) for name in user or ()]
    asker = project.asker(version)
    release = asker.release
    answers = []
    for name in people:
        settings = _scenario(project.config, release, scenario, None if history else name)
        wanted = next(one for one in (k, settings.k, PLAIN_K) if one is not None)
        terms = settings.terms(Terms(where=(where,) if where else (), seeds=(when,)))
        known_as = name if history else project.known_as(release, name)
        known = not history and asker.knows(known_as)
        if history:
            candidates = release.lists.of(settings.kind, _of_history(release, history, when), wanted, terms)
            found = slate(candidates, [STRANGER], release.items)
        else:
            found = asker.recommend([known_as], wanted, now=when, terms=terms, kind=settings.kind)
            if not known:
                remark(f"user {shown(name)} is not known to release {release.number}: answered as a stranger")
        if found.height < wanted:
            remark(too_few(found.height, wanted))
        answers.append((name, known, with_details(found, release)))
    if as_json:
        rows = [
            {"user_id": name if user else None, "known": known, "items": items_json(found)}
            for name, known, found in answers
        ]
        show_json({"release": release.number, "answers": rows})
        return
    for name, _, found in answers:
        show_items(found, f"For {name}, by release {release.number}")


def _named(user_id: str) -> str:
    if not user_id.strip():
        raise ConfigError("--user must not be empty: give the id of a person")
    return user_id.strip()


def _scenario(config: "Config", release: "Release", name: str | None, person: str | None) -> "Scenario":
    """What zhiyin.toml wants of a list for this person; without a name, what was measured."""
    from zhiyin.fields import unknown
    from zhiyin.ranking.scenario import Scenario

    if name is None:
        return Scenario()
    if name not in config.scenarios:
        raise ConfigError(unknown(f"--scenario {name!r}", name, config.scenarios))
    chosen = config.scenarios[name]
    if chosen.kind in ("similar", "cart"):
        raise ConfigError(f"--scenario {name} starts from items, not from a person: use `zhiyin similar --item ID`")
    chosen.fit(f"scenarios.{name}", release.pipeline)
    variant = chosen.variant_of(person, name)
    return chosen if variant is None else chosen.varied[variant]


def _of_history(release: "Release", history: list[str], now: int) -> "Queries":
    """Nobody in particular; what is given counts as seen."""
    from zhiyin.cli.answers import listed
    from zhiyin.data.histories import Histories
    from zhiyin.data.queries import Queries
    from zhiyin.registry.release import shown

    ids = listed(history, [one in release.items for one in history])
    indexes = release.items.indexes(ids)
    for one, index in zip(ids, indexes, strict=True):
        if index < 0:
            remark(f"item {shown(one)} is not known to release {release.number}: left out of the history")
    past = Histories.of([indexes[indexes >= 0].tolist()])
    names = release.pipeline.rules.seen_types or past.kind_names
    times = now - 1 - past.times.max(initial=0) + past.times
    past = Histories(past.offsets, past.items, times, past.weights, past.values, past.kinds, names[:1])
    return Queries.of(past, None, now)
