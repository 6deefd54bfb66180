"""Who waits with others is answered as if nobody else were there."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import httpx2
import msgspec
import numpy as np
import polars as pl
import pytest

from worlds import two_tastes
from zhiyin.data.catalog import Catalog
from zhiyin.data.vocabulary import Vocabulary
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.popularity import Popularity
from zhiyin.ranking.recommend import Pipeline
from zhiyin.ranking.scenario import Scenario
from zhiyin.registry.release import Release
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving.answering import Asked, answer_of, answers_of
from zhiyin.serving.app import create_app
from zhiyin.serving.current import Noted
from zhiyin.serving.live import Live, Served
from zhiyin.serving.schemas import Answer, Wanted
from zhiyin.serving.sessions import Known
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store
from zhiyin.serving.wish import HOME, wish_of

SCENARIOS = {
    "home": Scenario(explore=0.2, variants={"bold": {"share": 0.5, "explore": 0.4}}),
    "email": Scenario(),
}


@pytest.fixture(scope="module")
def growing() -> Release:
    """The shop of two tastes with some items that nobody has touched yet."""
    data = two_tastes()
    new = pl.DataFrame({"item_id": [f"new-{i}" for i in range(8)], "price": [float(i) for i in range(8)]})
    items = data.items.extended(new["item_id"])
    catalog = Catalog(pl.concat([data.catalog.frame, new], how="diagonal_relaxed"))
    grown = replace(data, items=items, catalog=catalog, interactions=replace(data.interactions, n_items=len(items)))
    retrievers = {"item_knn": ItemKNN(shrinkage=0.0).fit(grown), "popularity": Popularity().fit(grown)}
    return Release.of(Pipeline(retrievers, catalog, Popularity().fit(grown)), grown, {"k": 5})


def asked(release: Release, users: Sequence[str], wanted: Wanted, first: int = 0) -> list[Asked]:
    return [
        Asked(
            Known(release.queries([user], release.last_event + 1)),
            wish_of(release, SCENARIOS, wanted, HOME, f"request-{place}", user),
            user, release.last_event + 1, 0.0, Noted(f"request-{place}"),
        )
        for place, user in enumerate(users, first)
    ]  # fmt: skip


@pytest.mark.parametrize("wanted", [Wanted(k=10), Wanted(scenario="email"), Wanted(k=10, where="price >= 0")])
def test_a_batch_is_what_each_would_be_alone(growing: Release, wanted: Wanted) -> None:
    served = Served(growing)
    users = [*growing.users.texts.head(14).to_list(), "stranger", "another"]
    questions = asked(growing, users, wanted)
    for variant in {one.wish.variant for one in questions}:
        group = [one for one in questions if one.wish.variant == variant]
        assert len({one.wish.alike for one in group}) == 1
        for one, answer in zip(group, answers_of(served, group), strict=True):
            alone = answer_of(served, one.known, one.wish, one.user_id, one.now, one.started)
            assert without_time(answer) == without_time(alone)
            assert answer.request_id == one.wish.request_id
            if wanted.scenario is None and wanted.where is None:
                assert any(item.origin == "explore" for item in answer.items)


def without_time(answer: Answer) -> Answer:
    """Without what a clock says."""
    return msgspec.structs.replace(answer, took_ms=0.0)


def test_wishes_that_differ_in_anything_are_not_alike(growing: Release) -> None:
    wishes = [
        Wanted(), Wanted(k=3), Wanted(scenario="email"), Wanted(where="price > 1"), Wanted(boosts={"price > 1": 2.0}),
        Wanted(caps={"price": 1}), Wanted(seen="keep"), Wanted(seen_days=3.0), Wanted(personal=False),
        Wanted(language="zh"),
    ]  # fmt: skip
    alike = [asked(growing, ["a000"], wanted)[0].wish.alike for wanted in wishes]
    assert None not in alike
    assert len(set(alike)) == len(wishes)
    for wanted in (Wanted(exclude=["a-00"]), Wanted(explain=True), Wanted(k=101)):
        assert asked(growing, ["a000"], wanted)[0].wish.alike is None


def test_many_at_once_over_http_have_their_own_answers(tmp_path: Path, growing: Release) -> None:
    users = growing.users.texts.to_list()

    async def use() -> None:
        settings = Settings(ServeSettings(open_on_loopback=True), scenarios=SCENARIOS)
        app = create_app(Live(Served.of(growing, {})), Store.of("events.db", tmp_path), None, settings)
        transport = httpx2.ASGITransport(app=app, client=("127.0.0.1", 5))
        async with (
            app.router.lifespan_context(app),
            httpx2.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client,
        ):

            async def ask(user: str, time: int) -> list[str]:
                headers = {"x-request-id": f"{user}-{time}"}
                body = {"user_id": user, "k": 6, "scenario": "email"}
                answer = await client.post("/v1/recommendations", json=body, headers=headers)
                found = answer.json()
                assert (answer.status_code, found["user_id"], found["request_id"]) == (200, user, f"{user}-{time}")
                return [item["item_id"] for item in found["items"]]

            one_by_one = [await ask(user, 0) for user in users]
            together = await asyncio.gather(*(ask(user, time) for time in (1, 2) for user in users))
            assert together == one_by_one * 2

    asyncio.run(use())


def test_names_are_those_of_the_indexes() -> None:
    vocabulary = Vocabulary.of(["b", "a", "c"]).extended(pl.Series(["0", "b"]))
    assert vocabulary.names == vocabulary.texts.to_list()
    assert vocabulary.indexes(vocabulary.names).tolist() == np.arange(4).tolist()
