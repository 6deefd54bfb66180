"""Keys at the door of a real process: missing, wrong, expired, revoked, of a low role: 401 or 403, and audited.

What holds beneath stands in tests/serving/test_door.py, test_keys.py and test_audit.py.
"""

import asyncio
import json
from collections import Counter
from pathlib import Path
from typing import Any

from tests.holding.harness import connection
from zhiyin.serving.caller import Role
from zhiyin.serving.keys import Keys

ACT = ("POST", "/v1/events", {"user_id": "a001", "item_id": "a-01"})
REQUESTS: list[tuple[str, str, Any]] = [
    ACT,
    ("POST", "/v1/recommendations", {"user_id": "a001"}),
    ("GET", "/v1/versions", None),
    ("GET", "/v1/health", None),
    ("GET", "/v1/audit", None),
    ("GET", "/metrics", None),
    ("POST", "/v1/versions/2/promote", None),
    ("GET", "/v1/users/a001/export", None),
]
VALID = ("reader", "writer", "operator", "email")


def test_who_has_no_right_is_refused_and_counted(project) -> None:
    shop = project("open_on_loopback = false", sections="[scenarios.own]\nk = 3")
    made = Keys(shop.root / "keys.json")
    keys = {
        "reader": made.create("reader", role=Role.READER),
        "writer": made.create("writer"),
        "operator": made.create("operator", role=Role.OPERATOR),
        "email": made.create("email", role=Role.READER, scenarios=["email"]),
        "gone": made.create("gone"),
        "ended": made.create("ended"),
        "wrong": "zk_" + "A" * 43,
        "odd": "'; DROP TABLE keys; --",
        "none": "",
    }
    with shop.serving("--workers", "2") as service:
        assert asyncio.run(asked(service.port, keys["gone"], ACT)) == 202
        assert asyncio.run(asked(service.port, keys["ended"], ACT)) == 202
        made.revoke("gone")
        made.expire("ended", 1)
        seen = {
            (name, method, path): asyncio.run(asked(service.port, key, (method, path, body)))
            for name, key in keys.items()
            for method, path, body in REQUESTS[: None if name in VALID else 4]  # of 20 wrong keys an address gets 429
        }
        assert service.stop() == 0
    text = (shop.root / "audit.jsonl").read_text() + service.log.read_text()
    assert not [name for name, key in keys.items() if len(key) > 30 and key[11:] in text]
    for name in ("gone", "ended", "wrong", "odd", "none"):
        assert {status for (who, _, path), status in seen.items() if who == name and path != "/v1/health"} == {401}
        assert seen[name, "GET", "/v1/health"] == 200
    assert seen["reader", "POST", "/v1/events"] == 403
    assert seen["writer", "POST", "/v1/events"] == 202
    for name, status in (("reader", 403), ("writer", 403), ("operator", 200)):
        assert seen[name, "GET", "/v1/versions"] == seen[name, "POST", "/v1/versions/2/promote"] == status
    assert {seen[name, "GET", "/v1/audit"] for name in ("reader", "writer", "operator")} == {403}
    assert seen["email", "POST", "/v1/recommendations"] == 403  # it is for another scenario than the usual one
    assert_audited(shop.root / "audit.jsonl", Counter(seen.values()))


def assert_audited(path: Path, statuses: Counter[int]) -> None:
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    refused: Counter[int] = Counter()
    for line in lines:
        if line["act"] == "refused":
            refused[int(line["object"])] += int(line["outcome"].split()[0].replace(",", ""))
    assert refused == Counter({401: statuses[401], 403: statuses[403]})
    acts = [(line["actor"], line["object"], line["outcome"]) for line in lines if line["act"] == "promote"]
    assert acts == [("operator", "release 2", "begun"), ("operator", "release 2", "done")]


def test_a_key_for_one_scenario_gets_no_other(project) -> None:
    shop = project("open_on_loopback = false")
    key = Keys(shop.root / "keys.json").create("email", role=Role.READER, scenarios=["email"])
    with shop.serving() as service:
        statuses = [
            asyncio.run(asked(service.port, key, ("POST", "/v1/recommendations", {"user_id": "a001"} | more)))
            for more in ({"scenario": "email"}, {}, {"scenario": "home"}, {"scenario": "cart", "items": ["a-01"]})
        ]
        assert service.stop() == 0
    assert statuses == [200, 403, 403, 403]


async def asked(port: int, key: str, request: tuple[str, str, Any]) -> int:
    async with connection(port, key) as send:
        answer = await send(*request)
        if answer.status == 401:
            assert answer.headers["www-authenticate"] == "Bearer"
        return answer.status
