"""What the pages on models say, and the change of what answers from there."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from zhiyin.registry.lock import exclusive
from zhiyin.registry.progress_file import told
from zhiyin.registry.retrain import State, write_state
from zhiyin.registry.retrain_requests import pending
from zhiyin.registry.store import Store
from zhiyin.registry.train import PROGRESS

from .conftest import Shop
from .signing_in import sign_in, token
from .test_data import words_of
from .test_overview import text
from .trained import app_of, trained_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    return trained_shop(tmp_path_factory.mktemp("models"))


@pytest.fixture
def trained(shop: Shop) -> Iterator[TestClient]:
    Store(shop.folder / "releases").promote(1, 1, "for this test")
    with TestClient(app_of(shop.folder), "http://127.0.0.1:8000", follow_redirects=False) as client:
        sign_in(client, shop.keys["operator"])
        yield client


@pytest.fixture
def signed_in(client: TestClient, quiet: Shop) -> TestClient:
    sign_in(client, quiet.keys["operator"])
    return client


def post(client: TestClient, path: str, **fields: object):
    return client.post(path, data={"csrf": token(client, "/models"), **fields})


def write_search(folder: Path) -> None:
    """Three trials, and the half of a fourth."""
    folder.mkdir()
    trial = {"model": "item_knn", "type": "ItemKNN", "fixed": {}, "seconds": 1.5, "reason": ""}
    lines = [
        {**trial, "settings": {"neighbours": 10}, "values": [0.1, 0.2], "state": "complete"},
        {**trial, "settings": {"neighbours": 30}, "values": [0.3, 0.25], "state": "complete"},
        {**trial, "settings": {"neighbours": 70}, "values": [0.01], "state": "pruned"},
    ]
    log = "".join(json.dumps(line) + "\n" for line in lines)
    (folder / "abc.jsonl").write_text(log + '{"model": "half a li')


def test_a_service_with_one_release_says_what_it_lacks(signed_in: TestClient) -> None:
    page = text(signed_in, "/models")
    assert "Release 0 answers with item_knn, popularity." in page
    assert "so it does not train" in page
    assert "This service was given one release and no folder of releases." in page
    assert "No report was kept with this release." in page
    assert signed_in.get("/models/0").status_code == 409
    assert post(signed_in, "/models/train").status_code == 409
    assert post(signed_in, "/models/promote", number=1).status_code == 409


def test_models_are_compared_by_the_number_and_for_the_people_that_are_chosen(trained: TestClient) -> None:
    page = text(trained, "/models")
    assert re.search(r"item_knn 0\.\d{4} 0\.\d{4} to 0\.\d{4}", page)
    assert "popularity baseline" in page
    assert "How much of what people then chose is in the list" in page
    part = trained.get("/models?metric=recall&segment=heavy users", headers={"hx-request": "true"}).text
    assert not part.lstrip().startswith("<!doctype")
    assert re.search(r'metric=recall&amp;segment=heavy%20users"[^>]* aria-current="true"|aria-current="true"', part)
    assert "The part of what people then chose that is in the list." in words_of(part)
    assert "better" not in words_of(part), "parts of the people are not tested against the baseline"
    assert text(trained, "/models?metric=none&segment=nobody") == page


def test_the_timeline_says_what_changed_and_what_the_gate_said(trained: TestClient, shop: Shop) -> None:
    page = text(trained, "/models")
    first, second = page.index("Release 1 Answers now"), page.index("Release 2")
    assert second < first, "newest first"
    assert "models.item_knn.neighbours 50 → 20" in page
    assert "the same files" in page
    assert re.search(r"against release 1\)", page)
    assert re.search(r"promoted: |not promoted: ", page.lower())
    manifest = json.loads((shop.folder / "releases" / "0001" / "manifest.json").read_text())
    assert manifest["details"]["verdict"]["sentence"] in page.replace("Promoted:", "promoted:")


def test_a_release_is_promoted_and_rolled_back_under_the_name_of_the_caller(trained: TestClient, shop: Shop) -> None:
    registry = Store(shop.folder / "releases")
    done = post(trained, "/models/promote", number=2)
    assert (done.status_code, done.headers["location"]) == (303, "/models#releases")
    assert registry.serving() == 2
    assert "Release 2 answers now; before it was release 1." in text(trained, "/models")
    assert "Go back to it" in text(trained, "/models")
    assert post(trained, "/models/rollback").status_code == 303
    assert registry.serving() == 1
    assert "Release 1 answers again, in place of release 2." in text(trained, "/models")
    acts = [json.loads(line) for line in (shop.folder / "audit.jsonl").read_text().splitlines()]
    done = [(one["act"], one["object"], one["actor"]) for one in acts if one["outcome"] == "done"]
    assert ("promote", "release 2", "operator") in done
    assert ("rollback", "", "operator") in done


def test_what_cannot_serve_is_refused_in_words(trained: TestClient, shop: Shop) -> None:
    for number, status in (("9", 404), ("x", 404), ("", 404)):
        assert post(trained, "/models/promote", number=number).status_code == status
    path = shop.folder / "releases" / "0002" / "users.parquet"
    kept = path.read_bytes()
    path.write_bytes(kept[:-1])
    answer = post(trained, "/models/promote", number=2)
    path.write_bytes(kept)
    assert (answer.status_code, "release 1 goes on" in words_of(answer.text)) == (409, True)


def test_nothing_is_changed_without_the_token(trained: TestClient, shop: Shop) -> None:
    assert trained.post("/models/promote", data={"number": 2}).status_code == 403
    assert Store(shop.folder / "releases").serving() == 1


def test_a_training_is_asked_for_and_watched(trained: TestClient, shop: Shop) -> None:
    root = shop.folder / "releases"
    assert "Train now" in text(trained, "/models")
    assert post(trained, "/models/train").headers["location"] == "/models#training"
    assert pending(root).reason == "asked for on the dashboard"
    assert "One is about to begin." in text(trained, "/models")
    with exclusive(root), told(root / PROGRESS) as progress:
        progress("training item_knn: loss 0.5", 1, 3)
        page = text(trained, "/models")
        assert "Fitting models to measure them: item_knn: loss 0.5" in page
        assert '<progress max="3" value="1"' in trained.get("/models").text
        assert "Train now" not in page
    (root / "retrain-request.json").unlink()
    write_state(root, State(began=1, ended=2, failures=2, sentence="the disk is full"))
    assert "Failed The last ended" in text(trained, "/models")
    (root / "retrain.json").write_text("{")
    assert "cannot be read" in text(trained, "/models")
    (root / "retrain.json").unlink()


def test_a_release_says_what_it_is_made_of(trained: TestClient) -> None:
    page = text(trained, "/models/2")
    assert "Release 2" in page
    assert re.search(r"neighbours 20\b", page)
    assert re.search(r"Events [\d,]+ People [\d,]+ Items 1\d\d", page)
    assert "None of these models learns in epochs" in page
    assert "Since release 1" in page
    assert trained.get("/models/7").status_code == 404
    assert trained.get("/models/x").status_code == 404


def test_a_damaged_release_is_shown_with_its_problem(trained: TestClient, shop: Shop) -> None:
    path = shop.folder / "releases" / "0002" / "manifest.json"
    kept = path.read_bytes()
    path.write_bytes(b"{")
    page, one = text(trained, "/models"), text(trained, "/models/2")
    path.write_bytes(kept)
    assert "Damaged" in page
    assert "has changed" in one


def test_searches_are_listed_with_the_best_of_each_model(trained: TestClient, shop: Shop) -> None:
    assert "No search for better settings has been made here." in text(trained, "/models")
    folder = shop.folder / "tuning"
    write_search(folder)
    page = text(trained, "/models")
    assert "3 settings were tried" in page
    assert "item_knn 0.2500 3" in page
    assert "neighbours = 30" in page
    assert "given up early" in page
    assert (folder / "abc.jsonl").read_text().endswith("half a li"), "a search may be writing it"
    (folder / "abc.jsonl").write_text("{}\n")
    assert "is damaged" in text(trained, "/models")


def test_what_cannot_be_read_is_said_and_the_rest_of_the_page_comes(trained: TestClient, shop: Shop) -> None:
    root = shop.folder / "releases"
    serving, report, models = root / "serving.json", root / "0001" / "report.json", root / "0001" / "models"
    kept, measured = serving.read_bytes(), report.read_bytes()
    report.write_bytes(b"{")
    assert "No report was kept with this release." in text(trained, "/models")
    report.write_bytes(measured)
    models.rename(root / "elsewhere")
    assert "No such file or directory" in text(trained, "/models/1")
    (root / "elsewhere").rename(models)
    serving.write_bytes(b"{")
    assert "cannot be read: move it away" in text(trained, "/models")
    assert trained.get("/models/1").status_code == 503
    serving.write_bytes(kept)
