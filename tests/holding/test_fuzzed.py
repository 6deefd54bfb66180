"""Every route with any path, query, headers and body: never a 500, never a hang, and memory that stays where it was."""

import gc
import json
import os
import random
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote_from_bytes

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.holding.asked import JSON, Asked, Header, asking
from tests.holding.harness import full
from tests.holding.mutated import ODD, changed, written
from zhiyin.registry.release import Release
from zhiyin.serving.gorse import routes as gorse
from zhiyin.serving.operation import Operation
from zhiyin.serving.resources import OPERATIONS

ALL = (*OPERATIONS, *gorse.OPERATIONS)
EXAMPLES = full(20, 200)
INPUTS = full(1_000, 20_000)
GROWTH_MB = 8.0

GOOD_BODIES: list[Any] = [
    {
        "user_id": "a001",
        "item_id": "a-01",
        "event_type": "view",
        "timestamp": 1.7e9,
        "value": 1.5,
        "price": 2,
        "quantity": -1,
        "event_id": "e",
        "request_id": "r",
        "session_id": "s",
        "context": {"page": 3},
        "impressions": ["x"],
    },
    [{"user_id": "a001", "item_id": "a-01"}, {"session_id": 7, "item_id": 8}],
    {"events": [{"user_id": "a001", "item_id": "a-01", "timestamp": "2026-01-01T00:00:00Z"}]},
    {
        "user_id": "a001",
        "k": 3,
        "where": "price < 9 AND category = 'a'",
        "exclude": ["a-02"],
        "boosts": {"price < 3": 2.0},
        "caps": {"category": 2},
        "promotions": [{"where": "price > 4", "share": 0.5, "since": "2026-01-01"}],
        "seen": "keep",
        "seen_days": 3,
        "explain": True,
        "language": "zh",
        "now": "2026-01-01",
        "context": {"a": 1},
    },
    {"history": ["a-01", {"item_id": "a-02", "timestamp": 5, "event_type": "view", "value": 3}], "scenario": "email"},
    {"user_ids": ["a001", "nobody"], "k": 3, "personal": False},
    {"items": ["a-01", "a-02"], "scenario": "cart"},
    {"item_id": "new", "attributes": {"price": 3.5, "tags": ["a"], "title": "é", "new": True}, "hidden": False},
    {"user_id": "new", "attributes": {"age": 3}, "personalised": False, "consent": True},
    {"attributes": {"price": None}, "hidden": True},
    {"session_id": "s", "user_id": "a001"},
    [{"FeedbackType": "read", "UserId": "u", "ItemId": "i", "Timestamp": "2020-02-02T20:20:02.02Z", "Value": 1}],
    {
        "ItemId": "i",
        "IsHidden": True,
        "Labels": {"a": ["b"]},
        "Categories": ["c"],
        "Timestamp": "2020-02-02",
        "Comment": "c",
    },
    {"UserId": "u", "Labels": {"a": 1}, "Subscribe": ["s"], "Comment": "c"},
]
"""Each of a shape that some route takes, to begin with."""

SEGMENTS = st.one_of(
    st.sampled_from([b"a001", b"a-01", b"1", b"..", b"%2e%2e", b"%2F", b"%00", b"%ff%fe", b"", b" ", b"%0d%0aX:%20y"]),
    st.sampled_from([b"9" * 30, b"-1", b"%25", b"%", b"%zz", b"*", b"null", b"'--", b"\\", b"a" * 2_000]),
    st.text(max_size=30).map(lambda text: quote_from_bytes(text.encode("utf-8", "surrogatepass")).encode()),
    st.binary(max_size=20).map(lambda raw: quote_from_bytes(raw).encode()),
)
VALUES = st.one_of(
    st.sampled_from(
        [b"3", b"0", b"-1", b"1e9", b"nan", b"%C2%B2", b"99999999999999999999", b"true", b"zh", b"email", b""]
    ),
    st.sampled_from(
        [b"price+<+3", b"%27", b"((((", b"category+IN+('a'", b"a" * 3_000, b"%00", b"%f0%9f%98%80", b"10m", b"9h"]
    ),
    SEGMENTS,
)
NAMES = [
    "k",
    "n",
    "offset",
    "limit",
    "cursor",
    "where",
    "scenario",
    "user_id",
    "item_id",
    "partial",
    "explain",
    "language",
    "weight",
    "q",
    "category",
    "write-back-type",
    "write-back-delay",
    "begin-time",
    "x",
]
HEADERS = st.one_of(
    st.sampled_from([JSON, JSON, JSON, JSON, (b"content-type", b"text/plain"), (b"content-encoding", b"gzip")]),
    st.sampled_from(
        [(b"content-length", b"-5"), (b"content-length", "²".encode("latin-1")), (b"x-request-id", b"ok.1")]
    ),
    st.tuples(
        st.sampled_from(
            [
                b"x-request-id",
                b"authorization",
                b"x-api-key",
                b"accept",
                b"content-type",
                b"origin",
                b"x-forwarded-for",
                b"traceparent",
                b"cookie",
                b"host",
                b"content-length",
                b"range",
            ]
        ),
        st.binary(max_size=60),
    ),
)
LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=20), st.sampled_from(ODD))
DOCUMENTS = st.recursive(
    LEAVES,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
BODIES = st.one_of(
    st.sampled_from(GOOD_BODIES).flatmap(changed).map(written),
    st.sampled_from(GOOD_BODIES).map(written),
    DOCUMENTS.map(written),
    st.binary(max_size=200),
    st.sampled_from(
        [b"[" * 40, b"[" * 100_000, b'{"a":' * 500, b"\xff\xfe", b'{"user_id": "\\ud800"}', b"1e999", b"NaN"]
    ),
)
LAWS = settings(
    max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


@pytest.fixture(scope="module")
def ask(tmp_path_factory: pytest.TempPathFactory, small_release: Release) -> Iterator[Asked]:
    with asking(tmp_path_factory.mktemp("asked"), small_release) as asked:
        yield asked


@st.composite
def paths(draw: st.DrawFn, operation: Operation) -> bytes:
    """The path of an operation with anything in its places."""
    parts = operation.path.split("/")[1:]
    return b"".join(b"/" + (draw(SEGMENTS) if part.startswith("{") else part.encode()) for part in parts)


def is_well(status: int, body: bytes, path: bytes) -> None:
    assert status < 500, body
    if status >= 400 and not path.startswith(b"/api/"):
        problem = json.loads(body)["error"]
        assert problem["status"] == status
        assert problem["message"]


@settings(LAWS)
@given(data=st.data())
@pytest.mark.parametrize("place", range(0, len(ALL), 1), ids=lambda place: f"{ALL[place].method} {ALL[place].path}")
def test_no_request_to_a_route_is_a_fault_of_the_service(ask: Asked, place: int, data: st.DataObject) -> None:
    operation = ALL[place]
    path = data.draw(paths(operation))
    query = b"&".join(
        name.encode() + b"=" + value
        for name, value in data.draw(st.lists(st.tuples(st.sampled_from(NAMES), VALUES), max_size=3))
    )
    headers: list[Header] = data.draw(st.lists(HEADERS, max_size=3))
    came = ask(operation.method, path, query, data.draw(BODIES), headers)
    is_well(came.status, came.body, path)


@settings(LAWS, max_examples=10 * EXAMPLES)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "HEAD", "OPTIONS", "TRACE", "FOO", "get", ""]),
    path=st.lists(SEGMENTS, max_size=6).map(lambda parts: b"/" + b"/".join(parts)),
    query=st.binary(max_size=60),
)
def test_no_other_request_is_either(ask: Asked, method: str, path: bytes, query: bytes) -> None:
    came = ask(method, path, query)
    assert came.status < 500, came


def test_a_query_that_is_no_text_is_read_as_far_as_it_can_be(ask: Asked) -> None:
    came = ask("GET", b"/nowhere", b"\x80")
    assert (came.status, came.json()["error"]["message"]) == (
        404,
        "/nowhere is no route of this service: see /openapi.json",
    )
    assert ask("GET", b"/v1/items/a-01/similar", b"k=3&where=\xff").status == 422


def memory_mb() -> float:
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20


class Noise:
    """Any request, quickly: hypothesis remembers what it has tried, which would be all that memory shows."""

    def __init__(self, seed: int) -> None:
        self._chance = random.Random(seed)

    def document(self, depth: int = 0) -> Any:
        chance = self._chance
        what = chance.randrange(9 if depth < 3 else 6)
        if what < 3:
            return chance.choice(ODD)
        if what < 6:
            return chance.choice(
                [self.text(), chance.random() * 10 ** chance.randrange(-9, 30), chance.getrandbits(70)]
            )
        many = range(chance.randrange(4))
        return (
            [self.document(depth + 1) for _ in many]
            if what < 8
            else {self.text(): self.document(depth + 1) for _ in many}
        )

    def text(self) -> str:
        return "".join(
            chr(self._chance.choice([self._chance.randrange(128), self._chance.randrange(0xD800)])) for _ in range(8)
        )

    def body(self) -> bytes:
        chance = self._chance
        what = chance.randrange(4)
        if what == 0:
            return chance.randbytes(chance.randrange(200))
        document = self.document() if what == 1 else json.loads(json.dumps(chance.choice(GOOD_BODIES)))
        if what == 2 and isinstance(document, dict):
            document[chance.choice([*document, self.text()])] = self.document()
        return written(document)

    def request(self) -> tuple[str, bytes, bytes, bytes]:
        chance = self._chance
        operation = chance.choice(ALL)
        segment = quote_from_bytes(self.text().encode()).encode()
        path = "/".join(
            chance.choice(["a001", "a-01", segment.decode()]) if part.startswith("{") else part
            for part in operation.path.split("/")
        )
        name, value = chance.choice(NAMES), chance.choice([b"3", b"price<3", segment])
        return (
            operation.method,
            path.encode(),
            name.encode() + b"=" + value if chance.random() < 0.3 else b"",
            self.body(),
        )


def test_memory_is_flat_after_thousands_of_inputs(ask: Asked) -> None:
    noise, statuses, seen = Noise(0), Counter[int](), []
    for number in range(INPUTS):
        method, path, query, body = noise.request()
        came = ask(method, path, query, body, [JSON])
        is_well(came.status, came.body, path)
        statuses[came.status] += 1
        if number % (INPUTS // 10) == 0:
            seen.append(memory_mb())
    early, late = seen[len(seen) // 2], memory_mb()
    assert late - early < GROWTH_MB, f"memory grew from {early:.1f} to {late:.1f} MB: {seen}"
    print(f"{INPUTS:,} inputs: {dict(statuses)}; {early:.1f} MB halfway, {late:.1f} MB in the end")


@pytest.mark.parametrize("path", [b"/", b"/data", b"/sign-in", b"/people/a%3fb"])
def test_a_page_is_shown_or_asks_to_sign_in_whatever_the_bytes_of_its_query(ask: Asked, path: bytes) -> None:
    assert ask("GET", path, b"\x80").status in (200, 303, 404)
    assert ask("PUT", path, b"\x80").status == 405
