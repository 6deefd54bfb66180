"""Every page in a real browser, with data and with none: what is asked of all of them is in `browsing`."""

import pytest

from browsing import Browser, is_accessible
from zhiyin.serving.dashboard import static_files

from .conftest import Shop

needs_vendor = pytest.mark.skipif(
    not static_files.has_vendor(), reason="needs the files from npm: run `python build_backend/zhiyin_build.py`"
)
CHART = "[data-drawn]"
PAGES = ["/", "/rules", "/rules/edit?name=home", "/keys", "/audit/verify", "/shop", "/shop/items/a-00", "/shop/cart"]
"""Of the navigation; a new page is one line here."""


@pytest.fixture(scope="module")
def busy_cookie(browser: Browser, busy: Shop, busy_url: str) -> dict[str, str]:
    return cookie(browser, busy_url, busy.keys["admin"])


def cookie(browser: Browser, url: str, key: str) -> dict[str, str]:
    """The session of somebody who signs in as people do."""
    with browser.page(f"{url}/sign-in") as page:
        page.get_by_label("API key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_selector("nav")
        kept = page.context.cookies()
    return {one["name"]: one["value"] for one in kept if one["httpOnly"]}


@pytest.mark.parametrize("path", PAGES)
def test_a_page_holds_with_data(browser: Browser, busy_url: str, busy_cookie: dict[str, str], path: str) -> None:
    name = path.strip("/").partition("?")[0].replace("/", "-") or "overview"
    browser.holds(busy_url + path, name, busy_cookie)


@pytest.mark.parametrize("path", PAGES)
def test_a_page_holds_with_none(browser: Browser, quiet: Shop, quiet_url: str, path: str) -> None:
    name = path.strip("/").partition("?")[0].replace("/", "-") or "overview"
    browser.holds(quiet_url + path, f"{name}-empty", cookie(browser, quiet_url, quiet.keys["admin"]))


def test_the_form_to_sign_in_holds(browser: Browser, quiet_url: str) -> None:
    browser.holds(f"{quiet_url}/sign-in", "sign-in", ready="input[name=key]")


def test_a_wrong_key_is_told_at_the_field(browser: Browser, quiet_url: str) -> None:
    with browser.page(f"{quiet_url}/sign-in", may_fail=(401,)) as page:
        page.get_by_label("API key").fill("zk_wrong")
        page.keyboard.press("Enter")
        page.wait_for_selector("[role=alert]")
        field = page.get_by_label("API key")
        assert field.get_attribute("aria-invalid") == "true"
        assert "this API key is not known" in page.get_by_role("alert").inner_text()


def test_the_keyboard_reaches_the_content_past_the_navigation(
    browser: Browser, busy_url: str, busy_cookie: dict[str, str]
) -> None:
    with browser.page(busy_url, cookies=busy_cookie) as page:
        page.keyboard.press("Tab")
        assert page.evaluate("() => document.activeElement.className") == "skip"
        page.keyboard.press("Enter")
        assert page.evaluate("() => document.activeElement.id") == "content"


def test_somebody_signs_out(browser: Browser, quiet: Shop, quiet_url: str) -> None:
    signed_in = cookie(browser, quiet_url, quiet.keys["operator"])
    with browser.page(quiet_url, cookies=signed_in) as page:
        page.get_by_role("button", name="Sign out").click()
        page.wait_for_selector("input[name=key]")
        assert page.url == f"{quiet_url}/sign-in"


@needs_vendor
def test_charts_are_drawn_and_told_as_tables(browser: Browser, busy_url: str, busy_cookie: dict[str, str]) -> None:
    with browser.page(busy_url, cookies=busy_cookie) as page:
        page.wait_for_selector(CHART)
        assert page.locator("[data-drawn] canvas").count() >= 1
        page.locator("summary").first.click()
        assert page.get_by_role("columnheader", name="new since").is_visible()


@needs_vendor
def test_the_overview_renews_itself(browser: Browser, quiet: Shop, quiet_url: str) -> None:
    with browser.page(quiet_url, cookies=cookie(browser, quiet_url, quiet.keys["operator"])) as page:
        page.wait_for_selector("text=No event has come in over HTTP yet")
        event = {"user_id": "ann", "item_id": "a-00", "event_type": "view"}
        sent = page.request.post(
            f"{quiet_url}/v1/events", data=event, headers={"authorization": f"Bearer {quiet.keys['writer']}"}
        )
        assert sent.status == 202
        page.wait_for_selector("text=Nothing needs attention.")


def test_dates_are_those_of_the_reader(browser: Browser, busy_url: str, busy_cookie: dict[str, str]) -> None:
    with browser.page(busy_url, cookies=busy_cookie) as page:
        page.wait_for_selector("text=yesterday")
        moments = page.locator("time[data-style=moment]").all_inner_texts()
        assert "31 Jan 1970" in " ".join(moments), "the last event of the small world, in Shanghai"


def test_what_a_screen_reader_cannot_read_would_be_found(browser: Browser, quiet_url: str) -> None:
    with browser.page(f"{quiet_url}/sign-in") as page:
        page.evaluate("() => document.querySelector('label').remove()")
        with pytest.raises(AssertionError, match="label"):
            is_accessible(page)
