"""Who gets in, to what, how often and from where; and that whoever does not is written down."""

import asyncio
import json
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from starlette.testclient import TestClient

from zhiyin.errors import RequestError
from zhiyin.registry.access_settings import AccessSettings
from zhiyin.registry.release import Release
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving.access import MOST_WAITING, Access
from zhiyin.serving.addresses import SCOPE
from zhiyin.serving.app import create_app
from zhiyin.serving.audit import Audit
from zhiyin.serving.audit_trail import newest, verified
from zhiyin.serving.caller import Caller, Role
from zhiyin.serving.keys import Keys
from zhiyin.serving.live import Live, Served
from zhiyin.serving.refusals import Refusals
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store

ASK = "/v1/users/a000/recommendations"
DAY = 86_400_000_000
LATE = "this API key is not known: check it, or ask for a new one"


class Moment:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1_790_000_000_000_000

    def __call__(self) -> int:
        return self.now


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys.json", Moment())


@pytest.fixture
def audit(tmp_path: Path) -> Audit:
    return Audit(tmp_path / "audit.jsonl", Moment())


@pytest.fixture
def hashings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that was hashed to be verified: the slow part, counted."""
    found: list[str] = []
    verify = PasswordHasher.verify
    monkeypatch.setattr(
        PasswordHasher, "verify", lambda self, kept, text: (found.append(text), verify(self, kept, text))[1]
    )
    return found


@pytest.fixture
def guarded(release: Release, tmp_path: Path, keys: Keys, audit: Audit) -> Callable[..., Any]:
    """A service that asks for keys, over a network; `guarded(allow=…)` sets [access]; at its end it has written all."""

    def opened(client: str = "198.51.100.7", **settings: Any) -> TestClient:
        chosen = Settings(access=AccessSettings(**settings))
        store = Store.of("events.db", tmp_path)
        app = create_app(Live(Served.of(release, {})), store, keys, chosen, audit=audit)
        return TestClient(app, "http://shop.example", raise_server_exceptions=False, client=(client, 50_000))

    return opened


def said(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.text
    assert answer.json()["error"]["status"] == status
    return answer.json()["error"]["message"]


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


def test_a_key_that_opens_to_nobody_gets_one_answer_at_one_price(
    guarded: Any, keys: Keys, audit: Audit, hashings: list[str]
) -> None:
    clock = keys._clock
    right, late, gone = keys.create("right"), keys.create("late", expires=clock() + DAY), keys.create("gone")
    keys.revoke("gone")
    clock.now += 2 * DAY
    wrong = right[:-1] + ("A" if right[-1] != "A" else "B")
    with guarded() as client:
        for key in ("zk_" + "A" * 43, wrong, late, gone):
            hashings.clear()
            for _ in range(3):
                assert said(client.get(ASK, headers=bearer(key)), 401) == LATE
            assert hashings == [key]
        hashings.clear()
        assert "is needed" in said(client.get(ASK), 401)
        assert said(client.get(ASK, headers=bearer("short")), 401) == LATE
        assert hashings == []
        assert client.get(ASK, headers=bearer(right)).status_code == 200
    (entry,) = newest(audit.path, 10).entries
    assert (entry.act, entry.object, entry.address, entry.outcome) == ("refused", "401", "198.51.100.7", "14 times")
    assert not any(key[11:] in audit.path.read_text() for key in (right, late, gone, wrong))


@pytest.mark.parametrize(
    ("role", "allowed"),
    [(Role.READER, {"ask"}), (Role.WRITER, {"ask", "tell"}), (Role.OPERATOR, {"ask", "tell"}),
     (Role.ADMIN, {"ask", "tell", "audit"})],
)  # fmt: skip
def test_a_role_may_do_what_those_before_it_may_and_no_more(
    guarded: Any, keys: Keys, audit: Audit, role: Role, allowed: set[str]
) -> None:
    headers = bearer(keys.create("one", role=role))
    with guarded() as client:
        answers = {
            "ask": client.get(ASK, headers=headers),
            "tell": client.post("/v1/events", json={"user_id": "a", "item_id": "b-01"}, headers=headers),
            "audit": client.get("/v1/audit", headers=headers),
        }
        assert client.get("/no/such/route", headers=headers).status_code == 404
    assert {name for name, answer in answers.items() if answer.status_code < 300} == allowed
    for name in answers.keys() - allowed:
        sentence = said(answers[name], 403)
        assert f"the key of one has {role}" in sentence
    refused = [(entry.actor, entry.object) for entry in newest(audit.path, 10).entries]
    assert refused == ([("one", "403")] if len(allowed) < 3 else [])


def test_a_key_for_one_scenario_is_refused_another(guarded: Any, keys: Keys, audit: Audit) -> None:
    home, similar = keys.create("home", scenarios=["home"]), keys.create("similar", scenarios=["similar", "cart"])
    with guarded() as client:
        for path, opens_to in ((ASK, home), ("/v1/items/a-00/similar", similar)):
            for key in (home, similar):
                answer = client.get(path, headers=bearer(key))
                if key == opens_to:
                    assert answer.status_code == 200
                else:
                    assert "other scenarios" in said(answer, 403)
        body = {"user_id": "a000"}
        assert "'home'" in said(client.post("/v1/recommendations", json=body, headers=bearer(similar)), 403)
    assert {entry.actor: entry.outcome for entry in newest(audit.path, 9).entries} == {
        "home": "1 times", "similar": "2 times",
    }  # fmt: skip


def test_every_route_names_its_role_and_who_may_not(steady: Any) -> None:
    from zhiyin.serving.app import OPERATIONS

    paths = steady.get("/openapi.json").json()["paths"]
    for one in OPERATIONS:
        described = paths[one.path.replace(":path}", "}")][one.method.lower()]
        assert described.get("x-role") == (None if one.role is None else str(one.role))
        assert ({"401", "403", "429"} <= set(described["responses"])) is (one.role is not None)


def test_on_this_machine_an_open_service_has_an_admin(opens: Any, audit: Audit) -> None:
    client = opens(audit=audit)
    assert client.get("/v1/audit").json() == {"entries": []}


def test_wrong_keys_of_one_address_are_not_hashed_without_end(guarded: Any, keys: Keys, hashings: list[str]) -> None:
    right = keys.create("right")
    with guarded() as client:
        assert client.get(ASK, headers=bearer(right)).status_code == 200
        hashings.clear()
        answers = [client.get(ASK, headers=bearer(f"zk_{i:043}")) for i in range(60)]
        statuses = [answer.status_code for answer in answers]
        assert statuses[:20] == [401] * 20
        assert statuses[-1] == 429
        assert "too many wrong keys" in said(answers[-1], 429)
        assert 1 <= int(answers[-1].headers["retry-after"]) <= 3
        assert len(hashings) == statuses.count(401) < 60
        assert client.get(ASK, headers=bearer(right)).status_code == 200  # known keys go on
        assert client.get("/v1/health").status_code == 200
    with guarded(client="203.0.113.9") as elsewhere:
        assert elsewhere.get(ASK, headers=bearer("zk_" + "B" * 43)).status_code == 401


def test_right_keys_that_come_first_all_at_once_are_hashed_once_each(keys: Keys, hashings: list[str]) -> None:
    texts = [keys.create(f"shop {i}") for i in range(3)]
    access = Access(keys, ServeSettings(), seconds=lambda: 0.0)

    async def all_at_once() -> list[Caller]:
        scopes = [scope_of(text) for text in texts * 20]
        return await asyncio.gather(*map(access.admit, scopes))

    found = asyncio.run(all_at_once())
    assert [caller.name for caller in found] == ["shop 0", "shop 1", "shop 2"] * 20
    assert sorted(hashings) == sorted(texts)


def test_keys_that_wait_to_be_hashed_are_bounded(keys: Keys, hashings: list[str], monkeypatch: Any) -> None:
    monkeypatch.setattr("zhiyin.serving.access.MOST_WAITING", 3)
    access = Access(keys, ServeSettings(), seconds=lambda: 0.0)

    async def all_at_once() -> list[Any]:
        scopes = [scope_of(f"zk_{i:043}", address=f"192.0.2.{i}") for i in range(8)]
        return await asyncio.gather(*map(access.admit, scopes), return_exceptions=True)

    found = asyncio.run(all_at_once())
    assert all(isinstance(one, RequestError) for one in found)
    assert sorted(one.status for one in found) == [401] * 3 + [503] * 5
    assert len(hashings) == 3 < MOST_WAITING


def scope_of(key: str, address: str = "192.0.2.1") -> dict[str, Any]:
    return {"type": "http", "client": (address, 1), "headers": [(b"x-api-key", key.encode())], SCOPE: address}


def test_a_key_asks_as_often_as_its_rate_says(keys: Keys, audit: Audit) -> None:
    seconds = [0.0]
    access = Access(keys, ServeSettings(), AccessSettings(rate="2/s", burst=3), seconds=lambda: seconds[0])
    texts = {"usual": keys.create("usual"), "own": keys.create("own", rate="10/s")}

    refused: set[tuple[int, str]] = set()

    async def granted(text: str) -> int:
        caller = await access.admit(scope_of(text))
        count = 0
        for _ in range(20):
            try:
                found = access.allowance(caller)
            except RequestError as error:
                refused.add((error.status, error.headers["RateLimit"].rpartition("=")[0]))
                continue
            count += found is not None
        return count

    assert asyncio.run(granted(texts["usual"])) == 3
    seconds[0] = 1.0
    assert asyncio.run(granted(texts["usual"])) == 2
    assert asyncio.run(granted(texts["own"])) == 3
    assert refused == {(429, '"key";r=0;t')}


def test_answers_say_how_much_is_left_and_when_to_come_back(guarded: Any, keys: Keys, audit: Audit) -> None:
    headers = bearer(keys.create("shop", rate="2/h"))
    with guarded(burst=2) as client:
        answers = [client.get(ASK, headers=headers) for _ in range(3)]
        assert "ratelimit" not in client.get("/v1/health").headers
    assert [answer.status_code for answer in answers] == [200, 200, 429]
    assert {answer.headers["ratelimit-policy"] for answer in answers} == {'"key";q=2;w=3600'}
    assert answers[0].headers["ratelimit"].startswith('"key";r=1;t=0')
    assert "shop asks too often" in said(answers[2], 429)
    assert 1_700 < int(answers[2].headers["retry-after"]) <= 1_800
    (entry,) = newest(audit.path, 5).entries
    assert (entry.actor, entry.object) == ("shop", "429")


def test_without_a_rate_nothing_is_counted(guarded: Any, keys: Keys) -> None:
    headers = bearer(keys.create("shop"))
    with guarded() as client:
        answer = client.get(ASK, headers=headers)
    assert answer.status_code == 200
    assert "ratelimit" not in answer.headers


def test_an_address_that_is_not_listed_sees_nothing_at_all(guarded: Any, keys: Keys, hashings: list[str]) -> None:
    headers = bearer(keys.create("shop", role=Role.ADMIN))
    with guarded(allow=("10.0.0.0/8",), cors_origins=("https://shop.example",)) as client:
        for path in (ASK, "/v1/health", "/openapi.json", "/nothing"):
            for more in ({}, {"x-forwarded-for": "10.0.0.1"}, {"x-real-ip": "10.0.0.1"}):
                assert "this address may not ask" in said(client.get(path, headers={**headers, **more}), 403)
        assert client.options(ASK, headers=preflight("https://shop.example")).status_code == 403
    assert hashings == []
    with guarded(client="10.1.2.3", allow=("10.0.0.0/8",)) as client:
        assert client.get(ASK, headers=headers).status_code == 200


def test_behind_a_trusted_proxy_the_caller_counts_and_not_the_proxy(guarded: Any, keys: Keys, audit: Audit) -> None:
    headers = bearer(keys.create("shop"))
    settings = {"allow": ("192.0.2.0/24",), "trusted_proxies": ("10.0.0.1",)}
    with guarded(client="10.0.0.1", **settings) as client:
        for forwarded, status in (
            ("192.0.2.5", 200), ("192.0.2.5, 203.0.113.9", 403), ("203.0.113.9, 192.0.2.5", 200), ("rubbish", 403),
        ):  # fmt: skip
            answer = client.get(ASK, headers={**headers, "x-forwarded-for": forwarded})
            assert answer.status_code == status, forwarded
        assert client.get(ASK, headers=headers).status_code == 403  # the proxy itself is not on the list
    assert {entry.address for entry in newest(audit.path, 9).entries} == {"203.0.113.9", "unknown", "10.0.0.1"}


def preflight(origin: str) -> dict[str, str]:
    return {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "authorization,content-type",
    }


def test_no_page_may_ask_unless_its_origin_is_named(guarded: Any, keys: Keys) -> None:
    headers = bearer(keys.create("shop"))
    with guarded() as client:
        assert client.options("/v1/recommendations", headers=preflight("https://shop.example")).status_code == 401
        answer = client.get(ASK, headers={**headers, "Origin": "https://shop.example"})
        assert not [name for name in answer.headers if name.startswith("access-control")]
    with guarded(cors_origins=("https://shop.example",)) as client:
        told = client.options("/v1/recommendations", headers=preflight("https://shop.example"))
        assert told.status_code == 200
        assert told.headers["access-control-allow-origin"] == "https://shop.example"
        assert "Authorization" in told.headers["access-control-allow-headers"]
        assert "access-control-allow-credentials" not in told.headers
        for origin in ("https://evil.example", "null", "https://shop.example.evil.example", "http://shop.example"):
            assert client.options("/v1/recommendations", headers=preflight(origin)).status_code == 400
            answer = client.get(ASK, headers={**headers, "Origin": origin})
            assert "access-control-allow-origin" not in answer.headers
        refused = client.get(ASK, headers={"Origin": "https://shop.example"})
        assert (refused.status_code, refused.headers["access-control-allow-origin"]) == (401, "https://shop.example")


def test_long_urls_and_headers_are_refused_before_any_key_is_looked_at(guarded: Any) -> None:
    with guarded() as client:
        assert "longer than 49,152 bytes" in said(client.get(ASK, params={"where": "x" * 50_000}), 414)
        assert "longer than 32,768 bytes" in said(client.get(ASK, headers={"x-much": "x" * 40_000}), 431)


def test_json_may_be_nested_as_deep_as_the_settings_say(guarded: Any, keys: Keys) -> None:
    headers = {**bearer(keys.create("shop")), "content-type": "application/json"}
    with guarded(depth=2) as client:
        deep = client.post("/v1/events", content='{"user_id": [[1]]}', headers=headers)
        assert "nested deeper than 2 levels" in said(deep, 400)
        assert client.post("/v1/events", content='{"user_id": [1]}', headers=headers).status_code == 422


@pytest.mark.parametrize("settings", [{}, {"certificate": "a.pem", "private_key": "b.pem"}])
def test_browsers_are_told_how_to_treat_every_answer(guarded: Any, settings: Any) -> None:
    with guarded(**settings) as client:
        for path in ("/v1/health", ASK, "/openapi.json"):
            headers = client.get(path).headers
            assert headers["cross-origin-resource-policy"] == "same-origin"
            assert headers["permissions-policy"].startswith("camera=()")
            assert ("strict-transport-security" in headers) is bool(settings)


@pytest.mark.parametrize(
    "key", ["zk_\r\nX-Evil: 1", "zk_" + "A" * 43 + "\n", "\x1b[31m", "名", "x" * 30_000, "' OR 1=1 --", "%0d%0a"]
)
def test_nothing_in_a_key_gets_into_answers_logs_or_the_audit(
    guarded: Any, audit: Audit, key: str, caplog: Any
) -> None:
    with guarded() as client:
        answer = client.get(ASK, headers={b"x-api-key": key.encode()})
    assert said(answer, 401) in (
        LATE,
        "an API key is needed: send it as Authorization: Bearer KEY, or as X-API-Key: KEY",
    )
    assert "x-evil" not in answer.headers
    assert key not in answer.text + caplog.text
    assert len(audit.path.read_text().splitlines()) == 1
    assert verified(audit.path).fault is None


def test_a_flood_of_refusals_is_a_few_lines(audit: Audit) -> None:
    refusals = Refusals(audit)
    for i in range(5_000):
        refusals.note(401, "", f"203.0.{i % 250}.{i // 250}")
        refusals.note(403, "shop", "192.0.2.1")
    refusals.write()
    refusals.write()
    entries = newest(audit.path, 1_000).entries
    assert len(entries) == 101
    counts = {(one.actor, one.address, one.object): one.outcome for one in entries}
    assert counts["shop", "192.0.2.1", "403"] == "5,000 times"
    assert counts["", "elsewhere", "401"] == "4,901 times"


def test_refusals_that_cannot_be_written_are_let_go(audit: Audit, caplog: Any) -> None:
    audit.path.mkdir()
    refusals = Refusals(audit)
    refusals.note(401, "", "192.0.2.1")
    refusals.write()
    assert "1 lines on refused requests are lost" in caplog.text
    audit.path.rmdir()
    refusals.write()
    assert not audit.path.exists()


def test_the_audit_over_http_is_read_page_by_page(guarded: Any, keys: Keys, audit: Audit) -> None:
    headers = bearer(keys.create("boss", role=Role.ADMIN))
    for i in range(5):
        audit.record("promote", f"release {i}", Caller("boss", Role.ADMIN, address="192.0.2.1"))
    with guarded() as client:
        seen, cursor = [], None
        while True:
            params = {"limit": 2} | ({"cursor": cursor} if cursor else {})
            page = client.get("/v1/audit", params=params, headers=headers).json()
            seen += [entry["object"] for entry in page["entries"]]
            if not (cursor := page.get("cursor")):
                break
        for params in ({"limit": "0"}, {"limit": "x"}, {"limit": "1001"}, {"cursor": "-1"}, {"cursor": "9" * 30}):
            assert "must be a whole number" in said(client.get("/v1/audit", params=params, headers=headers), 422)
    assert seen == [f"release {i}" for i in (4, 3, 2, 1, 0)]
    assert json.loads(audit.path.read_text().splitlines()[0])["actor"] == "boss"


def test_a_route_that_the_door_does_not_guard_lets_nobody_in() -> None:
    from starlette.requests import Request

    from zhiyin.serving.caller import caller_of

    with pytest.raises(RequestError, match="an API key is needed"):
        caller_of(Request({"type": "http", "headers": []}))


def test_a_log_line_names_the_key_and_never_shows_it(
    guarded: Callable[..., Any], keys: Keys, caplog: pytest.LogCaptureFixture
) -> None:
    key = keys.create("web")
    with caplog.at_level(logging.DEBUG, "zhiyin.access"), guarded() as client:
        client.get("/v1/users/ann/recommendations", headers={"X-API-Key": key})
    (line,) = [one for one in caplog.records if one.name == "zhiyin.access"]
    assert line.caller == "web"  # type: ignore[attr-defined]  # logged as an extra
    assert key not in str(vars(line))
