"""What the page on data says, and what becomes of a file that is sent to it."""

import re
import shutil
import time
from collections.abc import Iterator

import pytest
from starlette.testclient import TestClient

from zhiyin.errors import RequestError

from .conftest import Shop
from .signing_in import sign_in, token
from .test_overview import text
from .trained import app_of, trained_shop

ITEMS = b"item_id,title,price,hidden,colour\nnew-1,Tea pot,19.90,no,red\nnew-2,Tea cup,4.50,yes,\n,Nameless,1.00,no,\n"
USERS = b"user_id,age,consent\nann,30,no\nbob,41,yes\n"


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return trained_shop(tmp_path_factory.mktemp("data"))


@pytest.fixture
def trained(shop: Shop) -> Iterator[TestClient]:
    with TestClient(app_of(shop.folder), "http://127.0.0.1:8000", follow_redirects=False) as client:
        sign_in(client, shop.keys["operator"])
        yield client


@pytest.fixture
def signed_in(client: TestClient, quiet: Shop) -> TestClient:
    sign_in(client, quiet.keys["operator"])
    return client


def send(client: TestClient, content: bytes, to: str = "read", name: str = "file.csv", **asked: str):
    headers = {"x-csrf-token": token(client, "/data"), "hx-request": "true"}
    return client.post(f"/data/{to}", params={"name": name, **asked}, content=content, headers=headers)


def words_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split()).replace("\N{NO-BREAK SPACE}", " ")


def checked(client: TestClient, until: str = "") -> str:
    """The page when a check has ended, and said so."""
    asked = client.post("/data/check", data={"csrf": token(client, "/data")})
    assert asked.headers["location"] == "/data#check"
    deadline = time.monotonic() + 60
    while not all(one in (page := text(client, "/data")) for one in ("Check again", until)):
        assert time.monotonic() < deadline, page
    return page


def events_csv(*, rows: int = 3) -> bytes:
    now = int(time.time())
    lines = [f"ann,mug-{i},view,{now - 60 * i},{i}.5" for i in range(rows)]
    return "\n".join(["CustomerID,item_id,event_type,timestamp,price", *lines]).encode()


def test_a_shop_without_a_file_says_how_to_check_and_to_describe(signed_in: TestClient) -> None:
    page = text(signed_in, "/data")
    assert "This service was started without a zhiyin.toml." in page
    assert "There were no events in the last 30 days." in page
    assert signed_in.post("/data/check", data={"csrf": token(signed_in, "/data")}).status_code == 409


def test_events_are_counted_by_day_and_kind_the_stored_ones_too(trained: TestClient, shop: Shop) -> None:
    before = text(trained, "/data?days=90")
    assert "Day view cart purchase" in before or "view" in before
    headers = {"authorization": f"Bearer {shop.keys['writer']}"}
    event = {"user_id": "ann", "item_id": "mug", "event_type": "wish"}
    assert trained.post("/v1/events", json=[event] * 3, headers=headers).status_code == 202
    with TestClient(app_of(shop.folder), "http://127.0.0.1:8000") as later:
        sign_in(later, shop.keys["operator"])
        chart = re.search(r'data-chart="([^"]*)"', later.get("/data").text)[1]
    assert "wish" in chart


def test_a_range_that_is_not_offered_is_the_first(trained: TestClient) -> None:
    for days in ("30", "7", "x"):
        answer = trained.get("/data", params={"days": days})
        assert re.search(r'href="/data\?days=30"[^>]* aria-current="true"', answer.text)
    part = trained.get("/data?days=90", headers={"hx-request": "true"}).text
    assert part.lstrip().startswith("<h2")
    assert re.search(r'href="/data\?days=90"[^>]* aria-current="true"', part)


def test_the_check_says_what_is_odd_with_example_rows_and_when(trained: TestClient, shop: Shop) -> None:
    assert "The data have not been checked here yet." in text(trained, "/data")
    page = checked(trained)
    assert "Left out" in page
    assert re.search(r"Look at it .* events\.\w+", page)
    assert re.search(r"\d examples? Example rows row ", page)
    assert "What is known of people Column Kind Filled age number 100 %" in page.replace("\N{NO-BREAK SPACE}", " ")
    assert "zhiyin.toml has changed since" not in page
    config = shop.folder / "zhiyin.toml"
    written = config.read_text()
    config.write_text(written + "\n# looked at\n")
    assert "zhiyin.toml has changed since" in text(trained, "/data")
    config.write_text("[data\n")
    page = checked(trained, "is not valid TOML")
    config.write_text(written)
    assert "Left out" not in page


def test_a_file_of_events_is_shown_before_it_is_stored_and_stored_once(trained: TestClient) -> None:
    content = events_csv()
    shown = words_of(send(trained, content).text)
    assert "Rows 3" in shown
    assert "user_id CustomerID known name" in shown
    assert "The first 3 rows, as they would be read" in shown
    assert "Store 3 events …" in shown
    stored = words_of(send(trained, content, "store", table="events").text)
    assert "3 events are stored." in stored
    again = words_of(send(trained, content, "store", table="events").text)
    assert "0 events are stored. 3 events of this file had been stored before." in again


def test_items_are_stored_as_they_are_shown_and_a_bad_row_is_named(trained: TestClient, shop: Shop) -> None:
    shown = words_of(send(trained, ITEMS).text)
    assert "1 item (33.3 %) without item_id." in shown
    stored = words_of(send(trained, ITEMS, "store", table="items").text)
    assert "2 items are stored. 2 of them are new." in stored
    assert "1 row was not stored: Rows that were not stored Row Why 3 item_id is missing: add it" in stored
    headers = {"authorization": f"Bearer {shop.keys['reader']}"}
    pot = trained.get("/v1/items/new-1", headers=headers).json()
    assert pot["attributes"] == {"title": "Tea pot", "price": 19.9, "colour": "red"}
    assert [pot["hidden"], trained.get("/v1/items/new-2", headers=headers).json()["hidden"]] == [False, True]


def test_people_keep_what_they_agree_to_apart_from_what_they_are(trained: TestClient, shop: Shop) -> None:
    assert "2 people are stored." in words_of(send(trained, USERS, "store", table="users").text)
    headers = {"authorization": f"Bearer {shop.keys['writer']}"}
    ann = trained.get("/v1/users/ann", headers=headers).json()
    assert (ann["attributes"], ann["consent"], ann["personalised"]) == ({"age": 30}, False, True)


def test_another_table_can_be_chosen(trained: TestClient) -> None:
    assert "Store 3 items …" in words_of(send(trained, events_csv(), table="items").text)
    refused = send(trained, events_csv(), table="friends")
    assert (refused.status_code, "is no table that can be sent" in refused.text) == (400, True)


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is empty"),
        (b"a,b\n1,2\n", "is neither events (user_id, item_id, timestamp) nor items"),
        (b"user_id,item_id\nann,mug\n", "has no column for timestamp"),
        (b"PK\x03\x04rest", "is a ZIP archive"),
        (b"item_id,title\n", "has columns but no rows"),
    ],
)
def test_what_cannot_be_read_is_said_in_a_sentence(trained: TestClient, content: bytes, sentence: str) -> None:
    answer = send(trained, content)
    assert answer.status_code in (400, 422)
    assert sentence in words_of(answer.text)


def test_a_file_over_the_limit_is_refused_and_nobody_else_can_send_one(trained: TestClient) -> None:
    answer = send(trained, b"x" * (10 * 2**20 + 1))
    assert (answer.status_code, "longer than 10,485,760 bytes" in answer.text) == (413, True)
    without = trained.post("/data/store", params={"name": "a.csv"}, content=ITEMS)
    assert without.status_code in (403, 415)


def test_an_import_stands_in_the_audit_under_the_name_of_the_caller(trained: TestClient, shop: Shop) -> None:
    send(trained, ITEMS, "store", name="../shop/items.csv", table="items")
    lines = (shop.folder / "audit.jsonl").read_text().splitlines()
    assert any('"import"' in line and '"items.csv: 3 items"' in line and '"operator"' in line for line in lines)


def test_a_name_of_a_file_is_no_path(trained: TestClient) -> None:
    for name in ("../../etc/passwd", "C:\\temp\\a b.csv", "\0", "", "." * 300):
        assert send(trained, ITEMS, name=name).status_code == 200


def test_a_file_can_be_sent_to_a_service_without_a_configuration_or_with_a_broken_one(
    signed_in: TestClient, trained: TestClient, shop: Shop
) -> None:
    assert "Store 3 items …" in words_of(send(signed_in, ITEMS).text)
    config = shop.folder / "zhiyin.toml"
    written = config.read_text()
    config.write_text("[data\n")
    answer = send(trained, ITEMS)
    config.write_text(written)
    assert "Store 3 items …" in words_of(answer.text)


def test_a_store_that_is_away_is_said(trained: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
    async def away(*_: object) -> None:
        raise RequestError(503, "the store cannot be used now: send it again later")

    monkeypatch.setattr(trained.app.state.service.store, "reading", away)
    assert "The store cannot be read now." in text(trained, "/data")


def test_a_check_that_cannot_be_kept_leaves_the_page_as_it_was(trained: TestClient, shop: Shop) -> None:
    taken = shop.folder / "releases" / ".check.json.new"
    taken.mkdir()
    (taken / "file").touch()
    assert trained.post("/data/check", data={"csrf": token(trained, "/data")}).status_code == 303
    deadline = time.monotonic() + 60
    while "Check " not in (page := text(trained, "/data")):
        assert time.monotonic() < deadline, page
    shutil.rmtree(taken)
