"""What the first page says, of a shop that is visited and of one that is not."""

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import takewhile

import httpx2
import numpy as np
import pytest
from starlette.testclient import TestClient

from worlds import two_tastes
from zhiyin.errors import RequestError
from zhiyin.ranking.scenario import Scenario
from zhiyin.serving.dashboard.activity import Activity, learnt_by_day
from zhiyin.serving.dashboard.attention import Seen, points
from zhiyin.serving.dashboard.outcomes import Rates, controls_of, wilson
from zhiyin.serving.dashboard.pages.overview import events_chart
from zhiyin.serving.dashboard.traffic import BOUNDS, Traffic
from zhiyin.serving.service import Service

from .conftest import DAY, Shop, release_of, service_in, visit
from .signing_in import sign_in

HOUR = DAY // 24


def text(client: TestClient, path: str = "/") -> str:
    """What a reader sees, without the marks."""
    answer = client.get(path)
    assert answer.status_code == 200
    return html.unescape(" ".join(re.sub(r"(?s)<head.*?</head>|<[^>]+>", " ", answer.text).split()))


@pytest.fixture
def signed_in(client: TestClient, quiet: Shop) -> TestClient:
    sign_in(client, quiet.keys["operator"])
    return client


@pytest.fixture
def visited(busy: Shop) -> Iterator[TestClient]:
    with TestClient(
        service_in(busy.folder, with_control=True), "http://127.0.0.1:8000", follow_redirects=False
    ) as client:
        sign_in(client, busy.keys["operator"])
        yield client


def test_a_quiet_shop_says_what_to_do(signed_in: TestClient) -> None:
    page = text(signed_in)
    assert "Good Release 0 answers." in page
    assert "No event has come in over HTTP yet" in page
    assert "No lists were shown in the last 7 days." in page
    assert "POST /v1/events" in page
    assert "[scenarios.home.variants.popular] share = 0.1" in page


def test_a_visited_shop_says_what_came_of_it(visited: TestClient) -> None:
    page = text(visited)
    assert "Nothing needs attention." in page
    assert "Lists clicked 33.3 % of 30 lists shown in 7 days" in page.replace("\N{NO-BREAK SPACE}", " ")
    assert "Lists bought from 16.7 %" in page.replace("\N{NO-BREAK SPACE}", " ")
    assert "Events today 10 10 the release has not learnt from" in page
    assert int(re.search(r"for the person (\d+)", page)[1]) + int(re.search(r"same for everybody (\d+)", page)[1]) == 30


def test_requests_are_counted_without_those_of_the_dashboard(visited: TestClient, busy: Shop) -> None:
    assert "Requests 0.0 a minute" in text(visited)
    visit(visited, busy.keys["writer"])
    assert "Requests 0.0 a minute" not in text(visited)
    assert re.search(r"Half answered within [\d.]+ m?s since the service began", text(visited))


def test_chinese_is_spoken_if_the_browser_or_the_reader_wants_it(signed_in: TestClient) -> None:
    assert "总览" in signed_in.get("/", headers={"accept-language": "zh-CN,zh;q=0.9,en;q=0.8"}).text
    assert "Overview" in signed_in.get("/", headers={"accept-language": "fr, en;q=0.8, zh;q=0.1"}).text
    assert "总览" in signed_in.get("/?language=zh").text
    assert "总览" in signed_in.get("/").text, "it is remembered"
    assert "Overview" in signed_in.get("/?language=en", headers={"accept-language": "zh"}).text
    assert "Overview" in signed_in.get("/?language=xx").text


def test_light_and_dark_are_remembered(signed_in: TestClient) -> None:
    assert 'data-theme="auto"' in signed_in.get("/").text
    assert 'data-theme="dark"' in signed_in.get("/?theme=dark").text
    assert 'data-theme="dark"' in signed_in.get("/").text


def test_what_is_live_is_sent_at_once_and_without_a_frame(quiet: Shop, quiet_url: str) -> None:
    with httpx2.Client(base_url=quiet_url) as client:
        cookie = client.post("/sign-in", data={"key": quiet.keys["operator"]}).headers["set-cookie"]
        with client.stream("GET", "/overview/live", headers={"cookie": cookie.partition(";")[0]}) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream")
            lines = answer.iter_lines()
            event = list(takewhile(bool, lines))
    assert event[0] == "event: live"
    assert event[1].startswith("data: <p class=")
    assert not any("<html" in line for line in event)


def test_a_stream_ends_with_the_service(signed_in: TestClient) -> None:
    signed_in.app.state.service.readiness.end()
    answer = signed_in.get("/overview/live")
    assert (answer.status_code, answer.text) == (200, "")


def test_a_store_that_is_away_is_said_and_the_page_comes_all_the_same(
    signed_in: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def away(*_: object) -> None:
        raise RequestError(503, "the store cannot be used now (no route): send it again later")

    monkeypatch.setattr(signed_in.app.state.service.store, "reading", away)
    page = text(signed_in)
    assert "Broken Release 0 answers, but something is broken." in page
    assert "The store has a problem: the store cannot be used now (no route)" in page


def test_an_unknown_page_is_an_error_in_words(signed_in: TestClient) -> None:
    missing = signed_in.get("/overview/none")
    assert missing.status_code == 404
    assert "there is no such page" in missing.text
    fragment = signed_in.get("/overview/none", headers={"hx-request": "true"})
    assert fragment.text.startswith("<p")
    assert signed_in.post("/").status_code == 405


def traffic(*, refused: int = 0, dropped: int = 0, stale: int = 0, **buckets: int) -> Traffic:
    counts = [buckets.get(f"b{i}", 0) for i in range(len(BOUNDS))]
    return Traffic(60.0, True, sum(counts), np.asarray(counts), refused, dropped, stale)


def test_a_quantile_is_interpolated_within_its_bucket() -> None:
    found = traffic(b0=50, b1=50)  # to 1 ms, to 2 ms
    assert found.quantile(0.5) == pytest.approx(0.001)
    assert found.quantile(0.75) == pytest.approx(0.0015)
    assert found.per_minute == 100
    assert traffic().quantile(0.5) is None
    assert traffic(**{f"b{len(BOUNDS) - 1}": 1}).quantile(0.5) == float("inf")


def test_attention_names_what_is_old_lost_and_quiet_the_worst_first(signed_in: TestClient) -> None:
    service: Service = signed_in.app.state.service
    now = 100 * DAY
    seen = Seen(now, now - 9 * DAY, now - 30 * HOUR, "", traffic(refused=2, dropped=1, stale=3))
    assert [point.said.key for point in points(service, seen)] == [
        "attention.old", "attention.quiet", "attention.refused", "attention.dropped", "attention.stale",
    ]  # fmt: skip
    service.live.problem = "release 3 is damaged"
    service.readiness.training_problem = "the last training failed"
    found = points(service, replace(seen, store_problem="away"))
    assert [point.tone for point in found] == ["bad", "bad", "warn", "warn", "warn", "warn", "warn"]
    assert {"attention.store", "attention.release", "attention.training"} <= {point.said.key for point in found}
    assert points(service, replace(seen, trained=now, newest_event=now, traffic=traffic())) != []


def test_a_well_kept_shop_has_nothing_that_needs_attention(signed_in: TestClient) -> None:
    now = 100 * DAY
    assert points(signed_in.app.state.service, Seen(now, now - DAY, now - HOUR, "", traffic())) == []


def test_controls_are_the_variants_that_show_everybody_the_same() -> None:
    scenarios = {
        "home": Scenario(
            variants={
                "popular": {"share": 0.1, "kind": "popular"},
                "one_model": {"share": 0.1, "retrievers": ["popularity"]},
                "without_me": {"share": 0.1, "personal": False},
                "other_model": {"share": 0.1, "retrievers": ["item_knn"]},
            }
        ),
        "cart": Scenario(kind="cart", variants={"popular": {"share": 0.1, "kind": "popular"}}),
        "email": Scenario(),
    }
    found = controls_of(scenarios, release_of(two_tastes()))
    assert found == {"home": {"popular", "one_model", "without_me"}}


def test_the_interval_of_a_rate_is_wilsons() -> None:
    """Newcombe 1998, table I: 81 of 263 is 0.2553 to 0.3662, and 0 of 20 is 0 to 0.1611."""
    assert wilson(81, 263) == pytest.approx((0.2553, 0.3662), abs=5e-5)
    assert wilson(0, 20) == pytest.approx((0.0, 0.1611), abs=5e-5)
    assert Rates().click_range is None
    assert Rates().purchase_rate is None


def test_events_are_those_learnt_and_those_stored_since() -> None:
    release = release_of(two_tastes())
    days = range(20, 34)
    learnt = learnt_by_day(release, days)
    times = release.histories.times // DAY
    assert learnt == {day: int((times == day).sum()) for day in set(times.tolist()) if day in days}
    chart = events_chart(Activity(days, learnt, {33: 4}, None), {"learnt": "old", "new": "new"})
    assert chart.labels[0] == "1970-01-21"
    assert chart.series[1].values == [0] * 13 + [4]
    assert not chart.is_empty
