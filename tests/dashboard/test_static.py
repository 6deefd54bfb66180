"""Files of the pages: small on the wire, never old, and nothing else."""

import gzip
import re

import pytest
from starlette.testclient import TestClient

from zhiyin.serving.dashboard.static_files import FOR_EVER, address


def test_a_file_that_is_named_by_its_hash_is_kept_for_ever(client: TestClient) -> None:
    answer = client.get(address("zhiyin.css"))
    assert answer.headers["content-type"] == "text/css; charset=utf-8"
    assert answer.headers.get_list("cache-control") == [FOR_EVER]
    assert "--paper" in answer.text


@pytest.mark.parametrize("query", ["", "?v=another"])
def test_any_other_is_asked_for_again(client: TestClient, query: str) -> None:
    answer = client.get(f"/static/zhiyin.css{query}")
    assert answer.headers["cache-control"] == "no-cache"
    again = client.get("/static/zhiyin.css", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")


def test_who_takes_gzip_gets_it(client: TestClient) -> None:
    with client.stream("GET", "/static/zhiyin.js", headers={"accept-encoding": "gzip"}) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        packed = b"".join(answer.iter_raw())
    plain = client.get("/static/zhiyin.js", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert gzip.decompress(packed) == plain.content


@pytest.mark.parametrize("name", ["%2e%2e/site.py", "..%2fsite.py", "none.css", "", "vendor", "vendor/.made-from"])
def test_there_is_nothing_else_to_ask_for(client: TestClient, name: str) -> None:
    assert client.get(f"/static/{name}").status_code == 404


def test_every_file_that_a_page_names_is_there(client: TestClient) -> None:
    named = re.findall(r'(?:href|src)="(/static/[^"]+)"', client.get("/sign-in").text)
    assert len(named) >= 3
    assert {client.get(one).status_code for one in named} == {200}
