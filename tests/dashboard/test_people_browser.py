"""People and items in a real browser: what changes in place, what asks before it acts, and what keys reach."""

import re
from pathlib import Path
from typing import Any

import pytest

from browsing import PHONE, Browser, is_accessible, picture
from zhiyin.serving.dashboard import static_files

from .conftest import Shop
from .test_browser import cookie

pytestmark = pytest.mark.skipif(
    not static_files.has_vendor(), reason="needs the files from npm: run `python build_backend/zhiyin_build.py`"
)
PAST, LIST = "#past ~ ol .goods-name", "#now ~ ol .goods-name"


@pytest.fixture
def admin(browser: Browser, quiet: Shop, quiet_url: str) -> tuple[str, dict[str, str]]:
    return quiet_url, cookie(browser, quiet_url, quiet.keys["admin"])


def titles(page: Any, selector: str) -> list[str]:
    return page.locator(selector).all_inner_texts()


def test_leaving_an_event_out_changes_the_list_in_place_and_back_undoes_it(
    browser: Browser, admin: tuple[str, dict[str, str]]
) -> None:
    url, kept = admin
    with browser.page(f"{url}/people/a003?scenario=email", cookies=kept) as page:
        before, listed = titles(page, PAST), titles(page, LIST)
        page.evaluate("() => { document.querySelector('h1').dataset.same = 'page'; }")
        for left in range(len(before)):
            page.get_by_role("link", name=re.compile("^Leave out")).first.click()
            page.wait_for_selector(f"text={left + 1} left out")
        assert page.locator("h1").get_attribute("data-same") == "page", "only a part was loaded"
        assert titles(page, PAST) == []
        assert titles(page, LIST) != listed
        assert "items are listed, from 0 events." in page.locator("#told").inner_text()
        assert page.url.count("without=") == len(before)
        picture(page, "person-tried")
        page.get_by_role("link", name="Back to what happened").click()
        page.wait_for_function(f"() => document.querySelectorAll('{PAST}').length === {len(before)}")
        page.go_back()
        page.wait_for_selector(f"text={len(before)} left out")
        assert page.locator("h1").inner_text() == "a003"
        is_accessible(page)


def test_an_item_is_found_while_typing_and_added_with_the_keyboard(
    browser: Browser, admin: tuple[str, dict[str, str]]
) -> None:
    url, kept = admin
    with browser.page(f"{url}/people/a003?scenario=email", cookies=kept, size=PHONE, dark=True) as page:
        page.get_by_role("searchbox", name="Add an item").press_sequentially("b-04")
        adding = page.get_by_role("link", name=re.compile("^Add as .*: 咖啡 4$")).first
        adding.focus()
        picture(page, "person-adding")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=0 left out, 1 added")
        assert titles(page, PAST)[0] == "咖啡 4"
        assert page.locator("#now ~ ol .moved").count() == page.locator("#now ~ ol > li").count()
        is_accessible(page)


def test_why_not_is_asked_and_answered_on_the_page(browser: Browser, admin: tuple[str, dict[str, str]]) -> None:
    url, kept = admin
    with browser.page(f"{url}/people/a003", cookies=kept) as page:
        page.get_by_role("searchbox", name="Item", exact=True).fill("咖啡 3")
        page.keyboard.press("Enter")
        page.wait_for_selector(".stages li")
        assert page.locator(".stages .bad, .stages .warn").count() >= 1
        assert "why=" in page.url
        picture(page, "person-why")
        is_accessible(page)


def test_another_scenario_is_one_tab_away(browser: Browser, admin: tuple[str, dict[str, str]]) -> None:
    url, kept = admin
    with browser.page(f"{url}/people/a003", cookies=kept) as page:
        page.get_by_role("link", name="email", exact=True).click()
        page.wait_for_selector(".tabs [aria-current]:has-text('email')")
        assert "scenario=email" in page.url


def test_personal_answers_are_switched_off_after_a_question(
    browser: Browser, admin: tuple[str, dict[str, str]]
) -> None:
    url, kept = admin
    with browser.page(f"{url}/people/a003", cookies=kept) as page:
        page.locator("[data-dialog=switch-personalised]").click()
        dialog = page.get_by_role("dialog")
        assert "use nothing of what they did?" in dialog.inner_text()
        dialog.get_by_role("button", name="Cancel").click()
        assert dialog.count() == 0
        page.locator("[data-dialog=switch-personalised]").click()
        dialog.get_by_role("button", name="Switch off").click()
        page.wait_for_selector("text=Lists of this person use nothing of what they did.")
        assert titles(page, PAST) == []


def test_a_person_is_deleted_only_by_who_types_the_id(browser: Browser, admin: tuple[str, dict[str, str]]) -> None:
    url, kept = admin
    with browser.page(f"{url}/people/a003", cookies=kept) as page:
        page.get_by_role("button", name="Delete everything").click()
        dialog = page.get_by_role("dialog")
        field = dialog.get_by_label("To be sure, type the id a003")
        field.fill("a004")
        dialog.get_by_role("button", name="Delete everything").click()
        assert field.evaluate("field => field.validationMessage") == "This is not the id of the person."
        picture(page, "person-delete")
        is_accessible(page)
        field.fill("a003")
        dialog.get_by_role("button", name="Delete everything").click()
        page.wait_for_selector("text=Everything that was stored of a003 is deleted.")
        assert '"signature"' in page.locator("pre").inner_text()
        picture(page, "receipt")
        is_accessible(page)
        page.goto(f"{url}/audit")
        line = page.locator("tbody tr").first.inner_text()
        assert "erase person" in line
        assert "a003" not in line  # a log that names who was erased would be no erasure


def test_everything_of_a_person_is_saved_as_a_file(browser: Browser, admin: tuple[str, dict[str, str]]) -> None:
    url, kept = admin
    with browser.page(f"{url}/people/a003", cookies=kept) as page:
        with page.expect_download() as saved:
            page.get_by_role("button", name="Export everything").click()
        assert saved.value.suggested_filename.startswith("person-")
        assert '"user_id": "a003"' in Path(saved.value.path()).read_text()


def test_an_item_is_hidden_and_shown_again(browser: Browser, admin: tuple[str, dict[str, str]]) -> None:
    url, kept = admin
    with browser.page(f"{url}/items/a-02", cookies=kept, size=PHONE) as page:
        page.wait_for_selector("text=were active last")
        page.get_by_role("button", name="Hide at once").click()
        page.get_by_role("dialog").get_by_role("button", name="Hide at once").click()
        page.wait_for_selector("text=no list has it from now on")
        page.wait_for_selector("text=It is in nobody's list.")
        picture(page, "item-hidden")
        page.get_by_role("button", name="Show again").click()
        page.get_by_role("dialog").get_by_role("button", name="Show again").click()
        page.wait_for_selector("text=The item may be recommended again.")


def test_an_attribute_is_changed_and_a_wrong_one_is_told_without_losing_the_form(
    browser: Browser, admin: tuple[str, dict[str, str]]
) -> None:
    url, kept = admin
    with browser.page(f"{url}/items/a-02", cookies=kept, may_fail=(422,)) as page:
        page.get_by_text("Change it", exact=True).click()
        page.get_by_label("title", exact=True).fill("green tea")
        page.get_by_label("Name", exact=True).fill("hidden")
        page.get_by_label("Value", exact=True).fill("yes")
        picture(page, "item-change")
        page.get_by_role("button", name="Save").click()
        page.wait_for_selector("#notice .bad")
        assert "attributes.hidden has a name that is taken" in page.locator("#notice").inner_text()
        assert page.get_by_label("title", exact=True).input_value() == "green tea"
        picture(page, "item-wrong")
        page.get_by_label("Name", exact=True).fill("organic")
        page.get_by_label("Kind", exact=True).select_option("truth")
        page.get_by_role("button", name="Save").click()
        page.wait_for_selector("text=2 attributes are changed.")
        assert page.locator("h1").inner_text() == "green tea"
        page.get_by_text("Change it", exact=True).click()
        is_accessible(page)


def test_people_are_found_while_somebody_types(browser: Browser, admin: tuple[str, dict[str, str]]) -> None:
    url, kept = admin
    with browser.page(f"{url}/people", cookies=kept) as page:
        page.get_by_role("searchbox").press_sequentially("b00")
        page.wait_for_selector("text=Ids with “b00”")
        assert titles(page, "tbody th") == [f"b00{i}" for i in range(10)]
        assert "find=b00" in page.url
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")
        page.wait_for_selector("text=What they did")
        assert page.url.endswith("/people/b000")
