"""People on their pages: found, seen, tried with another past, agreed, exported and deleted."""

import json
import re
from dataclasses import replace
from pathlib import Path
from urllib.parse import quote

import pytest
from starlette.testclient import TestClient

from zhiyin.data.privacy import PseudonymKey
from zhiyin.data.store.records import Event, User
from zhiyin.serving.caller import Role
from zhiyin.serving.dashboard.past import MOST_CHANGES
from zhiyin.serving.keys import Keys
from zhiyin.serving.service import Service

from .conftest import DAY, Shop
from .signing_in import sign_in, token
from .test_overview import text

PART = {"hx-request": "true"}


@pytest.fixture
def admin(client: TestClient, quiet: Shop) -> TestClient:
    sign_in(client, quiet.keys["admin"])
    return client


def service_of(client: TestClient) -> Service:
    return client.app.state.service


def post(client: TestClient, path: str, **fields: str) -> object:
    return client.post(path, data={**fields, "csrf": token(client)})


def api(client: TestClient, shop: Shop, path: str) -> dict:
    return client.get(path, headers={"authorization": f"Bearer {shop.keys['admin']}"}).json()


def listed(html: str) -> list[str]:
    """The items of the list, best first."""
    (found,) = re.findall(r'(?s)<ol class="goods ranked".*?</ol>', html)
    return re.findall(r'class="goods-name" href="/items/([^"]+)"', found)


def found_people(client: TestClient, path: str) -> list[str]:
    """The people of the table, in their order."""
    return re.findall(r'scope="row"><a class="id" href="/people/([^"]+)"', client.get(path).text)


def did(html: str) -> list[str]:
    """The items of the history, newest first."""
    found = re.findall(r'(?s)<ol class="goods" .*?</ol>', html)
    return re.findall(r'class="goods-name" href="/items/([^"]+)"', found[0]) if found else []


def leaving_out(html: str, place: int) -> str:
    """The address behind the button at an event."""
    (found,) = re.findall(r'(?s)<ol class="goods" .*?</ol>', html)
    return re.findall(r'class="quiet-button" href="([^"]+)"', found)[place].replace("&amp;", "&")


# Finding somebody.


def test_without_a_search_those_who_did_something_last_come_first(operator: TestClient) -> None:
    newest = Event("zoe", "a-00", "view", 31 * 86_400_000_000, 1)
    operator.portal.call(service_of(operator).store.append, [newest])
    page = operator.get("/people").text
    found = re.findall(r'href="/people/([^"]+)">', page)
    assert found[0] == "zoe", "she did something after all the others"
    assert len(found) == 20
    assert "Active lately" in page


def test_people_are_found_by_a_part_of_their_id_in_the_release_and_in_the_store(operator: TestClient) -> None:
    store = service_of(operator).store
    operator.portal.call(store.append, [Event("new_A01", "a-00", "view", 1, 1), Event("newXa01", "a-00", "view", 1, 1)])
    operator.portal.call(store.put_users, [User("told-a01")])
    found = found_people(operator, "/people?find=A01")
    assert found == sorted(["a010", "a011", *(f"a01{i}" for i in range(2, 10)), "newXa01", "new_A01", "told-a01"])
    assert found_people(operator, "/people?find=wX") == ["newXa01"]
    assert found_people(operator, "/people?find=w_a") == ["new_A01"], "an underscore stands for itself"


def test_everybody_is_listed_page_by_page_each_once(operator: TestClient) -> None:
    address, found = "/people?all=yes", []
    while address:
        page = operator.get(address).text
        found += re.findall(r'scope="row"><a class="id" href="/people/([^"]+)"', page)
        following = re.findall(r'href="([^"]+)" rel="next"', page)
        address = following[0].replace("&amp;", "&") if following else ""
    assert found == [f"{taste}{i:03d}" for taste in "ab" for i in range(30)]


def test_nobody_found_says_what_to_do(operator: TestClient) -> None:
    assert "No id holds “nobody at all”." in text(operator, "/people?find=nobody%20at%20all")


def test_a_part_of_the_page_is_enough_while_somebody_types(operator: TestClient) -> None:
    part = operator.get("/people?find=a01", headers={**PART, "hx-target": "found"}).text
    assert "<html" not in part
    assert "10 people are listed." in part


def test_sessions_are_no_people(operator: TestClient) -> None:
    event = Event(None, "a-00", "view", 1, 1, session_id="visit-7")
    operator.portal.call(service_of(operator).store.append, [event])
    assert "visit-7" not in operator.get("/people?find=visit").text.partition("<h2>")[2]


# Seeing somebody.


def test_a_person_gets_on_the_page_what_the_api_answers(operator: TestClient, quiet: Shop) -> None:
    page = operator.get("/people/a003?scenario=email").text
    answer = api(operator, quiet, "/v1/users/a003/recommendations?scenario=email&explain=false")
    assert listed(page) == [one["item_id"] for one in answer["items"]]
    for one in answer["items"]:
        assert one["reason"]["text"].partition("'")[0] in page
    assert "not personal" not in page


def test_chinese_reads_reasons_in_chinese(operator: TestClient) -> None:
    assert "因为你选择过" in operator.get("/people/a003?scenario=email&language=zh").text


def test_the_past_is_all_that_answers_see_of_it_the_newest_first(operator: TestClient) -> None:
    now = 40 * 86_400_000_000
    operator.portal.call(service_of(operator).store.append, [Event("a003", "b-05", "purchase", now, now)])
    page = operator.get("/people/a003").text
    release = service_of(operator).served.release
    row = int(release.users.indexes(["a003"])[0])
    known = release.items.ids(release.histories[row : row + 1].items).to_list()
    assert did(page) == ["b-05", *known[::-1]]
    assert f"{len(known) + 1} events are known of this person." in text(operator, "/people/a003")


def test_a_long_past_is_turned_over_page_by_page(operator: TestClient) -> None:
    day = 86_400_000_000
    events = [Event("kim", f"{'ab'[i % 2]}-0{i % 6}", "view", i * day, 1) for i in range(1, 31)]
    operator.portal.call(service_of(operator).store.append, events)
    first = operator.get("/people/kim").text
    assert len(did(first)) == 12
    (older,) = re.findall(r'<a href="([^"]+)"[^>]* rel="next"', first)
    second = operator.get(older.replace("&amp;", "&")).text
    assert did(first) + did(second) == [one.item_id for one in events[:5:-1]][:24]


def test_a_stranger_has_a_page_and_gets_what_everybody_gets(operator: TestClient) -> None:
    page = text(operator, "/people/who%20is%2Fthis")
    assert "Nothing is known of this person: lists are those of a stranger." in page
    assert "There is nothing to answer from." in page
    assert "not personal" in page


def test_an_id_is_shown_as_text_and_its_links_lead_back(operator: TestClient) -> None:
    odd = '<b>"Ann" & 50%?#/</b>'
    event = Event(odd, "a-00", "view", 86_400_000_000, 1)
    operator.portal.call(service_of(operator).store.append, [event])
    (address,) = found_people(operator, "/people?find=ann")
    page = operator.get(f"/people/{address}").text
    assert odd not in page
    assert did(page) == ["a-00"]
    assert did(operator.get(leaving_out(page, 0)).text) == []


def test_a_scenario_that_does_not_exist_is_the_first_one(operator: TestClient) -> None:
    assert re.search(r'aria-current="true">home<', operator.get("/people/a003?scenario=none").text)


def test_scenarios_that_start_from_items_are_not_offered(operator: TestClient) -> None:
    tabs = re.search(r'(?s)<nav class="tabs".*?</nav>', operator.get("/people/a003").text)[0]
    assert re.findall(r">(\w+)</a>", tabs) == ["home", "email"]


# Trying another past.


def test_leaving_out_an_event_is_the_question_without_it(operator: TestClient, quiet: Shop) -> None:
    page = operator.get("/people/a003?scenario=email").text
    changed = operator.get(leaving_out(page, 0)).text
    assert did(changed) == did(page)[1:]
    release = service_of(operator).served.release
    row = int(release.users.indexes(["a003"])[0])
    past = release.histories[row : row + 1]
    history = [{"item_id": one, "timestamp": f"1970-01-{2 + i:02d}"} for i, one in enumerate(did(changed)[::-1])]
    assert len(past.items) == len(history) + 1
    asked = {"history": history, "scenario": "email"}
    headers = {"authorization": f"Bearer {quiet.keys['reader']}"}
    answer = operator.post("/v1/recommendations", json=asked, headers=headers).json()
    assert listed(changed) == [one["item_id"] for one in answer["items"]]
    assert "You are trying another past: 1 left out, 0 added." in text(operator, leaving_out(page, 0))


def test_adding_an_item_changes_the_list_and_says_how(operator: TestClient) -> None:
    plain = operator.get("/people/a003?scenario=email").text
    found = operator.get("/people/a003?scenario=email&find=b-0").text
    (adding,) = re.findall(r'href="([^"]+add=interaction%3Ab-04[^"]*)"', found)
    changed = operator.get(adding.replace("&amp;", "&")).text
    assert did(changed) == ["b-04", *did(plain)]
    assert listed(changed) != listed(plain)
    came, gone = set(listed(changed)) - set(listed(plain)), set(listed(plain)) - set(listed(changed))
    assert changed.count("came in") == len(came)
    assert ("Went out:" in changed) == bool(gone)


def test_nothing_that_is_tried_is_stored(operator: TestClient, quiet: Shop) -> None:
    before = api(operator, quiet, "/v1/users/a003/export")
    operator.get("/people/a003?add=purchase%3Ab-04&why=b-00&find=tea")
    assert api(operator, quiet, "/v1/users/a003/export") == before
    assert "b-04" not in did(operator.get("/people/a003").text)


def test_what_was_added_can_be_left_out_again(operator: TestClient) -> None:
    page = operator.get("/people/a003?add=view%3Ab-04").text
    back = operator.get(leaving_out(page, 0)).text
    assert did(back) == did(operator.get("/people/a003").text)
    assert "You are trying another past" not in back


def test_marks_that_make_no_sense_change_nothing(operator: TestClient) -> None:
    plain = operator.get("/people/a003?scenario=email").text
    odd = operator.get("/people/a003?scenario=email&without=x&add=view%3Anone&add=:a-00&add=&older=-1&older=x").text
    assert did(odd) == did(plain)
    assert listed(odd) == listed(plain)
    many = "&".join(f"add=view%3Aa-0{i % 6}&without={i}" for i in range(3 * MOST_CHANGES))
    assert operator.get(f"/people/a003?{many}").status_code == 200


def test_htmx_gets_the_part_that_changes(operator: TestClient) -> None:
    part = operator.get("/people/a003?scenario=email", headers={**PART, "hx-target": "trial"}).text
    assert "<html" not in part
    assert listed(part) == listed(operator.get("/people/a003?scenario=email").text)
    assert 'id="told" hx-swap-oob' in part
    found = operator.get("/people/a003?find=tea", headers={**PART, "hx-target": "found"}).text
    assert "tea 0" in found
    assert "What they get now" not in found


# Why not.


def test_why_not_is_told_stage_by_stage_as_the_api_does(operator: TestClient, quiet: Shop) -> None:
    why = api(operator, quiet, "/v1/debug/why?user_id=a003&item_id=b-00&scenario=email")
    page = operator.get("/people/a003?scenario=email&why=b-00").text
    stages = re.findall(r'(?s)<span class="engine" lang="en">(.*?)</span>', page)
    assert [one.replace("&#39;", "'") for one in stages] == [one["detail"] for one in why["stages"]]
    assert "Not on the list" in page
    lefts = re.findall(r'<span class="left">(\d+) items? left', page)
    assert [int(one) for one in lefts] == [one["remaining"] for one in why["stages"]]


def test_why_follows_the_past_that_is_tried(operator: TestClient) -> None:
    seen = did(operator.get("/people/a003").text)[0]
    page = text(operator, f"/people/a003?scenario=email&why={seen}")
    assert re.search(r"What stopped it: Not seen before", page)
    html = operator.get("/people/a003?scenario=email").text
    tried = leaving_out(html, 0)
    for place, one in enumerate(did(html)[1:], 1):
        if one == seen:
            tried += "&" + leaving_out(html, place).partition("?")[2]
    assert "What stopped it: Not seen before" not in text(operator, f"{tried}&why={seen}")


def test_an_item_that_is_there_says_at_which_rank(operator: TestClient) -> None:
    first = listed(operator.get("/people/a003?scenario=email").text)[0]
    assert "On the list It stands at rank 1." in text(operator, f"/people/a003?scenario=email&why={first}")


def test_an_item_is_asked_for_by_its_title_too(operator: TestClient) -> None:
    one = operator.get("/people/a003?why=TEA%203").text
    assert re.search(r'class="asked".*?href="/items/a-03"', one.replace("\n", ""))
    several = text(operator, "/people/a003?why=tea")
    assert "Which one is it?" in several
    assert "tea 4" in several
    assert "No item has “lemonade” in its id or title." in text(operator, "/people/a003?why=lemonade")


# What somebody agreed to.


def test_personal_answers_are_switched_off_and_on_and_audited(
    operator: TestClient, quiet: Shop, tmp_path: Path
) -> None:
    done = post(operator, "/person/agreements", id="a003", name="personalised", value="no")
    assert (done.status_code, done.headers["location"]) == (303, "/people/a003")
    page = text(operator, "/people/a003")
    assert "Lists of this person use nothing of what they did." in page
    assert "no personal answers" in page
    assert did(operator.get("/people/a003").text) == []
    assert api(operator, quiet, "/v1/users/a003")["personalised"] is False
    post(operator, "/person/agreements", id="a003", name="personalised", value="yes")
    assert did(operator.get("/people/a003").text) != []
    entries = [json.loads(line) for line in (tmp_path / "audit.jsonl").read_text().splitlines()]
    changes = [one for one in entries if one["act"] == "change person"]
    assert [one["outcome"] for one in changes] == ["begun", "done"] * 2
    assert {one["actor"] for one in changes} == {"operator"}
    assert "a003" not in json.dumps(changes), "the audit keeps a digest"


def test_consent_is_withdrawn(operator: TestClient, quiet: Shop) -> None:
    post(operator, "/person/agreements", id="a003", name="consent", value="no")
    stored = api(operator, quiet, "/v1/users/a003")
    assert (stored["consent"], stored["personalised"]) == (False, True)
    assert "not learnt from" in text(operator, "/people/a003")


@pytest.mark.parametrize("fields", [{"name": "role", "value": "yes"}, {"name": "consent", "value": "maybe"}, {}])
def test_a_form_that_says_nothing_of_use_changes_nothing(operator: TestClient, fields: dict[str, str]) -> None:
    assert post(operator, "/person/agreements", id="a003", **fields).status_code == 422


def test_sessions_friends_and_attributes_are_shown(operator: TestClient, quiet: Shop) -> None:
    headers = {"authorization": f"Bearer {quiet.keys['writer']}"}
    operator.post("/v1/sessions/visit-7/login", json={"user_id": "a003"}, headers=headers)
    operator.put("/v1/users/a003/friends/b%2F1?weight=2.5", headers=headers)
    said = {"user_id": "a003", "attributes": {"city": "Köln", "likes": ["tea", "go"]}}
    operator.post("/v1/users", json=said, headers=headers)
    page = operator.get("/people/a003").text
    assert "visit-7" in page
    assert 'href="/people/b%2F1"' in page
    assert "2.50" in page
    assert "Köln" in page
    assert "tea, go" in page


# The end.


def test_export_is_the_file_of_the_api_for_admins_alone(admin: TestClient, quiet: Shop, tmp_path: Path) -> None:
    admin.portal.call(service_of(admin).store.append, [Event("a003", "a-00", "view", 1, 1)])
    answer = post(admin, "/person/export", id="a003")
    assert answer.headers["content-type"] == "application/json"
    assert re.fullmatch(r'attachment; filename="person-[0-9a-f]{12}\.json"', answer.headers["content-disposition"])
    assert answer.json() == api(admin, quiet, "/v1/users/a003/export")
    assert '"act":"export person"' in (tmp_path / "audit.jsonl").read_text()


def test_deleting_asks_for_the_id(admin: TestClient, quiet: Shop) -> None:
    admin.portal.call(service_of(admin).store.append, [Event("a003", "a-00", "view", 1, 1)])
    refused = post(admin, "/person/erase", id="a003", typed="a004")
    assert refused.status_code == 422
    assert "nothing was deleted" in refused.text
    assert len(api(admin, quiet, "/v1/users/a003/export")["held"]["events"]) == 1


def test_deleting_shows_the_signed_receipt_and_the_person_is_gone_at_once(
    admin: TestClient, quiet: Shop, tmp_path: Path
) -> None:
    assert did(admin.get("/people/a003").text) != []
    answer = post(admin, "/person/erase", id="a003", typed=" a003 ")
    assert answer.status_code == 200
    (written,) = re.findall(r"(?s)<pre[^>]*><code>(.*?)</code>", answer.text)
    receipt = json.loads(written.replace("&#34;", '"'))
    assert receipt["content"]["user_id"] == "a003"
    assert receipt["content"]["by"] == "admin"
    assert receipt["public_key"] == service_of(admin).signer.signed({})["public_key"]
    assert did(admin.get("/people/a003").text) == []
    assert "/people/a003" not in admin.get("/people?find=a00").text, "the release knows it still, the page does not"
    assert '"act":"erase person"' in (tmp_path / "audit.jsonl").read_text()


@pytest.mark.parametrize("path", ["/person/export", "/person/erase"])
def test_operators_may_neither_export_nor_delete(operator: TestClient, path: str) -> None:
    answer = post(operator, path, id="a003", typed="a003")
    assert answer.status_code == 403
    assert did(operator.get("/people/a003").text) != []
    assert "sign in with a key of the role admin" in text(operator, "/people/a003")
    assert path not in operator.get("/people/a003").text


@pytest.mark.parametrize("path", ["/person/agreements", "/person/export", "/person/erase"])
def test_no_other_site_can_act(admin: TestClient, path: str) -> None:
    fields = {"id": "a003", "typed": "a003", "name": "consent", "value": "no"}
    assert admin.post(path, data=fields).status_code == 403
    elsewhere = admin.post(path, data={**fields, "csrf": token(admin)}, headers={"sec-fetch-site": "cross-site"})
    assert elsewhere.status_code == 403


@pytest.mark.parametrize("path", ["/people", "/people/a003"])
def test_nobody_sees_people_without_signing_in(client: TestClient, path: str) -> None:
    assert client.get(path).headers["location"] == f"/sign-in?next={quote(path, safe='')}"


# Shops that keep pseudonyms, and keys that may not ask for everything.


@pytest.fixture
def pseudonymous(operator: TestClient) -> TestClient:
    """A shop that stores people under pseudonyms; Ann has done something."""
    service = service_of(operator)
    service.live.served = replace(service.live.served, key=PseudonymKey(b"secret" * 8))
    event = Event(service.served.person("ann"), "a-00", "view", 31 * DAY, 1)
    operator.portal.call(service.store.append, [event])
    return operator


def test_where_people_are_pseudonyms_nobody_is_listed_and_the_whole_id_finds_them(pseudonymous: TestClient) -> None:
    assert "Type the whole id of a person" in text(pseudonymous, "/people")
    assert found_people(pseudonymous, "/people?find=ann") == ["ann"]
    assert found_people(pseudonymous, "/people?find=an") == []
    assert "type the whole id" in text(pseudonymous, "/people?find=an")
    assert found_people(pseudonymous, "/people?all=yes") == []
    assert did(pseudonymous.get("/people/ann").text) == ["a-00"]
    described = User(service_of(pseudonymous).served.person("bob"))
    pseudonymous.portal.call(service_of(pseudonymous).store.put_users, [described])
    assert found_people(pseudonymous, "/people?find=bob") == ["bob"]


def test_where_people_are_pseudonyms_nobody_can_be_asked_for_an_item(pseudonymous: TestClient) -> None:
    assert "There is nobody to ask for." in text(pseudonymous, "/items/a-00?ask=yes")


def test_a_key_for_some_scenarios_sees_these_alone(client: TestClient, tmp_path: Path) -> None:
    keys = Keys(tmp_path / "keys.json")
    sign_in(client, keys.create("mail", role=Role.OPERATOR, scenarios=("email",)))
    tabs = re.search(r'(?s)<nav class="tabs".*?</nav>', client.get("/people/a003").text)[0]
    assert re.findall(r">(\w+)</a>", tabs) == ["email"]
    sign_in(client, keys.create("cart", role=Role.OPERATOR, scenarios=("cart",)))
    refused = client.get("/people/a003")
    assert refused.status_code == 403
    assert "no scenario answers for a person" in refused.text
    assert client.get("/items/a-00").status_code == 200
