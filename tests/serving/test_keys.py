"""API keys: shown once, kept hashed, revoked by name."""

import json
import re
import stat
import threading
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import example, given, settings
from hypothesis import strategies as st

from zhiyin.errors import ArtifactError, ConfigError, RegistryBusyError, UnknownIdError
from zhiyin.registry.lock import exclusive
from zhiyin.serving.keys import Keys


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keys.json"


@pytest.fixture
def hashings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every text that was hashed to be verified: the slow part, counted."""
    found: list[str] = []
    verify = PasswordHasher.verify
    monkeypatch.setattr(
        PasswordHasher, "verify", lambda self, kept, text: (found.append(text), verify(self, kept, text))[1]
    )
    return found


def test_a_key_opens_for_its_caller_alone(path: Path) -> None:
    keys = Keys(path)
    shop, app = keys.create("shop"), keys.create("手机 app")
    assert re.fullmatch(r"zk_[A-Za-z0-9_-]{43}", shop)
    assert (keys.verify(shop), keys.verify(app)) == ("shop", "手机 app")
    assert Keys(str(path)).verify(app) == "手机 app"
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
    assert [keys.verify(text) for _ in range(5)] == ["shop"] * 5
    assert len(hashings) == 1


def test_a_wrong_key_is_refused_before_and_after_the_right_one(path: Path, hashings: list[str]) -> None:
    keys = Keys(path)
    text = keys.create("shop")
    wrong = text[:-1] + ("A" if text[-1] != "A" else "B")
    assert [keys.verify(one) for one in (wrong, text, wrong)] == [None, "shop", None]
    assert len(hashings) == 3
    assert keys.verify("zk_" + "A" * 43) is None
    assert len(hashings) == 3  # nobody's first letters: nothing to hash


def test_a_revoked_key_is_refused_at_once_by_everybody(path: Path) -> None:
    keys, elsewhere = Keys(path), Keys(path)
    shop, app = keys.create("shop"), keys.create("app")
    assert elsewhere.verify(shop) == "shop"
    keys.revoke("shop")
    assert (elsewhere.verify(shop), keys.verify(shop)) == (None, None)
    assert (elsewhere.verify(app), keys.names()) == ("app", ["app"])
    again = keys.create("shop")
    assert (elsewhere.verify(shop), elsewhere.verify(again)) == (None, "shop")


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


@pytest.mark.parametrize("content", ["", "{", "[]", '{"format": 2}', '{"format": 1, "keys": [{}]}', "[" * 100_000])
def test_a_damaged_file_is_refused(content: str, path: Path) -> None:
    path.write_text(content)
    with pytest.raises(ArtifactError, match=r"keys\.json (holds no API keys|has the format 2)"):
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
