"""Rules on their page: what holds, what a change would do, what is written, and how it comes back."""

import html
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from zhiyin.errors import RequestError
from zhiyin.ranking.promotions import Promotion
from zhiyin.ranking.scenario import Scenario
from zhiyin.registry.config import read_config
from zhiyin.serving.dashboard.rule_form import RuleForm, drafted
from zhiyin.serving.dashboard.rule_preview import typical

from .conftest import Shop, release_of, service_in, shop, two_tastes
from .signing_in import sign_in
from .test_overview import text

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
def file(told: Shop) -> Path:
    return told.folder / "zhiyin.toml"


@pytest.fixture
def page(told: Shop) -> Iterator[TestClient]:
    with TestClient(told.app, "http://127.0.0.1:8000", follow_redirects=False) as client:
        sign_in(client, told.keys["operator"])
        yield client


def fields(client: TestClient, query: str = "name=home") -> dict[str, str]:
    """What a browser would send of the form as it stands."""
    answer = client.get(f"/rules/edit?{query}")
    assert answer.status_code == 200
    start = answer.text.index('id="rules"')
    form = answer.text[start : answer.text.index("</form>", start)]
    sent = dict(re.findall(r'<input[^>]*? name="([^"]+)"[^>]*? value="([^"]*)"', form))
    for name, inner in re.findall(r'(?s)<select[^>]* name="([^"]+)"[^>]*>(.*?)</select>', form):
        sent[name] = re.search(r'value="([^"]*)" selected', inner)[1]
    sent |= dict.fromkeys(re.findall(r'type="checkbox" name="([^"]+)" checked', form), "on")
    return {name: html.unescape(value) for name, value in sent.items()}


def preview(client: TestClient, sent: dict[str, str]) -> str:
    """What a reader sees of the lists."""
    answer = client.post("/rules/preview", data=sent, headers={"hx-request": "true"})
    assert answer.status_code == 200
    assert "<html" not in answer.text
    return " ".join(re.sub(r"<[^>]+>", " ", answer.text).split())


def test_the_list_says_what_holds(page: TestClient) -> None:
    said = text(page, "/rules")
    assert "home made for the person 1 variant for some of the people" in said
    assert "What somebody has seen does not come again" in said
    assert "Nothing was changed on this page yet." in said


def test_saving_an_untouched_form_changes_nothing(page: TestClient, file: Path) -> None:
    answer = page.post("/rules/save", data=fields(page))
    assert answer.headers["location"] == "/rules/edit?name=home"
    assert "Nothing was changed, and nothing saved." in text(page, answer.headers["location"])
    assert file.read_text() == WRITTEN


def test_what_is_saved_holds_at_once_and_remarks_stay(page: TestClient, told: Shop, file: Path) -> None:
    sent = fields(page) | {"where": "category = 'b'", "boost-0-where": "price > 3", "boost-0-factor": "2"}
    assert page.post("/rules/save", data=sent).status_code == 303
    assert file.read_text() == WRITTEN.replace(
        "k = 4\n", 'k = 4\nwhere = "category = \'b\'"\nboosts = { "price > 3" = 2.0 }\n'
    )
    asked = {"user_id": "a000", "scenario": "home"}
    headers = {"authorization": f"Bearer {told.keys['reader']}"}
    items = page.post("/v1/recommendations", json=asked, headers=headers).json()["items"]
    assert {one["item_id"][0] for one in items} == {"b"}
    assert "home was saved." in text(page, "/rules/edit?name=home")


def test_a_change_stands_in_the_audit_and_in_the_list(page: TestClient, told: Shop) -> None:
    page.post("/rules/save", data=fields(page) | {"k": "3"})
    lines = (told.folder / "audit.jsonl").read_text().splitlines()
    found = [line for line in lines if '"act":"change rules"' in line]
    assert len(found) == 2
    assert all('"actor":"operator"' in line and '"object":"scenario home"' in line for line in found)
    assert re.search(r"operator home k 4 (→|&rarr;) became 3 As before this", text(page, "/rules"))


def test_a_preview_shows_what_moves_and_saves_nothing(page: TestClient, file: Path) -> None:
    assert "Nothing moves for these people." in preview(page, fields(page))
    said = preview(page, fields(page) | {"where": "category = 'b'", "people": "a000"})
    before, _, after = said.partition("With the change")
    assert "gone tea" in before
    assert "new 咖啡" in after
    assert "a000" in before
    assert "A stranger" in after
    assert file.read_text() == WRITTEN


def test_a_preview_of_a_cart_says_what_it_starts_from(page: TestClient) -> None:
    said = preview(page, fields(page, "name=cart") | {"people": "a000", "where": "price < 2"})
    assert re.search(r"events known · starts from tea \d", said)


@pytest.mark.parametrize(
    ("field", "value", "sentence"),
    [
        ("where", "colour = 1", "scenarios.home.where: column colour at character 1 is not known"),
        ("explore", "70", "scenarios.home.explore must be from 0 to 0.5"),
        ("k", "many", "k must be a number, got 'many'"),
        ("k", "2.5", "k must be a whole number, got '2.5'"),
        ("k", "1e300", "k must be a whole number"),
        ("seen_days", "nan", "scenarios.home.seen_days must be above 0"),
        ("boost-0-where", "price > 3", "boosts: a row has no factor"),
        ("cap-0-most", "2", "caps: a row has no column"),
        ("kind", "none", "scenarios.home.kind must be one of"),
    ],
)
def test_what_cannot_be_is_told_before_and_at_saving(
    page: TestClient, file: Path, field: str, value: str, sentence: str
) -> None:
    sent = fields(page) | {field: value}
    assert sentence in html.unescape(preview(page, sent))
    refused = page.post("/rules/save", data=sent)
    assert refused.status_code == 422
    assert sentence in html.unescape(refused.text)
    assert field == "kind" or f'value="{html.escape(value)}"' in refused.text, "what was typed is still there"
    assert file.read_text() == WRITTEN


def test_who_saves_second_is_told(page: TestClient, file: Path) -> None:
    first, second = fields(page) | {"k": "3"}, fields(page) | {"k": "2"}
    page.post("/rules/save", data=first)
    refused = page.post("/rules/save", data=second)
    assert refused.status_code == 409
    assert "home was changed meanwhile" in refused.text
    assert read_config(file).scenarios["home"].k == 3


def test_what_another_process_saved_is_shown_at_once(page: TestClient, told: Shop, file: Path) -> None:
    page.get("/rules")
    with TestClient(service_in(told.folder, config=file), "http://127.0.0.1:8000", follow_redirects=False) as other:
        sign_in(other, told.keys["operator"])
        other.post("/rules/save", data=fields(other) | {"k": "3", "where": "price < 4"})
        sent = fields(page)
    assert (sent["k"], sent["where"]) == ("3", "price < 4")
    assert "only items with price < 4" in text(page, "/rules")


def test_a_change_is_taken_back(page: TestClient, file: Path) -> None:
    page.post("/rules/save", data=fields(page) | {"k": "3", "where": "price < 4"})
    back = re.search(r"/rules/edit\?(name=home&amp;before=\d+)", page.get("/rules").text)[1]
    sent = fields(page, html.unescape(back))
    assert (sent["k"], sent["where"]) == ("4", "")
    assert "This is how it was before the change by operator" in text(page, f"/rules/edit?{html.unescape(back)}")
    assert page.post("/rules/save", data=sent).status_code == 303
    assert file.read_text() == WRITTEN
    assert page.get("/rules/edit?name=home&before=1").status_code == 404


def test_a_scenario_is_made_taken_out_and_brought_back_whole(page: TestClient, file: Path) -> None:
    sent = fields(page, "name=spring mail") | {"k": "6"}
    assert page.post("/rules/save", data=sent).status_code == 303
    assert read_config(file).scenarios["spring mail"].k == 6
    home = fields(page)
    page.post("/rules/remove", data=home)
    assert "[scenarios.home" not in file.read_text()
    back = re.search(r"/rules/edit\?(name=home&amp;before=\d+)", page.get("/rules").text)[1]
    page.post("/rules/save", data=fields(page, html.unescape(back)))
    assert read_config(file).scenarios["home"].variants == {"b": {"share": 0.1, "explore": 0.2}}
    assert read_config(file).scenarios["home"].k == 4


def test_long_histories_page(page: TestClient, told: Shop) -> None:
    for k in range(1, 24):
        page.post("/rules/save", data=fields(page) | {"k": str(k + 4)})
    first = page.get("/rules").text
    older = html.unescape(re.search(r'href="(/rules\?from=\d+)[^"]*" rel="next"', first)[1])
    assert first.count("As before this") == 20
    assert page.get(older).text.count("As before this") == 3


def test_without_a_file_the_page_says_why_nothing_can_be_saved(client: TestClient, quiet: Shop) -> None:
    sign_in(client, quiet.keys["operator"])
    assert "without a zhiyin.toml to write them to" in text(client, "/rules")
    sent = fields(client) | {"where": "price < 3"}
    assert "Rules cannot be saved here" in text(client, "/rules/edit?name=home")
    assert "With the change" in preview(client, sent)
    refused = client.post("/rules/save", data=sent)
    assert refused.status_code == 409
    assert "without a zhiyin.toml" in refused.text


def test_a_file_that_was_spoilt_by_hand_is_told(page: TestClient, file: Path, told: Shop) -> None:
    service = told.app.state.service
    file.write_text("[scenarios.home")
    service.rulebook.look(service.live.served.release)
    assert "not valid TOML" in text(page, "/rules")
    assert "The rules have a problem" in text(page)
    assert page.get("/v1/health").json()["status"] == "degraded"
    assert page.get("/rules/edit?name=home").status_code == 422


@pytest.mark.parametrize("name", ["", "x" * 101, "a\nb"])
def test_a_name_that_is_none_is_refused(page: TestClient, name: str) -> None:
    assert page.get("/rules/edit", params={"name": name}).status_code == 422


FULL = Scenario(
    kind="personal",
    retrievers=("item_knn",),
    k=7,
    where="price < 5",
    seen="keep",
    seen_types=("view", "purchase"),
    seen_days=1.5,
    boosts={"price > 3": 0.25},
    promotions=(Promotion("price < 2", 0.125, "2026-11-01", "2026-12-24"),),
    caps={"category": 2},
    explore=0.05,
    personal=False,
)


def test_a_form_says_all_that_a_scenario_says() -> None:
    shown = RuleForm.of(FULL)
    sent = {"kind": shown.kind, "k": shown.k, "where": shown.where, "seen": shown.seen, "explore": shown.explore}
    sent |= {"seen_types": shown.seen_types, "seen_days": shown.seen_days, "retriever-item_knn": "on"}
    for kind, rows in (("boost", shown.boosts), ("promotion", shown.promotions), ("cap", shown.caps)):
        sent |= {f"{kind}-{i}-{column}": value for i, row in enumerate(rows) for column, value in row.items()}
    assert drafted("email", RuleForm.sent(sent).table("email", {})) == FULL


def test_a_share_is_typed_in_per_cent() -> None:
    form = RuleForm.sent({"explore": "12.5 %", "personal": "on"})
    assert form.table("email", {}) == {"explore": 0.125}
    with pytest.raises(RequestError, match="explore must be a number, got 'much'"):
        RuleForm.sent({"explore": "much"}).table("email", {})


def test_a_default_that_stands_in_the_file_stays_there() -> None:
    form = RuleForm.sent({"explore": "10", "personal": "on"})
    assert form.table("home", {"explore": 0.1}) == {"explore": 0.1}
    assert form.table("home", {}) == {}
    assert RuleForm.sent({"explore": "0", "personal": "on"}).table("home", {}) == {"explore": 0.0}


def test_those_who_are_shown_have_histories_of_different_lengths() -> None:
    release = release_of(two_tastes())
    people = typical(release)
    lengths = [int(release.histories.lengths[release.users.indexes([one])[0]]) for one in people]
    assert lengths == sorted(lengths)
    assert len(set(people)) == len(people) == 3
