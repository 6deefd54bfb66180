"""Who may look, for how long, and what a browser is told to keep."""

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from zhiyin.serving.caller import Role
from zhiyin.serving.dashboard.session import COOKIE, LIFETIME, Session, Sessions
from zhiyin.serving.keys import Keys

from .conftest import Shop, service_in, shop
from .signing_in import sign_in, token


def test_who_has_not_signed_in_is_sent_to_the_form_and_back(client: TestClient, quiet: Shop) -> None:
    sent = client.get("/?language=zh")
    assert (sent.status_code, sent.headers["location"]) == (303, "/sign-in?next=%2F%3Flanguage%3Dzh")
    form = client.get(sent.headers["location"])
    assert 'name="next" value="/?language=zh"' in form.text
    entered = client.post("/sign-in", data={"key": quiet.keys["operator"], "next": "/?language=zh"})
    assert (entered.status_code, entered.headers["location"]) == (303, "/?language=zh")
    assert client.get("/").status_code == 200


@pytest.mark.parametrize("role", ["reader", "writer"])
def test_a_key_of_a_low_role_does_not_open(client: TestClient, quiet: Shop, role: str) -> None:
    answer = sign_in(client, quiet.keys[role])
    assert answer.status_code == 403
    assert "needs the role operator" in answer.text
    assert COOKIE not in answer.cookies


@pytest.mark.parametrize("role", ["operator", "admin"])
def test_a_key_of_a_high_role_opens(client: TestClient, quiet: Shop, role: str) -> None:
    assert sign_in(client, quiet.keys[role]).status_code == 303
    page = client.get("/")
    assert page.status_code == 200
    assert f"{role} · {role}" in page.text


def test_a_wrong_key_says_so_and_many_of_them_have_to_wait(client: TestClient, quiet: Shop) -> None:
    answers = [sign_in(client, f"zk_{i:043d}") for i in range(20)]
    while answers[-1].status_code == 401 and len(answers) < 200:  # on a slow machine some are allowed again meanwhile
        answers.append(sign_in(client, f"zk_{len(answers):043d}"))
    assert {one.status_code for one in answers[:-1]} == {401}
    assert answers[-1].status_code == 429
    assert "this API key is not known" in answers[0].text
    assert "<h1>" in answers[-1].text
    assert int(answers[-1].headers["retry-after"]) > 0
    assert all(COOKIE not in one.cookies for one in answers)


def test_the_key_itself_is_in_no_answer(client: TestClient, quiet: Shop) -> None:
    wrong = quiet.keys["operator"][:-1] + "_"
    entered = sign_in(client, quiet.keys["operator"])
    assert quiet.keys["operator"] not in str(entered.headers) + entered.text + client.get("/").text
    assert wrong not in sign_in(client, wrong).text


def test_the_cookie_is_for_this_site_and_no_script(client: TestClient, quiet: Shop) -> None:
    cookie = sign_in(client, quiet.keys["operator"]).headers["set-cookie"]
    assert {"HttpOnly", "SameSite=strict", "Path=/", "Max-Age=43200"} <= set(cookie.split("; "))
    assert "Secure" not in cookie


def test_over_tls_the_cookie_is_for_tls_alone(quiet: Shop) -> None:
    with TestClient(quiet.app, "https://shop.example", follow_redirects=False) as client:
        assert "Secure" in sign_in(client, quiet.keys["operator"]).headers["set-cookie"].split("; ")


def test_only_a_trusted_proxy_may_say_that_it_speaks_tls(client: TestClient, quiet: Shop) -> None:
    answer = sign_in(client, quiet.keys["operator"], headers={"x-forwarded-proto": "https"})
    assert "Secure" not in answer.headers["set-cookie"]


def test_a_revoked_key_is_signed_out_at_once(client: TestClient, quiet: Shop, tmp_path: Path) -> None:
    sign_in(client, quiet.keys["operator"])
    assert client.get("/").status_code == 200
    Keys(tmp_path / "keys.json").revoke("operator")
    assert client.get("/").headers["location"] == "/sign-in"
    assert client.get("/overview/live").status_code == 204


def test_a_new_key_of_the_same_name_does_not_wake_old_sessions(client: TestClient, quiet: Shop, tmp_path: Path) -> None:
    sign_in(client, quiet.keys["operator"])
    keys = Keys(tmp_path / "keys.json")
    keys.revoke("operator")
    keys.create("operator", role=Role.OPERATOR)
    assert client.get("/").status_code == 303


def test_another_worker_knows_the_session_and_a_restart_does_not_end_it(
    client: TestClient, quiet: Shop, tmp_path: Path
) -> None:
    cookie = sign_in(client, quiet.keys["operator"]).cookies[COOKIE]
    with TestClient(service_in(tmp_path), "http://127.0.0.1:8000", follow_redirects=False) as another:
        assert another.get("/").status_code == 303
        another.cookies.set(COOKIE, cookie)
        assert another.get("/").status_code == 200
        assert token(another) == token(client)


def test_a_session_ends(quiet: Shop) -> None:
    sessions = Sessions(b"secret")
    written = sessions.written(Session.begun("zk_12345678", 1_000))
    assert sessions.read(written, 1_000 + LIFETIME - 1) is not None
    assert sessions.read(written, 1_000 + LIFETIME) is None


@pytest.mark.parametrize("spoilt", ["", ".", "a.b", "é.é", "x" * 9_000])
def test_what_is_no_cookie_of_ours_is_nobody(spoilt: str) -> None:
    assert Sessions(b"secret").read(spoilt, 0) is None


def test_a_changed_or_foreign_cookie_is_nobody() -> None:
    sessions, session = Sessions(b"secret"), Session.begun("zk_12345678", 0)
    content, mac = sessions.written(session).split(".")
    assert sessions.read(f"{content}.{mac}", 1) == session
    assert sessions.read(f"{content[:-2]}AA.{mac}", 1) is None
    assert Sessions(b"another").read(f"{content}.{mac}", 1) is None


def test_signing_out_forgets_the_session(client: TestClient, quiet: Shop) -> None:
    sign_in(client, quiet.keys["operator"])
    out = client.post("/sign-out", data={"csrf": token(client)})
    assert (out.status_code, out.headers["location"]) == (303, "/sign-in")
    assert client.get("/").status_code == 303


def test_signing_in_is_audited_under_the_name_of_the_key(client: TestClient, quiet: Shop, tmp_path: Path) -> None:
    sign_in(client, quiet.keys["admin"])
    lines = (tmp_path / "audit.jsonl").read_text().splitlines()
    assert len(lines) == 2
    assert all('"actor":"admin"' in line and '"act":"sign in"' in line for line in lines)


@pytest.mark.parametrize("elsewhere", ["https://evil.example", "//evil.example", "/\\evil.example", "/sign-in", "x"])
def test_nobody_is_sent_elsewhere_after_signing_in(client: TestClient, quiet: Shop, elsewhere: str) -> None:
    entered = client.post("/sign-in", data={"key": quiet.keys["operator"], "next": elsewhere})
    assert entered.headers["location"] == "/"


def test_htmx_is_told_by_a_header_that_the_session_is_over(client: TestClient) -> None:
    answer = client.get("/", headers={"hx-request": "true"})
    assert (answer.status_code, answer.headers["hx-redirect"], answer.text) == (200, "/sign-in", "")


def test_a_key_with_a_rate_has_it_here_too(tmp_path: Path) -> None:
    made = shop(tmp_path)
    slow = Keys(tmp_path / "keys.json").create("slow", role=Role.OPERATOR, rate="1/h")
    with TestClient(made.app, "http://127.0.0.1:8000", follow_redirects=False) as client:
        sign_in(client, slow)
        assert [client.get("/").status_code for _ in range(2)] == [200, 429]


def test_the_api_does_not_take_the_cookie_for_a_key(client: TestClient, quiet: Shop) -> None:
    sign_in(client, quiet.keys["admin"])
    assert client.get("/v1/versions").status_code == 401


def test_a_key_is_no_session(client: TestClient, quiet: Shop) -> None:
    assert client.get("/", headers={"authorization": f"Bearer {quiet.keys['admin']}"}).status_code == 303
