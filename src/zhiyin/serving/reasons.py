"""The reasons of an answer, with ids and sentences."""

from zhiyin.data.queries import Queries
from zhiyin.ranking import explain
from zhiyin.ranking.candidates import Candidates
from zhiyin.ranking.explain import reasons, thorough_reasons
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.wording import Language, sentence
from zhiyin.registry.release import Release
from zhiyin.serving.schemas import Because, Reason


def reasons_of(
    release: Release, pipeline: Pipeline, queries: Queries, found: Candidates, language: Language, *, thorough: bool
) -> list[list[Reason]]:
    """Of each item of each list, in its order; `thorough` asks models again that do not tell it for nothing."""
    told = (thorough_reasons if thorough else reasons)(pipeline, queries, found)
    return [_written(release, of_list, language) for of_list in told]


def _written(release: Release, given: list[explain.Reason], language: Language) -> list[Reason]:
    ids, titles = release.items.texts, release.pipeline.catalog.titles
    written = []
    for reason in given:
        because = [Because(ids[one.item], one.event_type, round(one.share, 4)) for one in reason.because]
        text = sentence(reason, [titles[one.item] for one in reason.because], language)
        written.append(Reason(reason.kind, because, reason.method, text))
    return written
