"""A real browser for tests of pages: Chromium by Playwright, with what every page has to keep."""

import json
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking"]
WIDE, PHONE = {"width": 1280, "height": 900}, {"width": 390, "height": 844}
SCREENSHOTS = "ZHIYIN_SCREENSHOTS"
LOOKS = (("en", WIDE, False), ("zh", PHONE, True), ("en", PHONE, True), ("zh", WIDE, False))
GRAVE = ("serious", "critical")
MOST_BYTES = 500_000


def missing() -> str:
    """Why there is no browser; empty if there is."""
    try:
        import playwright.sync_api  # noqa: F401 - only whether it is there
    except ImportError:
        return "needs Playwright: pip install playwright"
    if executable() is None:
        return "needs Chromium: install it (apt-get install chromium), or name it in ZHIYIN_TEST_CHROMIUM"
    return ""


def executable() -> str | None:
    return os.environ.get("ZHIYIN_TEST_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")


@contextmanager
def chromium() -> Iterator["Browser"]:
    """The browser, or a skipped test."""
    if reason := missing():
        pytest.skip(reason)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=executable(), args=FLAGS)
        try:
            yield Browser(launched)
        finally:
            launched.close()


@dataclass
class Seen:
    """What went wrong on a page, and what it weighs."""

    errors: list[str] = field(default_factory=list)
    bytes: int = 0


class Browser:
    def __init__(self, launched: Any) -> None:
        self._launched = launched

    @contextmanager
    def page(
        self, url: str, *, language: str = "en", cookies: dict[str, str] | None = None, size: dict[str, int] = WIDE,
        dark: bool = False, may_fail: tuple[int, ...] = (),
    ) -> Iterator[Any]:  # fmt: skip
        """A page of its own, opened; on leaving it, nothing may have gone wrong in it.

        `may_fail` are statuses that the browser notes as errors, and that the test is about.
        """
        context = self._launched.new_context(
            viewport=size,
            color_scheme="dark" if dark else "light",
            locale={"en": "en-GB", "zh": "zh-CN"}[language],
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
        )
        try:
            if cookies:
                site = "/".join(url.split("/")[:3])  # with a path, cookies would be for what lies below it alone
                context.add_cookies([{"name": name, "value": value, "url": site} for name, value in cookies.items()])
            page, seen = context.new_page(), Seen()
            page.set_default_timeout(20_000)
            _watch(page, seen, may_fail)
            page.goto(url)
            page.seen = seen
            yield page
            assert not seen.errors, seen.errors
        finally:
            context.close()

    def holds(self, url: str, name: str, cookies: dict[str, str] | None = None, ready: str = "main") -> None:
        """A page in both languages, wide and narrow, light and dark: no errors, light enough, accessible, on a picture.

        Each of these is seen once, and where pictures are wanted, also the other way round: a page takes seconds.
        `ready` is a selector of what is there when the page is.
        """
        for language, size, dark in LOOKS if os.environ.get(SCREENSHOTS) else LOOKS[:2]:
            with self.page(url, language=language, cookies=cookies, size=size, dark=dark) as page:
                page.wait_for_selector(ready)
                _has_its_frame(page, language)
                look = f"{name}-{language}-{'wide' if size is WIDE else 'phone'}-{'dark' if dark else 'light'}"
                picture(page, look)
                assert page.seen.bytes < MOST_BYTES, page.seen.bytes
                is_accessible(page)


def is_accessible(page: Any) -> None:
    """Axe finds nothing serious; it comes through the debugger, because the page would not load it."""
    if not AXE.is_file():
        pytest.skip("needs axe-core: run `npm ci`")
    run = "axe.run().then(found => found.violations.map(one => [one.impact, one.id, one.nodes.map(node => node.html)]))"
    asked = {"expression": f"{AXE.read_text(encoding='utf-8')};{run}", "awaitPromise": True, "returnByValue": True}
    found = page.context.new_cdp_session(page).send("Runtime.evaluate", asked)["result"]["value"]
    grave = [one for one in found if one[0] in GRAVE]
    assert not grave, json.dumps(grave, indent=1, ensure_ascii=False)


def picture(page: Any, name: str) -> None:
    """The whole page as a PNG, where ZHIYIN_SCREENSHOTS names a folder."""
    folder = os.environ.get(SCREENSHOTS)
    if folder:
        Path(folder).mkdir(parents=True, exist_ok=True)
        path = Path(folder) / f"{re.sub(r'[^a-z0-9-]+', '-', name)}.png"
        page.screenshot(path=path, full_page=True, caret="initial")  # to hide it writes styles that the policy forbids


def _watch(page: Any, seen: Seen, may_fail: tuple[int, ...]) -> None:
    noted = [text for status in may_fail for text in (f"status of {status} ", f"Status Error Code {status} ")]

    def said(message: Any) -> None:
        if message.type in ("error", "warning") and not any(one in message.text for one in noted):
            seen.errors.append(f"console: {message.text}")

    def failed(request: Any) -> None:
        is_stream = "text/event-stream" in request.headers.get("accept", "")  # it ends with its page
        given_up = request.failure == "net::ERR_ABORTED"  # by the page, for a newer one, or because it is a download
        if not is_stream and not given_up:
            seen.errors.append(f"failed: {request.url} {request.failure}")

    def finished(request: Any) -> None:
        seen.bytes += request.sizes()["responseBodySize"]

    page.on("console", said)
    page.on("pageerror", lambda error: seen.errors.append(f"script: {error}"))
    page.on("requestfailed", failed)
    page.on("requestfinished", finished)


def _has_its_frame(page: Any, language: str) -> None:
    assert page.locator("html").get_attribute("lang") == {"en": "en", "zh": "zh-Hans"}[language]
    assert page.locator("h1").count() == 1
    assert page.locator("main").count() == 1
    scroll = page.evaluate("() => document.documentElement.scrollWidth - document.documentElement.clientWidth")
    assert scroll <= 0, f"{page.url} is {scroll} px wider than the screen"
