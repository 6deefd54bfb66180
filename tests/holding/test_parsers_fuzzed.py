"""Every reader of a text or a file: what it cannot read is a refusal of ours, in a sentence on one line."""

import io
import json
import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.holding.harness import full
from tests.holding.mutated import ODD, changed, damaged, written
from zhiyin.errors import ArtifactError, ConfigError, ExpressionError, RequestError, ZhiyinError
from zhiyin.ranking.where import where
from zhiyin.registry.access_settings import AccessSettings
from zhiyin.registry.config import parsed
from zhiyin.registry.manifest import Manifest
from zhiyin.registry.rate import Rate
from zhiyin.registry.retrain import State, due, next_time, read_state
from zhiyin.registry.retrain_requests import pending
from zhiyin.registry.retrain_settings import RetrainSettings
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving.access import Access
from zhiyin.serving.addresses import Addresses
from zhiyin.serving.audit import Audit
from zhiyin.serving.audit_trail import newest, verified
from zhiyin.serving.caller import Caller, Role
from zhiyin.serving.depth import is_deeper
from zhiyin.serving.keys import Keys
from zhiyin.serving.last_used import LastUsed
from zhiyin.serving.moments import moment
from zhiyin.serving.moments import written as as_text

T = TypeVar("T")

LAWS = settings(
    max_examples=full(100, 2_000), deadline=None, derandomize=True, database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
TEXTS = st.text(max_size=60)
NOW = 1_770_000_000_000_000
FRAME = pl.DataFrame(
    {
        "item_id": ["a", "b", "c"],
        "price": [1.5, None, float("nan")],
        "category": ["mugs", None, "x'y"],
        "available": [True, False, None],
        "stock": [3, None, -4],
        "odd name": ["é", "", None],
        "created_at": pl.Series([0, NOW, None], dtype=pl.Int64).cast(pl.Datetime("us")),
        "tags": [["a"], [], None],
    }
)


def refused_or(read: Callable[[], T], *errors: type[ZhiyinError]) -> T | None:
    """What is read, or None where it is refused with a sentence."""
    try:
        return read()
    except errors as error:
        sentence = str(error)
    assert 0 < len(sentence) < 5_000
    assert "\n" not in sentence
    return None


# Conditions

GRAMMAR = (
    "AND OR NOT IN BETWEEN LIKE IS NULL TRUE FALSE ( ) , = != <> < <= > >= price category available stock created_at "
    "tags item_id \"odd 'mugs' 'x''y' '2026-01-01' 5 -3 1e9 0.5 '%_' * ^.*$ -- ; \" '"
)
WORDS = st.sampled_from(GRAMMAR.split())


@LAWS
@given(st.lists(WORDS, max_size=14).map(" ".join) | TEXTS | st.lists(WORDS, max_size=8).map("".join))
def test_a_condition_is_read_or_refused(text: str) -> None:
    found = refused_or(lambda: where(text, FRAME), ExpressionError)
    assert found is None or (found.dtype == bool and len(found) == 3)


@pytest.mark.parametrize("text", ["(" * 1_999, "NOT " * 499, "price < 1 OR " * 150 + "TRUE", "'" * 2_000, "é" * 3_000])
def test_a_condition_without_end_is_refused_quickly(text: str) -> None:
    assert refused_or(lambda: where(text, FRAME), ExpressionError) is None


# Moments, rates, addresses, depth


@LAWS
@given(TEXTS | st.integers() | st.floats() | st.datetimes().map(str) | st.sampled_from(["9999-12-31T23:59:59-12:00"]))
def test_a_moment_lies_within_the_calendar_or_is_refused(given_moment: str | int | float) -> None:
    found = refused_or(lambda: moment(given_moment, "now"), RequestError)
    if found is not None:
        assert isinstance(found, int)
        assert as_text(found)


@LAWS
@given(TEXTS | st.from_regex(r"[0-9]{0,12}/(s|min|h|d)"))
def test_a_rate_is_read_or_refused(text: str) -> None:
    found = refused_or(lambda: Rate.read(text, "rate"), ConfigError)
    assert found is None or 0 < found.per_second < math.inf


@LAWS
@given(
    st.lists(st.binary(max_size=40), max_size=3),
    st.text(max_size=40) | st.sampled_from(["127.0.0.1", "::1", "fe80::1%0"]),
)
def test_an_address_is_known_or_unknown(forwarded: list[bytes], client: str) -> None:
    settings_ = AccessSettings(allow=("10.0.0.0/8",), trusted_proxies=("127.0.0.1", "::1"))
    scope = {"type": "http", "client": (client, 1), "headers": [(b"x-forwarded-for", one) for one in forwarded]}
    addresses = Addresses(settings_)
    found = addresses.of(scope)
    assert addresses.may_connect(found) in (True, False)


def depth_slowly(content: bytes) -> int:
    """How deep well-formed JSON is nested."""
    deepest = level = 0
    in_text = escaped = False
    for byte in content:
        if in_text:
            in_text = escaped or byte != ord('"')
            escaped = byte == ord("\\") and not escaped
        elif byte == ord('"'):
            in_text = True
        elif byte in b"[{":
            level += 1
            deepest = max(deepest, level)
        elif byte in b"]}":
            level -= 1
    return deepest


JSON = st.recursive(
    st.none() | st.text(alphabet='a"\\[]{}é', max_size=6) | st.integers(0, 9),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(alphabet='"\\[{', max_size=3), inner, max_size=3)
    ),
    max_leaves=15,
)


@LAWS
@given(JSON, st.integers(0, 6), st.booleans())
def test_depth_is_what_a_slow_look_says(document: Any, limit: int, ascii_only: bool) -> None:
    content = json.dumps(document, ensure_ascii=ascii_only).encode()
    assert is_deeper(content, limit) == (depth_slowly(content) > limit)


@LAWS
@given(st.binary(max_size=100))
def test_depth_of_anything_is_told(content: bytes) -> None:
    assert is_deeper(content, 3) in (True, False)


# Files beside the service


@cache
def keys_text() -> bytes:
    """A file of two keys: hashing them once is slow enough."""
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        keys = Keys(Path(folder) / "keys.json", lambda: NOW)
        keys.create("shop", role=Role.ADMIN, scenarios=["home"], rate="5/s")
        keys.create("old", expires=NOW + 1)
        return (Path(folder) / "keys.json").read_bytes()


FILES = st.data()


def contents(data: st.DataObject, whole: bytes) -> bytes:
    """A file of JSON that somebody changed."""
    return data.draw(st.one_of(changed(json.loads(whole)).map(written), damaged(whole), st.binary(max_size=50)))


@LAWS
@given(data=FILES)
def test_a_file_of_keys_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    path = folder(tmp_path_factory) / "keys.json"
    path.write_bytes(contents(data, keys_text()))
    found = refused_or(lambda: Keys(path, lambda: NOW).all(), ArtifactError)
    for key in found or ():
        assert key.state(NOW) in ("valid", "expired", "revoked")
        access = Access(None, ServeSettings(open_on_loopback=True))
        access.allowance(Caller(key.name, key.role, key.scenarios, "", key.limit))
    refused_or(lambda: Keys(path, lambda: NOW).names(), ArtifactError)
    refused_or(lambda: Keys(path, lambda: NOW).verify("zk_" + "x" * 43), ArtifactError)


@pytest.mark.parametrize(
    "change",
    [
        {"rate": "often"},
        {"rate": 5},
        {"created": float("inf")},
        {"expires": "x"},
        {"revoked": []},
        {"scenarios": 5},
        {"role": "king"},
    ],
)
def test_a_key_that_could_not_be_used_is_refused(change: dict[str, Any], tmp_path: Path) -> None:
    table = json.loads(keys_text())
    table["keys"][0] |= change
    path = tmp_path / "keys.json"
    path.write_bytes(written(table))
    with pytest.raises(ArtifactError, match="holds no API keys"):
        Keys(path, lambda: NOW).verify("zk_" + "x" * 43)


@LAWS
@given(data=FILES)
def test_when_keys_were_used_is_read_or_forgotten(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = folder(tmp_path_factory) / "used.json"
    used = LastUsed(path)
    Path(used._path).write_bytes(contents(data, b'{"zk_aaaaaaaa": 1770000000000000}'))
    assert all(isinstance(hour, int) for hour in used.read().values())


@settings(LAWS, max_examples=full(40, 500))
@given(data=FILES)
def test_an_audit_is_read_and_its_chain_holds_or_does_not(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    path = folder(tmp_path_factory) / "audit.jsonl"
    path.unlink(missing_ok=True)
    audit = Audit(path, lambda: NOW)
    for number in range(3):
        audit.record("promote", f"release {number}\r\n{{", Caller("shop\x1b[31m", Role.ADMIN, address="::1"), "done")
    whole = path.read_bytes()
    path.write_bytes(data.draw(st.one_of(damaged(whole), st.binary(max_size=80), st.just(whole))))
    chain, page = verified(path), newest(path, 10)
    assert len(page.entries) <= 10
    assert (chain.fault is None) >= (path.read_bytes() == whole)
    before = data.draw(st.integers(-5, 2_000) | st.integers(0, 2**62))
    assert len(newest(path, 2, before).entries) <= 2
    audit.record("rollback", "", Caller("shop", Role.ADMIN))  # whatever is there, it goes on
    assert newest(path, 1).entries[0].act == "rollback"


@LAWS
@given(data=FILES)
def test_the_state_of_trainings_is_read_or_refused(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    root = folder(tmp_path_factory)
    state = {"began": NOW, "ended": NOW, "succeeded": 1, "events": 5, "running": True, "failures": 2, "requested": "r",
             "reason": "x", "sentence": "s", "interrupted": False, "runs": {"kept": 1}}  # fmt: skip
    (root / "retrain.json").write_bytes(contents(data, json.dumps(state).encode()))
    (root / "retrain-request.json").write_bytes(contents(data, b'{"reason": "x", "when": 1}'))
    pending(root)
    found = refused_or(lambda: read_state(root), ArtifactError)
    if isinstance(found, State):
        chosen = RetrainSettings(every="6h", events=10)
        assert due(found, chosen, NOW, 3) is None or True
        for time in (found.began, found.ended, found.succeeded, next_time(found, chosen, NOW)):
            assert time is None or as_text(time)


@LAWS
@given(data=FILES)
def test_a_manifest_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    from tests.holding.test_artifacts import sealed

    root = folder(tmp_path_factory)
    table = {"format": 1, "number": 2, "zhiyin": "0.1", "details": {"created": NOW, "metrics": {"n": 0.1}},
             "files": {"a/b": [3, "0" * 64]}}  # fmt: skip
    (root / "manifest.json").write_bytes(contents(data, json.dumps(table).encode()))
    sealed(root)
    found = refused_or(lambda: Manifest.read(root), ArtifactError)
    if found is not None:
        assert found.created is None or as_text(found.created)
        assert all(not Path(path).is_absolute() and ".." not in Path(path).parts for path in found.files)


@cache
def _folder(base: Path) -> Path:
    base.mkdir(exist_ok=True)
    return base


def folder(factory: pytest.TempPathFactory) -> Path:
    """One for all examples."""
    return _folder(factory.getbasetemp() / "parsers")


# zhiyin.toml

VALUES = st.sampled_from(
    [*ODD, "price < 5", "6h", "drop", "keep", 3, "personal", "2026-01-01", ["item_knn"], {"price < 5": 2.0}]
)
SECTIONS = ["scenarios", "serve", "access", "retrain", "rules", "recipe", "models", "privacy", "data", "columns", "x"]
FIELDS_TEXT = (
    "kind k where boosts caps promotions seen seen_days explore variants share host port workers rate allow every "
    "events retrievers mug x"
)
FIELDS = FIELDS_TEXT.split()


def toml(value: Any) -> str:
    """A value as TOML writes it; what TOML has no word for is a text."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, list):
        return f"[{', '.join(map(toml, value))}]"
    if isinstance(value, dict):
        return f"{{{', '.join(f'{json.dumps(key)} = {toml(inner)}' for key, inner in value.items())}}}"
    return json.dumps(value if isinstance(value, str) else str(value))


@st.composite
def configurations(draw: st.DrawFn) -> str:
    out = io.StringIO()
    for section in draw(st.lists(st.sampled_from(SECTIONS), max_size=3)):
        names = [section, *draw(st.lists(st.sampled_from(["home", "email", "own", "é", *FIELDS]), max_size=3))]
        out.write(f"[{'.'.join(json.dumps(name, ensure_ascii=False) for name in names)}]\n")
        for name in draw(st.lists(st.sampled_from(FIELDS), max_size=4)):
            out.write(f"{name} = {toml(draw(VALUES))}\n")
    return out.getvalue()


@LAWS
@given(configurations() | TEXTS)
def test_a_configuration_is_read_or_refused(text: str) -> None:
    found = refused_or(lambda: parsed(text), ConfigError)
    assert found is None or {"home", "similar", "cart", "email"} <= found.scenarios.keys()


@pytest.mark.parametrize("text", ["a=" + "[" * 3_000, "a=" + "{a=" * 3_000, ".".join("a" * 3_000) + "=1", "[[" * 2_000])
def test_a_configuration_nested_without_end_is_refused(text: str) -> None:
    assert refused_or(lambda: parsed(text), ConfigError) is None
