"""Keys on their page: made and shown once, ended, revoked, by an admin alone and never unaudited."""

import re
from collections.abc import Mapping

import pytest
from starlette.testclient import TestClient

from zhiyin.errors import ArtifactError, RegistryBusyError
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving.caller import Role
from zhiyin.serving.key import Key
from zhiyin.serving.keys import Keys
from zhiyin.serving.run import _keys  # the door of a service that is open to this machine

from .conftest import DAY, Shop
from .signing_in import sign_in, token
from .test_overview import text


@pytest.fixture
def admin(client: TestClient, quiet: Shop) -> TestClient:
    sign_in(client, quiet.keys["admin"])
    return client


def create(client: TestClient, **fields: str) -> str:
    """The page that comes of the form."""
    sent = {"csrf": token(client), "name": "web shop", "role": "writer", "ends": "never"} | fields
    return client.post("/keys/create", data=sent).text


def shown(page: str) -> str:
    """The key that stands on it."""
    return re.search(r'<code id="made">(zk_[\w-]{43})</code>', page)[1]


def kept(shop: Shop) -> Mapping[str, Key]:
    return {key.name: key for key in Keys(shop.folder / "keys.json").all()}


def test_a_new_key_is_shown_once_and_opens(admin: TestClient, quiet: Shop) -> None:
    key = shown(create(admin))
    assert Keys(quiet.folder / "keys.json").verify(key).name == "web shop"
    assert "web shop zk_" in text(admin, "/keys")
    assert key not in admin.get("/keys").text


def test_a_key_has_the_role_the_scenarios_the_end_and_the_rate_of_the_form(admin: TestClient, quiet: Shop) -> None:
    fields = {"scenario-home": "on", "scenario-cart": "on", "rate": "20/s"}
    create(admin, role="reader", ends="30d", **fields)
    key = kept(quiet)["web shop"]
    assert (key.role, key.scenarios, key.rate) == (Role.READER, ("home", "cart"), "20/s")
    assert key.expires - key.created == pytest.approx(30 * DAY, abs=60_000_000)
    create(admin, name="till", ends="date", date="2099-01-31")
    assert kept(quiet)["till"].expires == 4_073_500_800_000_000


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"name": "admin"}, "a key with the name &#39;admin&#39; exists"),
        ({"name": " "}, "the name of a key must be 1 to 100 printable characters"),
        ({"role": "king"}, "&#39;king&#39; is no role"),
        ({"rate": "often"}, "the rate of a key"),
        ({"ends": "date", "date": "2001-01-01"}, "the key would have expired already"),
        ({"ends": "date", "date": ""}, "is not a duration"),
    ],
)
def test_what_cannot_be_made_is_told_beside_the_form(
    admin: TestClient, quiet: Shop, fields: dict[str, str], sentence: str
) -> None:
    page = create(admin, **fields)
    assert sentence in page
    assert 'id="made"' not in page
    assert len(kept(quiet)) == 4


def test_a_revoked_key_is_refused_and_listed_apart(admin: TestClient, quiet: Shop) -> None:
    done = admin.post("/keys/revoke", data={"csrf": token(admin), "name": "writer"})
    assert done.headers["location"] == "/keys"
    assert "The key of writer is refused from now on." in text(admin, "/keys")
    assert Keys(quiet.folder / "keys.json").verify(quiet.keys["writer"]) is None
    assert "Revoked keys 1 key" in text(admin, "/keys")
    assert admin.post("/keys/revoke", data={"csrf": token(admin), "name": "writer"}).status_code == 404


def test_the_end_of_a_key_is_moved(admin: TestClient, quiet: Shop) -> None:
    sent = {"csrf": token(admin), "name": "writer"}
    admin.post("/keys/expire", data=sent | {"date": "2099-01-31"})
    assert kept(quiet)["writer"].expires == 4_073_500_800_000_000
    admin.post("/keys/expire", data=sent | {"date": "", "ends": "never"})
    assert kept(quiet)["writer"].expires is None
    assert admin.post("/keys/expire", data=sent | {"date": ""}).status_code == 422


def test_every_act_is_audited_and_no_key_is_written_there(admin: TestClient, quiet: Shop) -> None:
    key = shown(create(admin))
    sent = {"csrf": token(admin), "name": "web shop"}
    admin.post("/keys/expire", data=sent | {"date": "2099-01-31"})
    admin.post("/keys/revoke", data=sent)
    written = (quiet.folder / "audit.jsonl").read_text()
    for act in ("create key", "expire key", "revoke key"):
        assert written.count(f'"act":"{act}"') == 2
    assert written.count('"actor":"admin"') == written.count("\n")
    assert key not in written


def test_it_is_for_admins(client: TestClient, quiet: Shop) -> None:
    sign_in(client, quiet.keys["operator"])
    assert "Keys" not in text(client)
    assert client.get("/keys").status_code == 403
    assert client.post("/keys/create", data={"csrf": token(client), "name": "x"}).status_code == 403
    assert len(kept(quiet)) == 4


def test_a_used_key_says_when(admin: TestClient, quiet: Shop) -> None:
    admin.app.state.service.access.tend()
    row = re.search(r"(?s)<tr>\s*<th scope=\"row\">admin.*?</tr>", admin.get("/keys").text)[0]
    assert 'data-style="ago"' in row


@pytest.mark.parametrize(
    ("error", "status"), [(RegistryBusyError("in use by another"), 409), (ArtifactError("cannot be written"), 503)]
)
def test_a_file_that_cannot_be_changed_now_is_told(
    admin: TestClient, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fails(*_: object) -> None:
        raise error

    monkeypatch.setattr(Keys, "revoke", fails)
    refused = admin.post("/keys/revoke", data={"csrf": token(admin), "name": "writer"})
    assert refused.status_code == status
    assert str(error) in refused.text


def test_a_service_without_a_file_of_keys_says_so(admin: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    access, keys = admin.app.state.service.access, admin.app.state.service.access.keys

    class Others:
        """Keys that some other program keeps."""

        recalled, verify, found, tend = keys.recalled, keys.verify, keys.found, keys.tend

    monkeypatch.setattr(access, "_keys", Others())
    assert "Keys are not kept here." in text(admin, "/keys")
    assert admin.post("/keys/create", data={"csrf": token(admin), "name": "x"}).status_code == 409


def test_a_service_that_is_open_to_this_machine_takes_its_first_key(quiet: Shop) -> None:
    keys = _keys(quiet.folder / "none.json", ServeSettings(open_on_loopback=True))
    assert keys.all() == []
    text_ = keys.create("first")
    assert keys.verify(text_).name == "first"
