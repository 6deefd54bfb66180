"""What people do on the pages of rules, keys and the storefront, in a real browser."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from browsing import PHONE, Browser, is_accessible, picture
from live_server import running
from zhiyin.registry.config import read_config
from zhiyin.serving.dashboard import static_files
from zhiyin.serving.keys import Keys

from .conftest import Shop, shop
from .test_browser import cookie
from .test_rules import WRITTEN

needs_vendor = pytest.mark.skipif(
    not static_files.has_vendor(), reason="needs the files from npm: run `python build_backend/zhiyin_build.py`"
)
AFTER = "#preview article:first-of-type .pair > div:last-child li"
"""The list of the first person, with the change."""
Told = tuple[str, Shop, dict[str, str]]


@pytest.fixture(scope="module")
def told(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Told]:
    """A service with a zhiyin.toml, and the session of an admin."""
    folder: Path = tmp_path_factory.mktemp("told")
    (folder / "zhiyin.toml").write_text(WRITTEN)
    made = shop(folder, config=folder / "zhiyin.toml")
    with running(made.app) as url:
        yield url, made, cookie(browser, url, made.keys["admin"])


@needs_vendor
def test_rules_are_tried_saved_and_taken_back(browser: Browser, told: Told) -> None:
    url, made, session = told
    with browser.page(f"{url}/rules/edit?name=home", cookies=session) as page:
        page.get_by_label("Only items with").fill("category = 'b'")
        page.wait_for_selector("#preview .in")
        page.get_by_role("button", name="Add a cap").click()
        assert page.locator("[data-rows=cap] .row").count() == 2
        assert page.evaluate("() => document.activeElement.name") == "cap-1-column"
        page.keyboard.type("category")
        page.locator("[name=cap-1-most]").fill("2")
        page.wait_for_function(f"() => document.querySelectorAll('{AFTER}').length === 2")
        picture(page, "rules-preview-en-wide-light")
        is_accessible(page)
        page.wait_for_selector("#preview:not(.htmx-request)")
        page.get_by_role("button", name="Save").click()
        page.wait_for_selector("text=home was saved.")
        scenario = read_config(made.folder / "zhiyin.toml").scenarios["home"]
        assert (scenario.where, scenario.caps) == ("category = 'b'", {"category": 2})
        page.goto(f"{url}/rules")
        picture(page, "rules-changed-en-wide-light")
        page.get_by_role("link", name=re.compile("As before this")).first.click()
        page.get_by_role("button", name="Save").click()
        page.wait_for_selector("text=home was saved.")
    assert (made.folder / "zhiyin.toml").read_text() == WRITTEN


@needs_vendor
def test_what_cannot_be_is_told_while_one_types(browser: Browser, told: Told) -> None:
    url, _, session = told
    with browser.page(f"{url}/rules/edit?name=home", cookies=session, size=PHONE) as page:
        page.get_by_label("Only items with").fill("colour = 1")
        page.wait_for_selector("#preview >> text=column colour at character 1 is not known")
        picture(page, "rules-refused-en-phone-light")


def test_a_key_is_made_by_keyboard_copied_and_revoked(browser: Browser, told: Told) -> None:
    url, made, session = told
    with browser.page(f"{url}/keys", cookies=session) as page:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.get_by_label("Who shall use it").fill("web shop")
        page.keyboard.press("Enter")
        key = page.locator("#made").inner_text()
        page.get_by_role("button", name="Copy").click()
        page.wait_for_selector("text=Copied")
        assert page.evaluate("() => navigator.clipboard.readText()") == key
        picture(page, "keys-made-en-wide-light")
        is_accessible(page)
        page.goto(f"{url}/keys")
        page.get_by_role("button", name="Revoke web shop").click()
        page.wait_for_selector("dialog[open]")
        picture(page, "keys-revoke-en-wide-light")
        page.keyboard.press("Escape")
        assert page.locator("dialog[open]").count() == 0
        page.get_by_role("button", name="Revoke web shop").click()
        page.locator("dialog[open]").get_by_role("button", name="Revoke").click()
        page.wait_for_selector("text=The key of web shop is refused from now on.")
    assert Keys(made.folder / "keys.json").verify(key) is None


@needs_vendor
def test_a_visit_changes_the_shop_while_one_looks(browser: Browser, told: Told) -> None:
    url, _, session = told
    with browser.page(f"{url}/shop", cookies=session) as page:
        page.wait_for_selector("text=We do not know you yet.")
        page.locator(".shelf a").filter(has_text="咖啡").first.click()
        page.wait_for_selector(".happenings .effect, .happenings .about")
        page.wait_for_selector("#for-you-title:has-text('Recommended for you')")
        picture(page, "shop-item-seen-en-wide-light")
        is_accessible(page)
        page.get_by_role("button", name="Add to cart").click()
        page.wait_for_selector("text=is in your cart.")
        page.wait_for_selector(".happenings >> text=cart")
        picture(page, "shop-cart-filled-en-wide-light")
        is_accessible(page)
        page.get_by_role("button", name="Buy").click()
        page.wait_for_selector("text=1 piece was bought.")
        page.wait_for_selector("text=Good to see you again")
        page.get_by_text("See it as somebody else").click()
        picture(page, "shop-switch-en-wide-light")
        page.locator(".choices form button").nth(1).click()
        page.wait_for_selector("text=You see the shop as")
        picture(page, "shop-person-en-wide-light")
        is_accessible(page)
