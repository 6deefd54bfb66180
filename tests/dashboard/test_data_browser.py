"""The pages on data and models in a real browser: a file is stored, a release is promoted, a check is watched."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from browsing import Browser, is_accessible, picture
from live_server import running
from zhiyin.registry.lock import exclusive
from zhiyin.registry.progress_file import told
from zhiyin.registry.store import Store
from zhiyin.registry.train import PROGRESS

from .conftest import Shop
from .test_browser import cookie, needs_vendor
from .test_data import events_csv
from .test_models import write_search
from .trained import app_of, trained_shop


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Shop:
    made = trained_shop(tmp_path_factory.mktemp("browsed"))
    write_search(made.folder / "tuning")
    return made


@pytest.fixture(scope="module")
def url(shop: Shop) -> Iterator[str]:
    with running(app_of(shop.folder)) as found:
        yield found


@pytest.fixture(scope="module")
def session(browser: Browser, shop: Shop, url: str) -> dict[str, str]:
    return cookie(browser, url, shop.keys["operator"])


@needs_vendor
@pytest.mark.parametrize("path", ["/data", "/models", "/models/2"])
def test_a_page_holds_with_releases(browser: Browser, url: str, session: dict[str, str], path: str) -> None:
    browser.holds(url + path, f"trained{path.replace('/', '-')}", session, ready="[data-drawn]")


@needs_vendor
def test_the_data_are_checked_while_somebody_looks(browser: Browser, url: str, session: dict[str, str]) -> None:
    with browser.page(f"{url}/data", cookies=session) as page:
        page.get_by_role("button", name="Check the data").click()
        page.wait_for_selector("text=The check has begun.")
        page.wait_for_selector(".findings li")
        finding = page.get_by_role("listitem").filter(has_text="repeat an earlier one")
        finding.locator("summary").click()
        assert finding.get_by_role("columnheader", name="user_id").is_visible()
        picture(page, "data-checked")
        is_accessible(page)


def test_a_file_is_looked_at_and_stored(browser: Browser, url: str, session: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "week.csv"
    file.write_bytes(events_csv(rows=12))
    with browser.page(f"{url}/data", cookies=session) as page:
        page.get_by_label("File", exact=True).set_input_files(file)
        page.wait_for_selector("text=The first 10 rows, as they would be read")
        picture(page, "data-upload")
        is_accessible(page)
        page.get_by_role("button", name="Store 12 events").click()
        page.get_by_role("dialog").get_by_role("button", name="Store", exact=True).click()
        page.wait_for_selector("text=12 events are stored.")


def test_another_table_is_read_anew_and_a_bad_file_is_told(
    browser: Browser, url: str, session: dict[str, str], tmp_path: Path
) -> None:
    file, bad = tmp_path / "week.csv", tmp_path / "bad.csv"
    file.write_bytes(events_csv(rows=2))
    bad.write_text("a,b\n1,2\n")
    with browser.page(f"{url}/data", cookies=session, may_fail=(422,)) as page:
        page.get_by_label("File", exact=True).set_input_files(file)
        page.get_by_label("Read as").select_option("items")
        page.wait_for_selector("text=Store 2 items")
        page.get_by_label("File", exact=True).set_input_files(bad)
        page.wait_for_selector("text=bad.csv is neither events")
        page.get_by_label("File", exact=True).set_input_files(file)
        page.get_by_role("button", name="Cancel").first.click()
        page.wait_for_selector(".preview", state="detached")


@needs_vendor
def test_another_number_is_compared_without_leaving_the_page(
    browser: Browser, url: str, session: dict[str, str]
) -> None:
    with browser.page(f"{url}/models", cookies=session) as page:
        page.wait_for_selector("[data-drawn]")
        page.get_by_role("link", name="Recall", exact=True).click()
        page.wait_for_selector("text=The part of what people then chose")
        page.wait_for_selector("#compared [data-drawn]")
        assert page.url.endswith("/models?metric=recall&segment=all")


def test_a_release_is_promoted_after_a_question_by_the_keyboard_alone(
    browser: Browser, shop: Shop, url: str, session: dict[str, str]
) -> None:
    registry = Store(shop.folder / "releases")
    with browser.page(f"{url}/models", cookies=session) as page:
        page.get_by_role("button", name="Let it answer").focus()
        page.keyboard.press("Enter")
        dialog = page.get_by_role("dialog")
        picture(page, "models-promote")
        dialog.get_by_role("button", name="Cancel").press("Enter")
        assert registry.serving() == 1
        page.get_by_role("button", name="Let it answer").press("Enter")
        dialog.get_by_role("button", name="Let it answer").press("Enter")
        page.wait_for_selector("text=Release 2 answers now; before it was release 1.")
        assert registry.serving() == 2
        page.get_by_role("button", name="Go back to it").click()
        dialog.get_by_role("button", name="Go back to it").click()
        page.wait_for_selector("text=Release 1 answers again")


@needs_vendor
def test_a_training_is_watched(browser: Browser, shop: Shop, url: str, session: dict[str, str]) -> None:
    root = shop.folder / "releases"
    with browser.page(f"{url}/models", cookies=session) as page:
        page.wait_for_selector("text=None runs.")
        with exclusive(root), told(root / PROGRESS) as progress:
            progress("validating item_knn", 1, 2)
            page.wait_for_selector("text=Fitting models to choose among them: item_knn")
            picture(page, "models-training")
            is_accessible(page)
        page.wait_for_selector("text=None runs.")
