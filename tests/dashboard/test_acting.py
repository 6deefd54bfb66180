"""What a page does when somebody asks for it: only what the role allows, and with a sentence afterwards."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

from zhiyin.errors import ArtifactError, RequestError
from zhiyin.serving.caller import Role, caller_of
from zhiyin.serving.dashboard import notice
from zhiyin.serving.dashboard.forms import form
from zhiyin.serving.dashboard.page import Action, Done, Page, View
from zhiyin.serving.dashboard.pages.known import PLACES
from zhiyin.serving.dashboard.site import Site
from zhiyin.serving.dashboard.words import Said
from zhiyin.serving.service import Service

from .conftest import Shop
from .signing_in import sign_in, token


@dataclass
class Bell:
    """Something that can be rung."""

    rung_by: list[str] = field(default_factory=list)

    async def ring(self, _: Service, request: Request) -> View | Done:
        asked = (await form(request)).get("how", "")
        if asked == "broken":
            raise RequestError(409, "the bell is broken: mend it")
        if asked == "lost":
            raise ArtifactError("the bell is lost: look for it")
        self.rung_by.append(caller_of(request).name)
        if asked == "here":
            return View("error.html", {"sentence": "it rang", "status": 200}, "sentence")
        return Done("/", Said.of("attention.refused", count=len(self.rung_by)))


async def tower(_: Service, __: Request) -> View:
    return View("error.html", {"sentence": "a tower", "status": 200}, "sentence")


@pytest.fixture
def bell() -> Bell:
    return Bell()


@pytest.fixture
def client(quiet: Shop, bell: Bell) -> Iterator[TestClient]:
    places = (
        *PLACES,
        Action("/bell", bell.ring),
        Action("/great-bell", bell.ring, role=Role.ADMIN),
        Page("/tower", tower, "overview.now", role=Role.ADMIN, place=2),
    )
    site = Site(quiet.app.state.service, places)
    with TestClient(quiet.app), TestClient(site.app, "http://127.0.0.1:8000", follow_redirects=False) as testing:
        yield testing


def test_what_was_done_is_said_once_on_the_page_to_which_one_comes(client: TestClient, quiet: Shop, bell: Bell) -> None:
    sign_in(client, quiet.keys["operator"])
    done = client.post("/bell", data={"csrf": token(client)})
    assert (done.status_code, done.headers["location"]) == (303, "/")
    assert bell.rung_by == ["operator"]
    assert "1 event was refused" in client.get("/").text
    assert "1 event was refused" not in client.get("/").text


def test_htmx_gets_the_fragment_and_its_errors(client: TestClient, quiet: Shop) -> None:
    sign_in(client, quiet.keys["operator"])
    headers = {"hx-request": "true", "x-csrf-token": token(client)}
    assert client.post("/bell", data={"how": "here"}, headers=headers).text == (
        '<p class="said bad" role="alert">it rang</p>'
    )
    assert client.post("/bell", headers=headers).headers["hx-redirect"] == "/"
    failed = client.post("/bell", data={"how": "broken"}, headers=headers)
    assert (failed.status_code, failed.text) == (
        409, '<p class="said bad" role="alert">the bell is broken: mend it</p>',
    )  # fmt: skip


def test_what_cannot_be_done_is_said_on_a_page(client: TestClient, quiet: Shop) -> None:
    sign_in(client, quiet.keys["operator"])
    failed = client.post("/bell", data={"csrf": token(client), "how": "lost"})
    assert failed.status_code == 500
    assert "the bell is lost: look for it" in failed.text
    assert "<h1>This did not work</h1>" in failed.text


def test_an_operator_may_not_do_what_is_for_admins_nor_see_it(client: TestClient, quiet: Shop, bell: Bell) -> None:
    sign_in(client, quiet.keys["operator"])
    given = token(client)
    refused = client.post("/great-bell", data={"csrf": given})
    assert (refused.status_code, bell.rung_by) == (403, [])
    assert "this needs the role admin, and the key of operator has operator" in refused.text
    assert client.get("/tower").status_code == 403
    assert 'href="/tower"' not in client.get("/").text


def test_an_admin_may(client: TestClient, quiet: Shop, bell: Bell) -> None:
    sign_in(client, quiet.keys["admin"])
    assert client.post("/great-bell", data={"csrf": token(client)}).status_code == 303
    assert bell.rung_by == ["admin"]
    assert '<a href="/tower" aria-current="page">' in client.get("/tower").text


def test_who_has_not_signed_in_does_nothing(client: TestClient, bell: Bell) -> None:
    assert client.post("/bell").headers["location"] == "/sign-in"
    assert client.post("/bell", headers={"hx-request": "true"}).headers["hx-redirect"] == "/sign-in"
    assert bell.rung_by == []


@pytest.mark.parametrize("spoilt", ["x", "W10=", "WyJ4IiwgMV0=", "é", ""])
def test_a_notice_that_is_none_is_nothing(spoilt: str) -> None:
    cookie = (b"cookie", f"{notice.COOKIE}={spoilt}".encode())
    assert notice.left(Request({"type": "http", "headers": [cookie]})) is None


def test_a_notice_of_no_known_sentence_is_not_said(client: TestClient, quiet: Shop) -> None:
    sign_in(client, quiet.keys["operator"])
    client.cookies.set(notice.COOKIE, base64.urlsafe_b64encode(b'["none.such",{}]').decode())
    assert 'class="said"' not in client.get("/").text
