"""The reasons of an answer, with ids and sentences."""

from collections.abc import Mapping, Sequence
from typing import cast

import numpy as np

from zhiyin.data.queries import Queries
from zhiyin.errors import RequestError
from zhiyin.ranking import explain
from zhiyin.ranking.candidates import Candidates
from zhiyin.ranking.explain import reasons, thorough_reasons
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.wording import ITSELF, Language, sentence
from zhiyin.registry.release import Release
from zhiyin.serving.operation import Parameter
from zhiyin.serving.schemas import Because, Reason

PARAMETERS = (
    Parameter("explain", "query", bool, "ask models that do not tell why again without each event; takes longer"),
    Parameter("language", "query", Language, "of the sentences that give reasons"),
)


def reasons_of(
    release: Release, pipeline: Pipeline, queries: Queries, found: Candidates, language: Language, *, thorough: bool
) -> list[list[Reason]]:
    """Of each item of each list, in its order; `thorough` asks models again that do not tell it for nothing."""
    told = (thorough_reasons if thorough else reasons)(pipeline, queries, found)
    named = list({one.item for of_list in told for reason in of_list for one in reason.because})
    texts = release.pipeline.catalog.titles[np.array(named, np.int64)].to_list()  # quicker than to gather from a list
    titles = dict(zip(named, texts, strict=True))
    lists = (items[items >= 0].tolist() for items in found.items)
    return [_written(release, items, of_list, titles, language) for items, of_list in zip(lists, told, strict=True)]


def wished(given: Mapping[str, str]) -> tuple[bool, Language]:
    """Whether a query string asks for thorough reasons, and their language.

    Raises
    ------
    RequestError
        422 for any other value than those of `PARAMETERS`.
    """
    explain_, language = given.get("explain", "false"), given.get("language", "en")
    if explain_ not in ("true", "false"):
        raise RequestError(422, f"query.explain must be true or false, got {explain_[:40]!r}", "query.explain")
    if language not in ITSELF:
        raise RequestError(422, f"query.language must be en or zh, got {language[:40]!r}", "query.language")
    return explain_ == "true", cast(Language, language)


def _written(
    release: Release, items: Sequence[int], given: Sequence[explain.Reason], titles: Mapping[int, str],
    language: Language,
) -> list[Reason]:  # fmt: skip
    names, written = release.items.names, []
    for item, reason in zip(items, given, strict=True):
        because = [Because(names[one.item], one.event_type, round(one.share, 4)) for one in reason.because]
        called = [ITSELF[language] if one.item == item else titles[one.item] for one in reason.because]
        written.append(Reason(reason.kind, because, reason.method, sentence(reason, called, language)))
    return written
