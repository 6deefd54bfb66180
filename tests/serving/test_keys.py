"""API keys: shown once, kept hashed, revoked by name."""

import json
import re
import stat
import threading
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher, extract_parameters
from hypothesis import example, given, settings
from hypothesis import strategies as st

from zhiyin.errors import ArtifactError, ConfigError, RegistryBusyError, UnknownIdError
from zhiyin.registry.lock import exclusive
from zhiyin.registry.rate import Rate
from zhiyin.serving.caller import Role
from zhiyin.serving.keys import HASHER, NOBODY, Keys
from zhiyin.serving.last_used import HOUR


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


PRICE = "$argon2id$v=19$m=19456,t=2,p=1$"


def opened(keys: Keys, text: str) -> str | None:
    """To whom a key opens."""
    found = keys.verify(text)
    return None if found is None else found.name


@pytest.fixture
def hashings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that was hashed to be verified: the slow part, counted."""
    found: list[str] = []
    verify = PasswordHasher.verify
    monkeypatch.setattr(
        PasswordHasher,
        "verify",
        lambda self, kept, text: (kept.startswith(PRICE) and found.append(text), verify(self, kept, text))[1],
    )
    return found


def test_a_key_opens_for_its_caller_alone(path: Path) -> None:
    keys = Keys(path)
    shop, app = keys.create("shop"), keys.create("手机 app")
    assert re.fullmatch(r"zk_[A-Za-z0-9_-]{43}", shop)
    assert (opened(keys, shop), opened(keys, app)) == ("shop", "手机 app")
    assert opened(Keys(str(path)), app) == "手机 app"
    assert keys.names() == ["shop", "手机 app"]


def test_the_file_does_not_hold_the_key_and_is_private(path: Path) -> None:
    text = Keys(path).create("shop")
    kept = path.read_text()
    assert text[11:] not in kept
    assert "$argon2id$" in kept
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_key_is_hashed_once_and_then_remembered(path: Path, hashings: list[str]) -> None:
    keys = Keys(path)
    text = keys.create("shop")
    assert [opened(keys, text) for _ in range(5)] == ["shop"] * 5
    assert len(hashings) == 1


def test_a_wrong_key_is_refused_before_and_after_the_right_one(path: Path, hashings: list[str]) -> None:
    keys = Keys(path)
    text = keys.create("shop")
    wrong = text[:-1] + ("A" if text[-1] != "A" else "B")
    assert [opened(keys, one) for one in (wrong, text, wrong)] == [None, "shop", None]
    assert hashings == [wrong, text]


def test_a_revoked_key_is_refused_at_once_by_everybody(path: Path) -> None:
    keys, elsewhere = Keys(path), Keys(path)
    shop, app = keys.create("shop"), keys.create("app")
    assert opened(elsewhere, shop) == "shop"
    keys.revoke("shop")
    assert (opened(elsewhere, shop), opened(keys, shop)) == (None, None)
    assert (opened(elsewhere, app), keys.names()) == ("app", ["app"])
    again = keys.create("shop")
    assert (opened(elsewhere, shop), opened(elsewhere, again)) == (None, "shop")


def test_without_a_file_there_are_no_keys(path: Path) -> None:
    assert Keys(path).names() == []
    assert Keys(path).verify("zk_" + "A" * 43) is None
    text = Keys(path).create("shop")
    path.unlink()
    assert Keys(path).verify(text) is None


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=60))
@example("zk_" + "A" * 43 + "\n")
@example("zk_" + "é" * 43)
@example("zk_" + "A" * 1_000_000)
@example("\ud800")
def test_anything_else_is_no_key(text: str) -> None:
    assert Keys("/nowhere/keys.json").verify(text) is None


@pytest.mark.parametrize("name", ["", " shop", "shop\n", "x" * 101, "\ud800"])
def test_a_name_that_cannot_be_read_is_refused(name: str, path: Path) -> None:
    with pytest.raises(ConfigError, match="must be 1 to 100 printable characters"):
        Keys(path).create(name)


def test_a_name_is_given_once(path: Path) -> None:
    Keys(path).create("shop")
    with pytest.raises(ConfigError, match="a key with the name 'shop' exists: revoke it first"):
        Keys(path).create("shop")


def test_the_number_of_keys_is_bounded(path: Path) -> None:
    rows = [{"name": str(i), "prefix": f"zk_{i}", "hash": ""} for i in range(1_000)]
    path.write_text(json.dumps({"format": 1, "keys": rows}))
    with pytest.raises(ConfigError, match="holds 1,000 keys"):
        Keys(path).create("one more")


def test_an_unknown_name_cannot_be_revoked(path: Path) -> None:
    Keys(path).create("shop")
    with pytest.raises(UnknownIdError, match=r"the key 'shpo' is not known: did you mean 'shop'\?"):
        Keys(path).revoke("shpo")


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 3}', '{"format": 1, "keys": [{}]}', "[" * 100_000])
def test_a_damaged_file_is_refused(content: str, path: Path) -> None:
    path.write_text(content)
    with pytest.raises(ArtifactError, match=r"keys\.json (holds no API keys|has the format 3)"):
        Keys(path).verify("zk_" + "A" * 43)


def test_a_damaged_hash_opens_to_nobody(path: Path) -> None:
    keys = Keys(path)
    text = keys.create("shop")
    table = json.loads(path.read_text())
    table["keys"][0]["hash"] = "plain"
    path.write_text(json.dumps(table))
    assert keys.verify(text) is None


def test_a_file_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "keys.json").mkdir()
    with pytest.raises(ArtifactError):
        Keys(tmp_path / "keys.json").create("shop")


def test_two_changes_at_once_do_not_lose_a_key(path: Path) -> None:
    refused: list[str] = []

    def create() -> None:
        try:
            Keys(path).create("app")
        except RegistryBusyError as refusal:
            refused.append(str(refusal))

    with exclusive(path.parent, ".keys.json.lock"):
        Keys(path).create("shop")
        thread = threading.Thread(target=create)
        thread.start()
        thread.join()
    assert "in use by process" in refused[0]
    assert Keys(path).names() == ["shop"]


DAY = 86_400_000_000
NOW = 1_790_000_000_000_000


class Moment:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> int:
        return self.now


def test_a_refused_key_costs_the_same_whatever_is_wrong_with_it(path: Path, hashings: list[str]) -> None:
    clock = Moment()
    keys = Keys(path, clock)
    right, late, gone = keys.create("right"), keys.create("late", expires=NOW + DAY), keys.create("gone")
    keys.revoke("gone")
    clock.now += 2 * DAY
    wrong = right[:-1] + ("A" if right[-1] != "A" else "B")
    for text in ("zk_" + "A" * 43, wrong, late, gone):
        hashings.clear()
        assert not keys.recalled(text).is_known
        assert keys.verify(text) is None
        assert hashings == [text]
        assert keys.recalled(text).is_known
        assert keys.verify(text) is None
        assert hashings == [text]


def test_the_key_of_nobody_is_as_slow_to_check_as_any_other() -> None:
    assert extract_parameters(NOBODY) == extract_parameters(HASHER.hash("any"))


def test_what_is_remembered_of_refused_keys_is_bounded(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zhiyin.serving.keys.MOST_REFUSED", 2)
    keys = Keys(path)
    texts = [f"zk_{letter * 43}" for letter in "ABC"]
    for text in texts:
        assert keys.verify(text) is None
    assert [keys.recalled(text).is_known for text in texts] == [False, True, True]


def test_another_key_does_not_make_a_known_one_be_hashed_again(path: Path, hashings: list[str]) -> None:
    keys = Keys(path)
    text = keys.create("shop")
    assert opened(keys, text) == "shop"
    keys.create("other")
    assert keys.recalled(text).is_known
    assert opened(keys, text) == "shop"
    assert hashings == [text]
    table = json.loads(path.read_text())
    table["keys"][0]["hash"] = table["keys"][1]["hash"]
    path.write_text(json.dumps(table))
    assert not keys.recalled(text).is_known
    assert opened(keys, text) is None


def test_a_key_has_a_role_scenarios_a_limit_and_an_end(path: Path) -> None:
    clock = Moment()
    keys = Keys(path, clock)
    text = keys.create("mail", role=Role.READER, scenarios=["email"], expires=NOW + DAY, rate="20/s")
    found = keys.verify(text)
    assert found is not None
    assert (found.role, found.scenarios, found.limit) == (Role.READER, ("email",), Rate(20))
    assert (found.created, found.expires, found.state(NOW)) == (NOW, NOW + DAY, "valid")
    assert found.hash not in repr(found)
    clock.now = NOW + DAY
    assert keys.verify(text) is None
    assert (keys.names(), [key.state(clock.now) for key in keys.all()]) == ([], ["expired"])
    keys.expire("mail", NOW + 2 * DAY)
    assert opened(keys, text) == "mail"
    keys.expire("mail", None)
    clock.now = NOW * 3
    assert opened(keys, text) == "mail"
    keys.revoke("mail")
    assert [key.revoked for key in keys.all()] == [clock.now]
    with pytest.raises(UnknownIdError, match="'mail' is not known"):
        keys.expire("mail", None)


@pytest.mark.parametrize(
    ("wishes", "sentence"),
    [
        ({"scenarios": ["home\n"]}, "a scenario must be 1 to 100 printable"),
        ({"scenarios": [str(i) for i in range(101)]}, "at most 100 scenarios"),
        ({"expires": NOW}, "expired already"),
        ({"rate": "fast"}, "the rate of a key must be a number"),
    ],
)
def test_a_key_that_makes_no_sense_is_not_made(wishes: Any, sentence: str, path: Path) -> None:
    with pytest.raises(ConfigError, match=sentence):
        Keys(path, Moment()).create("shop", **wishes)
    assert not path.exists()


def test_the_first_format_is_read_and_rewritten_on_change(path: Path) -> None:
    text = Keys(path).create("old")
    row = json.loads(path.read_text())["keys"][0]
    path.write_text(json.dumps({"format": 1, "keys": [{name: row[name] for name in ("name", "prefix", "hash")}]}))
    found = Keys(path).verify(text)
    assert found is not None
    assert (found.name, found.role, found.created, found.scenarios) == ("old", Role.WRITER, None, ())
    assert json.loads(path.read_text())["format"] == 1
    Keys(path).create("new")
    assert json.loads(path.read_text())["format"] == 2
    assert opened(Keys(path), text) == "old"


def test_the_oldest_revoked_keys_make_room(path: Path) -> None:
    rows = [{"name": str(i), "prefix": f"zk_{i}", "hash": "", "revoked": i + 1} for i in range(1_000)]
    path.write_text(json.dumps({"format": 2, "keys": rows}))
    Keys(path).create("one more")
    names = [key.name for key in Keys(path).all()]
    assert (len(names), names[0], names[-1]) == (1_000, "1", "one more")


def test_use_is_noted_by_the_hour_and_not_written_for_each_request(path: Path) -> None:
    clock = Moment()
    keys, elsewhere = Keys(path, clock), Keys(path, clock)
    text = keys.create("shop")
    prefix = text[:11]
    keys.verify("zk_" + "A" * 43)
    keys.tend()
    assert keys.used.read() == {}
    for _ in range(3):
        keys.verify(text)
    assert keys.used.read() == {}
    keys.tend()
    assert keys.used.read() == {prefix: NOW - NOW % HOUR}
    written = path.with_name("keys.json.used").stat().st_mtime_ns
    clock.now += 1_000_000
    keys.verify(text)
    keys.tend()
    assert path.with_name("keys.json.used").stat().st_mtime_ns == written
    clock.now += 3 * HOUR
    elsewhere.verify(text)
    elsewhere.tend()
    clock.now -= 2 * HOUR
    keys.verify(text)
    keys.tend()
    assert keys.used.read() == {prefix: NOW + 3 * HOUR + 1_000_000 - (NOW + 3 * HOUR + 1_000_000) % HOUR}


def test_use_that_cannot_be_written_now_is_written_later(path: Path) -> None:
    keys = Keys(path)
    keys.verify(text := keys.create("shop"))
    used = path.with_name("keys.json.used")
    used.mkdir()
    keys.tend()
    used.rmdir()
    keys.tend()
    assert list(keys.used.read()) == [text[:11]]
    used.write_text("[")
    assert keys.used.read() == {}


@pytest.mark.parametrize("name", ["this machine", "cli:root"])
def test_no_key_passes_for_somebody_else_in_the_audit(name: str, path: Path) -> None:
    with pytest.raises(ConfigError, match="would pass for somebody else"):
        Keys(path).create(name)


def test_keys_that_could_not_be_read_again_are_not_written(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = Keys(path).create("shop")
    monkeypatch.setattr("zhiyin.serving.keys.LARGEST_FILE", 1_000)
    with pytest.raises(ConfigError, match="longer than 1,000 bytes: name fewer scenarios"):
        Keys(path).create("mail", scenarios=[f"{i:0100}" for i in range(10)])
    assert opened(Keys(path), text) == "shop"
