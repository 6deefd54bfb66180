"""The parts that pages are set with: whatever is put into them, it stays text."""

import re
from typing import Any

import pytest
from starlette.testclient import TestClient

from zhiyin.serving.dashboard.charts import Chart, Series
from zhiyin.serving.dashboard.templates import environment
from zhiyin.serving.dashboard.words import words

from .conftest import Shop
from .signing_in import sign_in

EVIL = "<b>'\"&"


def made(source: str, **values: Any) -> str:
    template = environment().from_string('{% import "ui.html" as ui with context %}' + source)
    spoken = words("en")
    return re.sub(
        r"[ \n]+", " ", template.render(t=spoken, say=spoken.say, token="t0", has_vendor=True, **values)
    ).strip()


@pytest.mark.parametrize(
    "source",
    [
        "{{ ui.badge(x) }}",
        "{{ ui.item(x) }}",
        "{{ ui.person(x) }}",
        "{{ ui.empty(x, x, x) }}",
        "{{ ui.field('n', x, value=x, hint=x, error=x, code=x, title=x) }}",
        "{% call ui.confirm('i', x, x, x) %}{{ x }}{% endcall %}",
        "{% call ui.table(x, [x]) %}<tr><td>{{ x }}</td></tr>{% endcall %}",
        "{% call ui.tile(x, x) %}{{ x }}{% endcall %}",
        "{{ ui.pager(x, x) }}",
        "{{ ui.chart(chart, x) }}",
    ],
)
def test_what_is_put_in_stays_text(source: str) -> None:
    html = made(source, x=EVIL, chart=Chart([EVIL], [Series(EVIL, [1.0])]))
    assert "<b>" not in html
    assert "&lt;b&gt;" in html or "%3Cb%3E" in html
    for attribute in re.findall(r'="([^"]*)"', html):
        assert "<" not in attribute


def test_an_id_of_any_characters_is_a_link_to_its_page() -> None:
    assert made("{{ ui.item('a/b c?') }}") == '<a class="id" href="/items/a%2Fb%20c%3F">a/b c?</a>'
    assert made("{{ ui.release(3) }}") == '<a class="id" href="/models/3">3</a>'


def test_what_is_not_known_is_a_dash_that_is_read_aloud() -> None:
    for source in ("ui.number(none)", "ui.share(none)", "ui.seconds(none)", "ui.time(none)"):
        assert made("{{ " + source + " }}") == '<span aria-hidden="true">–</span><span class="unseen">none</span>'


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("ui.number(1234567)", "1,234,567"),
        ("ui.number(2.345, 'ms', 1)", "2.3 ms"),
        ("ui.share(0.0342)", "3.4\N{NO-BREAK SPACE}%"),
        ("ui.seconds(0.0123)", "12.3 ms"),
        ("ui.seconds(0.25)", "250 ms"),
        ("ui.seconds(2.5)", "2.5 s"),
    ],
)
def test_numbers_have_separators_and_units(source: str, said: str) -> None:
    assert re.sub(r"<[^>]+>", "", made("{{ " + source + " }}")) == said


def test_a_moment_is_for_machines_and_for_who_reads_without_scripts() -> None:
    assert made("{{ ui.time(1000000, 'day') }}") == (
        '<time datetime="1970-01-01T00:00:01Z" data-style="day">1970-01-01T00:00:01Z</time>'
    )


def test_a_list_of_one_page_has_no_pager() -> None:
    assert made("{{ ui.pager('', '') }}") == ""
    assert 'href="?cursor=2" rel="next"' in made("{{ ui.pager('', '?cursor=2') }}")


def test_what_is_asked_for_before_doing_carries_the_token() -> None:
    html = made("{{ ui.confirm('gone', '/items/a/delete', 'Delete', 'Really?', 'bad') }}")
    assert '<dialog id="gone" aria-labelledby="gone-question">' in html
    assert '<input type="hidden" name="csrf" value="t0">' in html
    assert 'action="/items/a/delete"' in html


def test_without_the_files_of_npm_a_chart_is_its_table() -> None:
    template = environment().from_string('{% import "ui.html" as ui with context %}{{ ui.chart(chart, "c") }}')
    chart = Chart(["2026-01-01"], [Series("events", [5.0])])
    html = template.render(t=words("en"), has_vendor=False, chart=chart)
    assert "data-chart" not in html
    assert "<details open>" in html
    assert ">5</span>" in html


def test_a_page_that_fails_is_an_error_page_and_tells_no_more(quiet: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr("zhiyin.serving.dashboard.pages.overview.points", broken)
    with TestClient(quiet.app, "http://127.0.0.1:8000", raise_server_exceptions=False) as client:
        sign_in(client, quiet.keys["operator"])
        page = client.get("/")
    assert page.status_code == 500
    assert "the service failed on this page: it is in its log" in page.text
    assert "secret" not in page.text
    assert "x-request-id" in page.headers
