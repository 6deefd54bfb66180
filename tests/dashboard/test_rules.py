"""Rules on their page: what holds, what a change would do, what is written, and how it comes back."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from zhiyin.registry.config import read_config

from .conftest import Shop, shop
from .test_overview import text
from .test_sign_in import sign_in

WRITTEN = """\
# the shop of a test
[data]
events = "events.csv"

# what the first page shows
[scenarios.home]
explore = 0.0  # nothing is drawn
k = 4

[scenarios.home.variants.b]
share = 0.1
explore = 0.2
"""


@pytest.fixture
def told(tmp_path: Path) -> Shop:
    """A shop with a zhiyin.toml."""
    (tmp_path / "zhiyin.toml").write_text(WRITTEN)
    return shop(tmp_path, config=tmp_path / "zhiyin.toml")


@pytest.fixture
def page(told: Shop) -> Iterator[TestClient]:
    with TestClient(told.app, "http://127.0.0.1:8000", follow_redirects=False) as client:
        sign_in(client, told.keys["operator"])
        yield client


def fields(client: TestClient, name: str = "home", query: str = "") -> dict[str, str]:
    """What a browser would send of the form as it stands."""
    html = client.get(f"/rules/edit?name={name}{query}").text
    start = html.index('id="rules"')
    html = html[start : html.index("</form>", start)]
    sent = dict(re.findall(r'<input[^>]*? name="([^"]+)"[^>]*? value="([^"]*)"', html))
    for select, inner in re.findall(r'(?s)<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', html):
        sent[select] = re.search(r'value="([^"]*)" selected', inner)[1]
    sent |= {name: "on" for name in re.findall(r'type="checkbox" name="([^"]+)" checked', html)}
    return {name: value.replace("&#39;", "'").replace("&lt;", "<") for name, value in sent.items()}


def test_the_list_says_what_holds(page: TestClient) -> None:
    said = text(page, "/rules")
    assert "home made for the person" in said
    assert "What holds everywhere" in said
    assert "Nothing was changed on this page yet." in said


def test_saving_an_untouched_form_changes_nothing(page: TestClient, told: Shop) -> None:
    answer = page.post("/rules/save", data=fields(page))
    assert answer.headers["location"] == "/rules/edit?name=home"
    assert "Nothing was changed, and nothing saved." in text(page, answer.headers["location"])
    assert (told.folder / "zhiyin.toml").read_text() == WRITTEN


def test_what_is_saved_holds_at_once_and_keeps_remarks(page: TestClient, told: Shop) -> None:
    sent = fields(page) | {"where": "category = 'b'", "boost-0-where": "price > 3", "boost-0-factor": "2"}
    assert page.post("/rules/save", data=sent).status_code == 303
    written = (told.folder / "zhiyin.toml").read_text()
    assert written.startswith(WRITTEN.partition("k = 4")[0])
    assert "explore = 0.0  # nothing is drawn" in written
    config = read_config(told.folder / "zhiyin.toml")
    assert config.scenarios["home"].where == "category = 'b'"
    assert config.scenarios["home"].boosts == {"price > 3": 2.0}
    assert config.scenarios["home"].variants == {"b": {"share": 0.1, "explore": 0.2}}
    asked = {"user_id": "a000", "scenario": "home"}
    headers = {"authorization": f"Bearer {told.keys['reader']}"}
    items = page.post("/v1/recommendations", json=asked, headers=headers).json()["items"]
    assert items
    assert all(one["item_id"].startswith("b") for one in items)
