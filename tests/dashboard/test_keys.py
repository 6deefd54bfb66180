"""Keys on their page: made and shown once, ended, revoked, by an admin alone and never unaudited."""

import re

import pytest
from starlette.testclient import TestClient

from zhiyin.serving.keys import Keys

from .conftest import Shop
from .test_overview import text
from .test_sign_in import sign_in, token


@pytest.fixture
def admin(client: TestClient, quiet: Shop) -> TestClient:
    sign_in(client, quiet.keys["admin"])
    return client


def made(client: TestClient, **fields: str) -> str:
    """The page that shows a new key."""
    sent = {"csrf": token(client), "name": "web shop", "role": "writer", "ends": "never"} | fields
    return client.post("/keys/create", data=sent).text


def test_a_new_key_is_shown_once_and_opens(admin: TestClient, quiet: Shop) -> None:
    key = re.search(r'<code id="made">(zk_[\w-]{43})</code>', made(admin))[1]
    assert Keys(quiet.folder / "keys.json").verify(key).name == "web shop"
    assert "web shop" in text(admin, "/keys")
    assert key not in admin.get("/keys").text
