"""Where the store is, in words: a path or a URL whose password nobody sees."""

import sys
from pathlib import Path

import pytest

from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.connect import database
from zhiyin.errors import ConfigError, MissingExtraError

ROOT = Path("/shop")


@pytest.mark.parametrize(
    ("written", "path"),
    [
        ("events.db", "/shop/events.db"),
        ("data/my events.db", "/shop/data/my events.db"),
        ("/srv/events.db", "/srv/events.db"),
        ("${FOLDER}/events.db", "/elsewhere/events.db"),
    ],
)
def test_a_path_is_relative_to_the_configuration(monkeypatch: pytest.MonkeyPatch, written: str, path: str) -> None:
    monkeypatch.setenv("FOLDER", "/elsewhere")
    assert StoreAddress.of(written, ROOT).path == Path(path)
    assert str(StoreAddress.of(written, ROOT)) == path


def test_a_password_comes_from_the_environment_and_is_never_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_PASSWORD", "p%40ss+word")
    address = StoreAddress.of("postgresql://zhiyin:${STORE_PASSWORD}@db.example:5433/shop", ROOT)
    assert address.path is None
    assert address.driven.password == "p@ss+word"
    assert (address.driven.drivername, address.driven.host, address.driven.port) == (
        "postgresql+asyncpg", "db.example", 5433,
    )  # fmt: skip
    told = address.without_secrets(f"refused: {address.url}\nor p@ss+word or p%40ss+word " + "x" * 500)
    for shown in (str(address), repr(address), told):
        assert "ss" not in shown.replace("address", "").replace("Address", "")
    assert str(address) == "postgresql://db.example:5433/shop"
    assert "\n" not in told
    assert len(told) == 200


def test_postgres_is_the_same_word() -> None:
    assert StoreAddress.of("postgres://db/shop", ROOT).driven.drivername == "postgresql+asyncpg"


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("mysql://user:secret@db/shop", "is no store"),
        ("sqlite:///events.db", "is no store"),
        ("postgresql://user:secret@db:port/shop", "is no URL"),
        ("postgresql://user:${NOT_SET_ANYWHERE}@db/shop", "NOT_SET_ANYWHERE"),
    ],
)
def test_what_is_no_place_for_a_store_is_a_sentence(written: str, sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence) as refused:
        StoreAddress.of(written, ROOT)
    assert "secret" not in str(refused.value)


def test_postgres_without_its_driver_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "asyncpg", None)
    with pytest.raises(MissingExtraError, match=r"zhiyin\[postgres\]"):
        database(StoreAddress.of("postgresql://db/shop", ROOT), lambda: 0.0)
