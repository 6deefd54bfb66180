"""No other site may act in a person's name, and no page runs what is not ours."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from worlds import two_tastes
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving.app import create_app
from zhiyin.serving.dashboard.layer import POLICY
from zhiyin.serving.dashboard.session import COOKIE
from zhiyin.serving.live import Live, Served
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store

from .conftest import Shop, release_of
from .signing_in import sign_in, token

ELSEWHERE = [
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "none"},
    {"origin": "https://evil.example"},
    {"origin": "null"},
]


@pytest.fixture
def open_client(tmp_path: Path) -> Iterator[TestClient]:
    """A service that is open to this machine."""
    settings = Settings(ServeSettings(open_on_loopback=True))
    app = create_app(Live(Served.of(release_of(two_tastes()), {})), Store.of("events.db", tmp_path), None, settings)
    with TestClient(app, "http://127.0.0.1:8000", follow_redirects=False, client=("127.0.0.1", 50_000)) as client:
        yield client


@pytest.mark.parametrize("headers", ELSEWHERE)
def test_what_another_site_sends_is_refused(client: TestClient, quiet: Shop, headers: dict[str, str]) -> None:
    assert sign_in(client, quiet.keys["operator"], headers=headers).status_code == 403
    sign_in(client, quiet.keys["operator"])
    given = token(client)
    assert client.post("/sign-out", data={"csrf": given}, headers=headers).status_code == 403
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("headers", [{}, {"sec-fetch-site": "same-origin"}, {"origin": "http://127.0.0.1:8000"}])
def test_what_our_own_pages_send_is_taken(client: TestClient, quiet: Shop, headers: dict[str, str]) -> None:
    assert sign_in(client, quiet.keys["operator"], headers=headers).status_code == 303


def test_without_the_token_of_the_session_nothing_is_done(client: TestClient, quiet: Shop) -> None:
    sign_in(client, quiet.keys["operator"])
    first = token(client)
    assert client.post("/sign-out").status_code == 403
    assert client.post("/sign-out", data={"csrf": first[:-1] + "x"}).status_code == 403
    sign_in(client, quiet.keys["operator"])
    assert token(client) != first
    assert client.post("/sign-out", data={"csrf": first}).status_code == 403
    assert client.post("/sign-out", headers={"x-csrf-token": token(client)}).status_code == 303


def test_where_no_key_is_needed_the_token_is(open_client: TestClient) -> None:
    assert open_client.get("/").status_code == 200
    assert open_client.post("/sign-out").status_code == 403
    assert open_client.post("/sign-out", data={"csrf": token(open_client)}).status_code == 303
    assert COOKIE not in open_client.cookies


@pytest.mark.parametrize("headers", [{"host": "evil.example"}, {"x-forwarded-for": "192.0.2.1"}])
def test_only_a_caller_on_this_machine_needs_no_key(open_client: TestClient, headers: dict[str, str]) -> None:
    assert open_client.get("/", headers=headers).status_code == 303


def test_a_form_is_bounded_and_a_form(client: TestClient) -> None:
    long = client.post("/sign-in", data={"key": "x" * 1_000_001})
    assert long.status_code == 413
    assert "longer than 1,000,000 bytes" in long.text
    assert client.post("/sign-in", json={"key": "x"}).status_code == 415
    broken = client.post("/sign-in", content=b"key=%ff", headers={"content-type": "application/x-www-form-urlencoded"})
    assert broken.status_code == 400


def test_a_page_may_load_what_is_ours_alone(client: TestClient) -> None:
    page = client.get("/sign-in")
    assert page.headers["content-security-policy"] == POLICY.decode()
    assert "unsafe" not in POLICY.decode()
    assert page.headers.get_list("cache-control") == ["no-store"]
    assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*\bsrc=)|https?://", page.text)


def test_the_api_is_as_strict_as_before(client: TestClient) -> None:
    answer = client.get("/v1/health")
    assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"


def test_without_the_dashboard_nothing_answers_under_it(tmp_path: Path) -> None:
    settings = Settings(ServeSettings(open_on_loopback=True, dashboard=False))
    app = create_app(Live(Served.of(release_of(two_tastes()), {})), Store.of("events.db", tmp_path), None, settings)
    with TestClient(app, "http://127.0.0.1:8000", client=("127.0.0.1", 50_000)) as client:
        assert [client.get(path).status_code for path in ("/", "/sign-in", "/static/zhiyin.css")] == [404] * 3
