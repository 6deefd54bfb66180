"""`zhiyin.Client` against a live server, and against one that fails in every way it can."""

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

import zhiyin as zy
from live_server import running
from worlds import two_tastes
from zhiyin.client.buffer import MOST_BUFFERED
from zhiyin.errors import ConfigError, RequestError
from zhiyin.models.item_knn import ItemKNN
from zhiyin.models.popularity import Popularity
from zhiyin.ranking.recommend import Pipeline
from zhiyin.registry.release import Release
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.registry.store import Store as Registry
from zhiyin.serving.app import create_app
from zhiyin.serving.keys import Keys
from zhiyin.serving.live import Live, Served
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store

ODD = 'a/b?c#☕ "知音"'


@pytest.fixture(scope="module")
def release() -> Release:
    data = two_tastes()
    retrievers = {"item_knn": ItemKNN(shrinkage=0.0).fit(data), "popularity": Popularity().fit(data)}
    pipeline = Pipeline(retrievers, data.catalog, Popularity().fit(data))
    return Release.of(pipeline, data, {"k": 5, "store_sequence": 0, "weights": {}})


@contextmanager
def served(release: Release, folder: Path, keys: Keys | None = None, live: Live | None = None) -> Iterator[str]:
    settings = Settings(ServeSettings(open_on_loopback=keys is None))
    serving = live or Live(Served.of(release, {}))
    with running(create_app(serving, Store.of("events.db", folder), keys, settings)) as url:
        yield url


@pytest.fixture
def url(release: Release, tmp_path: Path) -> Iterator[str]:
    with served(release, tmp_path) as place:
        yield place


@pytest.fixture
def client(url: str) -> Iterator[zy.Client]:
    with zy.Client(url) as asking:
        yield asking


Answers = Callable[[BaseHTTPRequestHandler, bytes], None]


@contextmanager
def answering(answers: Answers) -> Iterator[str]:
    """A server that does with each request, and its body, what it is told."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do(self) -> None:
            answers(self, self.rfile.read(int(self.headers.get("Content-Length", 0))))

        do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def reply(handler: BaseHTTPRequestHandler, status: int, content: Any, **headers: str) -> None:
    body = content if isinstance(content, bytes) else json.dumps(content).encode()
    handler.send_response(status)
    for name, value in {"Content-Length": str(len(body)), **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()
    handler.wfile.write(body)


def health(url: str, **settings: Any) -> Any:
    with zy.Client(url, **settings) as asking:
        return asking.health()


HEALTHY = {"status": "ok", "version": 3, "uptime_s": 1.0}


def test_what_is_sent_counts_in_the_next_answer(client: zy.Client) -> None:
    first = client.recommend("new", k=12)
    assert (first.user_id, first.fallback, len(first.items)) == ("new", True, 12)
    assert client.send("new", first.items[0].item_id, "purchase", price=3.5).accepted == 1
    second = client.recommend("new", k=12, where="price < 5", exclude=["a-01"])
    ids = {item.item_id for item in second.items}
    assert not second.fallback
    assert first.items[0].item_id not in ids
    assert "a-01" not in ids
    (event,) = client.events("new")
    assert (event.event_type, event.price) == ("purchase", 3.5)
    assert [item.item_id[0] for item in client.recommend(history=["b-00", {"item_id": "b-01"}], k=3).items] == ["b"] * 3
    assert [item.item_id[0] for item in client.similar("a-02", 3, where="price < 9").items] == ["a"] * 3
    assert client.health().status == "ok"


def test_events_of_a_session_are_the_persons_after_login(client: zy.Client) -> None:
    client.send_many([{"session_id": "s/1", "item_id": "a-00"}, {"session_id": "s/1", "item_id": "a-01"}])
    assert list(client.events("eve")) == []
    assert client.login("s/1", "eve").session_id == "s/1"
    assert [event.item_id for event in client.events("eve")] == ["a-01", "a-00"]


def test_items_and_people_are_stored_changed_listed_and_forgotten(client: zy.Client) -> None:
    assert client.put_items({"item_id": f"i{place:03d}"} for place in range(120)).new == 120
    assert [item.item_id for item in client.items()] == [f"i{place:03d}" for place in range(120)]
    client.put_items([{"item_id": ODD, "attributes": {"price": 3, "tags": ["a"]}}])
    assert client.change_item(ODD, {"price": None}, hidden=True).attributes == {"tags": ["a"]}
    found = client.item(ODD)
    assert found is not None
    assert found.hidden
    assert (client.delete_item(ODD), client.delete_item(ODD), client.item(ODD)) == (True, False, None)
    client.put_users({"user_id": place} for place in range(101))
    assert len(list(client.users())) == 101
    assert client.change_user(7, {"city": "Wien"}, consent=False).consent is False
    user = client.user(7)
    assert user is not None
    assert user.attributes == {"city": "Wien"}
    for friend in range(101):
        client.befriend(7, friend, 0.5)
    assert [friend.weight for friend in client.friends(7)] == [0.5] * 101
    client.send_many({"user_id": 7, "item_id": "a-00"} for _ in range(101))
    assert len(list(client.events(7))) == 101
    assert len(client.export(7).held["events"]) == 101
    assert client.delete_user(7).content.removed["events"] == 101
    assert client.user(7) is None


def test_many_events_go_in_several_requests(client: zy.Client) -> None:
    rows = [{"user_id": "max", "item_id": "a-00", "event_id": str(place)} for place in range(10_005)]
    done = client.send_many(rows)
    assert (done.accepted, done.repeated) == (10_005, 0)
    assert client.send_many(rows[:3]).repeated == 3
    assert client.send_many([]).accepted == 0


def test_a_buffer_sends_when_it_is_full_and_at_the_end(client: zy.Client) -> None:
    with client.buffer(size=10) as events:
        for place in range(25):
            events.add("ann", f"a-{place % 6:02d}", "view", value=1.0)
        assert len(events) == 5
        assert len(list(client.events("ann"))) == 20
    assert len(events) == 0
    assert len(list(client.events("ann"))) == 25


def test_threads_share_a_client_and_a_buffer(client: zy.Client) -> None:
    with client.buffer(size=7) as events, ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda place: events.add("ann", "a-00", value=float(place)), range(100)))
    assert sorted(event.value for event in client.events("ann")) == [float(place) for place in range(100)]


def test_a_refusal_is_raised_with_its_status_and_place(client: zy.Client) -> None:
    with pytest.raises(RequestError, match="did you mean 'where'") as refusal:
        client.recommend("ann", whre="x")
    assert (refusal.value.status, refusal.value.where) == (422, "whre")
    with pytest.raises(RequestError, match="is not known") as refusal:
        client.similar("nothing")
    assert refusal.value.status == 404
    with pytest.raises(RequestError, match="must have at most"):
        client.item("x" * 2_000)


def test_a_key_opens_the_service_and_is_never_shown(release: Release, tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys.json")
    secret = keys.create("web")
    with served(release, tmp_path, keys) as url:
        with pytest.raises(RequestError, match="an API key is needed") as refusal, zy.Client(url) as stranger:
            stranger.recommend("ann")
        assert refusal.value.status == 401
        client = zy.Client(url, secret)
        assert client.recommend("ann").items
        assert secret not in repr(client) + repr(vars(client))
        client.close()


@pytest.mark.parametrize(
    "url",
    ["localhost:8000", "ftp://shop.example", "http://", "http://ann:secret@shop.example", "http://shop.example?a=1"],
)
def test_an_address_that_cannot_be_one_is_refused_without_repeating_it(url: str) -> None:
    with pytest.raises(ConfigError, match="the url of a Client must be like") as refusal:
        zy.Client(url)
    assert "secret" not in str(refusal.value)


@pytest.mark.parametrize("settings", [{"timeout_seconds": 0}, {"tries": 0}])
def test_a_client_that_would_never_ask_is_refused(settings: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match="timeout_seconds must be above 0 and tries at least 1"):
        zy.Client("http://127.0.0.1:1", **settings)


def test_an_event_whose_answer_was_lost_is_stored_once(url: str) -> None:
    lost: list[bytes] = []

    def loses_the_first(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        behind = HTTPConnection(url.removeprefix("http://"))
        behind.request(handler.command, handler.path, body, {"Content-Type": "application/json"})
        answer = behind.getresponse()
        content = answer.read()
        behind.close()
        if not lost:
            lost.append(content)
            handler.close_connection = True  # the event is stored, and nobody is told
        else:
            reply(handler, answer.status, content)

    with answering(loses_the_first) as front, zy.Client(front) as client:
        done = client.send("ann", "a-00")
        assert (done.accepted, done.repeated) == (0, 1)
        assert b'"accepted":1' in lost[0]
        assert len(list(client.events("ann"))) == 1


def test_what_cannot_be_done_now_is_tried_again(capfd: pytest.CaptureFixture[str]) -> None:
    statuses = [503, 429, 200]
    seen: list[tuple[str, bytes]] = []

    def hesitates(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        seen.append((handler.headers["Authorization"], body))
        status = statuses.pop(0)
        content = HEALTHY if status == 200 else {"error": {"status": status, "message": "not now"}}
        reply(handler, status, content, Retry_After="soon" if status == 429 else "0.01")

    with answering(hesitates) as url, zy.Client(url, "zk_secret") as client:
        assert client.health().version == 3
    assert seen == [("Bearer zk_secret", b"")] * 3
    assert "secret" not in "".join(capfd.readouterr())


def test_trying_ends_with_the_sentence_of_the_service() -> None:
    asked: list[str] = []

    def never(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        asked.append(handler.path)
        reply(handler, 503, {"error": {"status": 503, "message": "the disk is full"}})

    with answering(never) as url, pytest.raises(RequestError, match="the disk is full"):
        health(url, tries=2)
    assert len(asked) == 2


def test_a_kept_connection_that_has_ended_costs_no_try() -> None:
    def hangs_up(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        reply(handler, 200, HEALTHY)
        handler.close_connection = True  # without saying so

    with answering(hangs_up) as url, zy.Client(url, tries=1) as client:
        assert [client.health().version for _ in range(3)] == [3, 3, 3]


def test_a_service_that_is_not_there_is_said_so() -> None:
    with answering(lambda *_: None) as url:
        pass
    with pytest.raises(RequestError, match=r"cannot be reached \(Connection refused\)") as refusal:
        health(url, tries=1)
    assert refusal.value.status == 503
    with pytest.raises(RequestError, match="cannot be reached"):
        health("http://no.such.host.invalid", tries=1)


def test_a_service_that_never_answers_is_given_up(url: str) -> None:
    over = threading.Event()
    with answering(lambda *_: over.wait(30) and None) as silent:
        with pytest.raises(RequestError, match="timed out"):
            health(silent, tries=1, timeout_seconds=0.05)
        over.set()


@pytest.mark.parametrize(
    ("status", "content", "sentence"),
    [
        (200, b"<html>", "cannot read"),
        (200, b'{"version": 3}', "missing required field `status`"),
        (500, b"<html>Bad gateway", "the service answered 500: <html>Bad gateway"),
        (301, b"", "the service answered 301"),
    ],
)
def test_an_answer_of_something_else_is_said_so(status: int, content: bytes, sentence: str) -> None:
    with (
        answering(lambda handler, _: reply(handler, status, content)) as url,
        pytest.raises(RequestError, match=sentence),
    ):
        health(url)


def test_a_service_without_tls_is_not_spoken_to_as_if_it_had() -> None:
    refused = pytest.raises(RequestError, match="cannot be reached")
    with answering(lambda handler, _: reply(handler, 200, HEALTHY)) as url, refused:
        health(url.replace("http:", "https:"), tries=1)


def test_an_answer_without_end_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhiyin.client.wire.MOST_BYTES", 10)
    refused = pytest.raises(RequestError, match="longer than 10 bytes")
    with answering(lambda handler, _: reply(handler, 200, HEALTHY)) as url, refused:
        health(url)


def test_a_buffer_keeps_what_could_not_be_sent_and_is_bounded() -> None:
    taken: list[list[str]] = []
    down = True

    def recovers(handler: BaseHTTPRequestHandler, body: bytes) -> None:
        if down:
            reply(handler, 503, {"error": {"status": 503, "message": "not now"}})
            return
        rows = json.loads(body)
        taken.append([row["event_id"] for row in rows])
        reply(handler, 202, {"request_id": "r", "accepted": len(rows), "repeated": 0, "refused": []})

    with answering(recovers) as url, zy.Client(url, tries=1) as client:
        events = client.buffer(size=4)
        for place in range(3):
            events.add("ann", "a", event_id=f"e{place}")
        with pytest.raises(RequestError, match="not now"):
            events.add("ann", "a", event_id="e3")
        assert len(events) == 4
        down = False
        events.flush()
        events.flush()
        assert taken == [["e0", "e1", "e2", "e3"]]
        large = client.buffer(size=MOST_BUFFERED)
        down = True
        for _ in range(MOST_BUFFERED - 1):
            large.add("ann", "a")
        with pytest.raises(RequestError, match="not now"):
            large.add("ann", "a")
        with pytest.raises(RequestError, match="10,000 events wait to be sent"):
            large.add("ann", "a")


def test_the_other_questions_are_asked_where_they_are_answered(client: zy.Client) -> None:
    popular = client.popular(3, where="price < 9")
    assert (popular.source, len(popular.items)) == ("popular", 3)
    cart = client.cart(["a-00", "a-01"], 3, where="price < 9")
    assert [item.item_id[0] for item in cart.items] == ["a"] * 3
    assert client.recommend(session_id="s/2", k=2, scenario="email").scenario == "email"


def test_the_releases_are_told(release: Release, tmp_path: Path) -> None:
    registry = Registry(tmp_path / "releases")
    for _ in range(2):
        registry.publish(release.write, {"created": 1})
    registry.promote(2, 1)
    live = Live.of(registry, {})
    with served(release, tmp_path, live=live) as url, zy.Client(f"{url}/") as client:
        assert [(version.number, version.serving) for version in client.versions()] == [(1, False), (2, True)]


def test_a_service_below_a_path_is_reached() -> None:
    asked: list[str] = []

    def tells(handler: BaseHTTPRequestHandler, _: bytes) -> None:
        asked.append(handler.path)
        reply(handler, 200, HEALTHY)

    with answering(tells) as url:
        health(f"{url}/shop/")
    assert asked == ["/shop/v1/health"]


def test_importing_the_client_loads_nothing_heavy() -> None:
    heavy = ["numpy", "polars", "numba", "starlette", "sqlalchemy"]
    code = f"import sys, zhiyin; zhiyin.Client; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"
