"""Privacy at the door: sensitive columns never come in, and ids can be replaced by keyed pseudonyms."""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import polars as pl

from zhiyin.data.codes import distinct
from zhiyin.data.quality.findings import Finding, percent
from zhiyin.data.sensitive import Sensitive, guess, looks_personal
from zhiyin.data.tables import Tables
from zhiyin.errors import ConfigError
from zhiyin.fields import unknown

TABLES = ("events", "items", "users", "friends")
SHORTEST_KEY = 16  # bytes
MOST_DAYS = 36_500
PSEUDONYM_LENGTH = 26  # base32 characters: 130 bits, no two ids meet
PERSON_COLUMNS = {"events": ("user_id",), "users": ("user_id",), "friends": ("user_id", "friend_id")}
REQUIRED = frozenset({"user_id", "item_id", "friend_id", "timestamp", "row"})


@dataclass(frozen=True)
class PrivacySettings:
    """The [privacy] section of zhiyin.toml."""

    sensitive: tuple[str, ...] = ()  # columns that never come in: "email", or "users.email" for one table only
    guess: bool = True  # also leave out what looks like e-mail, phone, name, address, … by its name or its content
    keep: tuple[str, ...] = ()  # columns that a guess must not take out
    pseudonymise: bool = (
        False  # replace user ids by keyed pseudonyms; only who holds the key can ask for a person by id
    )
    key_env: str = "ZHIYIN_PSEUDONYM_KEY"  # the environment variable that holds the key, at least 16 bytes
    encrypt: tuple[str, ...] = ()  # what the store keeps encrypted: "email" of people, "context.ip" of what happens
    encryption_keys_env: str = "ZHIYIN_ENCRYPTION_KEYS"  # NAME:KEY,OLDER:KEY, each 32 bytes in base64
    events_days: int | None = None  # the service deletes events that it has received longer ago; None: never
    shown_days: int | None = 180  # the same of lists that were shown
    signing_key: str = "signing.key"  # signs receipts of erasure; made at first, beside zhiyin.toml

    def __post_init__(self) -> None:
        for name in ("events_days", "shown_days"):
            days = getattr(self, name)
            if days is not None and not 1 <= days <= MOST_DAYS:
                raise ConfigError(f"privacy.{name} must be from 1 to {MOST_DAYS:,}, got {days}")


@dataclass(frozen=True)
class PseudonymKey:
    """A secret; never shown."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) < SHORTEST_KEY:
            raise ConfigError(f"the pseudonym key has {len(self.secret)} bytes, at least {SHORTEST_KEY} are needed")


@dataclass(frozen=True)
class Protected:
    """The tables without their sensitive columns, and what was done."""

    tables: Tables
    removed: tuple[Sensitive, ...]
    findings: tuple[Finding, ...]


def key_from(environment: Mapping[str, str], settings: PrivacySettings) -> PseudonymKey | None:
    """The key that the settings ask for; None where they ask for none.

    Raises
    ------
    ConfigError
        If the variable is not set or its content is too short.
    """
    if not settings.pseudonymise:
        return None
    secret = environment.get(settings.key_env, "").encode()
    if len(secret) < SHORTEST_KEY:
        state = "is not set" if not secret else f"has only {len(secret)} bytes"
        raise ConfigError(
            f"privacy.pseudonymise needs a key of at least {SHORTEST_KEY} bytes, and {settings.key_env} {state}: "
            f"export {settings.key_env}=$(openssl rand -hex 32), and keep it, for another key makes other pseudonyms"
        )
    return PseudonymKey(secret)


def protect(tables: Tables, settings: PrivacySettings, key: PseudonymKey | None = None) -> Protected:
    """Leave out sensitive columns, then replace user ids by pseudonyms if the settings ask for it.

    Raises
    ------
    ConfigError
        If a column without which nothing works is called sensitive, or if pseudonyms are asked for without a key.
    """
    missing = _check_names(tables, settings)
    removed: list[Sensitive] = []
    frames = {}
    for table in TABLES:
        frame: pl.DataFrame | None = getattr(tables, table)
        if frame is None:
            continue
        found = _named(table, frame, settings)
        if settings.guess:
            known = {sensitive.column for sensitive in found} | REQUIRED
            guessed = guess(table, frame.drop(known, strict=False))
            found += [sensitive for sensitive in guessed if not _listed(sensitive, settings.keep)]
        frames[table] = frame.drop([sensitive.column for sensitive in found])
        removed += found
    protected = replace(tables, **frames)
    findings = [*_findings(tables, removed), *missing, *_personal_ids(protected, settings)]
    if settings.pseudonymise:
        if key is None:
            raise ConfigError(f"privacy.pseudonymise needs a key: put one into {settings.key_env}")
        protected = pseudonymised(protected, key)
    return Protected(protected, tuple(removed), tuple(findings))


def pseudonym(user_id: str, key: PseudonymKey) -> str:
    """26 characters a-z2-7 that stand for the id: the same under the same key, meaningless without it."""
    digest = hmac.digest(key.secret, user_id.encode(), "sha256")
    return base64.b32encode(digest)[:PSEUDONYM_LENGTH].decode().lower()


def pseudonymised(tables: Tables, key: PseudonymKey) -> Tables:
    """The tables with every user id replaced, in events, users and friends alike."""
    frames = {}
    for table, columns in PERSON_COLUMNS.items():
        frame: pl.DataFrame | None = getattr(tables, table)
        if frame is not None:
            frames[table] = frame.with_columns(_replaced(frame[name], key) for name in columns if name in frame.columns)
    return replace(tables, **frames)


def _replaced(ids: pl.Series, key: PseudonymKey) -> pl.Series:
    """Each distinct id is hashed once; missing ids stay missing."""
    distinct = pl.DataFrame({"id": ids.unique().drop_nulls()})
    texts = distinct["id"].cast(pl.String).to_list()
    pseudonyms = pl.Series("pseudonym", [pseudonym(text, key) for text in texts], dtype=pl.String).cast(ids.dtype)
    joined = pl.DataFrame({"id": ids}).join(
        distinct.with_columns(pseudonyms), on="id", how="left", maintain_order="left"
    )
    return joined["pseudonym"].rename(ids.name)


def _check_names(tables: Tables, settings: PrivacySettings) -> list[Finding]:
    """Refuse to lose what is required; warn of names that no table has, for a typing error would let a column in."""
    columns = {name: list(getattr(tables, name).columns) for name in TABLES if getattr(tables, name) is not None}
    places = {f"{table}.{column}" for table, names in columns.items() for column in names}
    findings = []
    for name in settings.sensitive:
        if name.rpartition(".")[2] in REQUIRED and (name in REQUIRED or name in places):
            raise ConfigError(
                f"privacy.sensitive names {name}, without which nothing works: "
                "set privacy.pseudonymise = true to hide who is who"
            )
        known = places if "." in name else {place.partition(".")[2] for place in places}
        if name not in places and name not in {place.partition(".")[2] for place in places}:
            message = unknown(f"privacy.sensitive: {name}", name, known)
            advice = "correct the name, or leave it if the column is not read"
            findings.append(Finding("unknown_sensitive", "warn", "privacy", 1, 0.0, message, advice))
    return findings


def _named(table: str, frame: pl.DataFrame, settings: PrivacySettings) -> list[Sensitive]:
    named = (Sensitive(table, column, "named in privacy.sensitive", guessed=False) for column in frame.columns)
    return [sensitive for sensitive in named if _listed(sensitive, settings.sensitive)]


def _listed(sensitive: Sensitive, names: tuple[str, ...]) -> bool:
    return sensitive.column in names or f"{sensitive.table}.{sensitive.column}" in names


def _findings(tables: Tables, removed: list[Sensitive]) -> list[Finding]:
    findings = []
    for sensitive in removed:
        message = f"column {sensitive.column!r} was left out: {sensitive.why}"
        advice = f'set [privacy] keep = ["{sensitive.column}"] if it is harmless' if sensitive.guessed else "nothing"
        rows = len(getattr(tables, sensitive.table))
        finding = Finding("sensitive_column", "info", sensitive.table, rows, 1.0, message, advice, dropped=True)
        findings.append(finding)
    return findings


def _personal_ids(tables: Tables, settings: PrivacySettings) -> list[Finding]:
    """User ids that are themselves e-mail addresses or telephone numbers; no example is shown."""
    if settings.pseudonymise or not len(tables.events):
        return []
    column = tables.events["user_id"]
    ids = distinct(column).texts if column.dtype == pl.Categorical else column.unique().drop_nulls().cast(pl.String)
    found = looks_personal(ids)
    if found is None:
        return []
    what, share = found
    message = f"{percent(share)} of the user ids look like {what}"
    advice = "set privacy.pseudonymise = true to replace them by keyed pseudonyms"
    return [Finding("personal_user_id", "warn", "events", round(share * len(ids)), share, message, advice)]
