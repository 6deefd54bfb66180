"""The tables beside the events: repeated and missing ids, prices that can not be, friends with nobody."""

from dataclasses import dataclass, field

import polars as pl

from zhiyin.data.quality.findings import Finding, Level, examples_of, percent, plural
from zhiyin.data.quality.rules import impossible

NOUNS = {"items": "item", "users": "person", "friends": "friendship"}


@dataclass
class Entries:
    """One of the other tables while it is being cleaned; `rows` has the 1-based number of each under `row`."""

    table: str
    rows: pl.DataFrame
    read: int
    findings: list[Finding] = field(default_factory=list)
    dropped: list[pl.DataFrame] = field(default_factory=list)

    @classmethod
    def of(cls, table: str, frame: pl.DataFrame) -> "Entries":
        """Number the rows, unless the source has."""
        numbered = frame if "row" in frame.columns else frame.with_row_index("row", offset=1)
        return cls(table, numbered, len(frame))

    def drop(self, odd: pl.Expr, code: str, message: str, advice: str) -> None:
        """Take out the rows for which `odd` holds, and say so."""
        out = self.rows.filter(odd)
        if len(out):
            self.rows = self.rows.filter(~odd)
            self.dropped.append(out.with_columns(pl.lit(code).alias("reason"), pl.lit(self.table).alias("table")))
            self._say(code, "warn", out, message, advice, dropped=True)

    def note(self, odd: pl.Expr, code: str, level: Level, message: str, advice: str) -> None:
        """Say how many rows `odd` holds for."""
        out = self.rows.filter(odd)
        if len(out):
            self._say(code, level, out, message, advice, dropped=False)

    def _say(self, code: str, level: Level, out: pl.DataFrame, message: str, advice: str, *, dropped: bool) -> None:
        share = len(out) / self.read
        said = f"{plural(len(out), NOUNS[self.table])} ({percent(share)}) {message}"
        self.findings.append(Finding(code, level, self.table, len(out), share, said, advice, examples_of(out), dropped))


def clean_items(items: pl.DataFrame, touched: pl.Series) -> Entries:
    """One row per item id, the last; prices that can not be made unknown. `touched`: the item ids in the events."""
    entries = Entries.of("items", items)
    _drop_unidentified(entries, "item_id")
    _drop_earlier(entries, "item_id")
    for name in ("title", "price"):
        if name in items.columns:
            _note_empty(entries, name)
    if "price" in items.columns and items["price"].dtype.is_float():
        wrong = impossible("price", entries.rows["price"]).fill_null(False)
        entries.note(pl.lit(wrong), "impossible_price", "warn", "had an impossible price: now unknown", "correct them")
        if wrong.any():
            entries.rows = entries.rows.with_columns(pl.when(~wrong).then(pl.col("price")).alias("price"))
    unseen = ~pl.col("item_id").is_in(touched.implode())
    entries.note(unseen, "item_without_events", "info", "have no event yet", "the content model can recommend them")
    return entries


def clean_users(users: pl.DataFrame) -> Entries:
    """One row per person, the last."""
    entries = Entries.of("users", users)
    _drop_unidentified(entries, "user_id")
    _drop_earlier(entries, "user_id")
    return entries


def clean_friends(friends: pl.DataFrame, known: pl.Series) -> Entries:
    """Pairs of two different people, once. `known`: everyone in the events and the users table."""
    entries = Entries.of("friends", friends)
    _drop_unidentified(entries, "user_id")
    _drop_unidentified(entries, "friend_id")
    entries.drop(
        pl.col("user_id") == pl.col("friend_id"), "self_friend", "of a person with themselves", "leave them out"
    )
    repeats = ~pl.struct("user_id", "friend_id").is_first_distinct()
    entries.drop(repeats, "duplicate_friends", "repeat an earlier row", "leave them out")
    strangers = ~(pl.col("user_id").is_in(known.implode()) & pl.col("friend_id").is_in(known.implode()))
    advice = "they are ignored until those people have events; check that both tables write ids alike"
    entries.note(strangers, "unknown_friend", "info", "name someone who is in no other table", advice)
    return entries


def unknown_to_catalogue(events: pl.DataFrame, items: pl.DataFrame) -> list[Finding]:
    """How many events concern items without a catalogue row; they are kept."""
    counted = events.group_by("item_id").len().with_columns(pl.col("item_id").cast(pl.String))
    odd = counted.filter(~pl.col("item_id").is_in(items["item_id"].implode())).sort("len", descending=True)
    count = int(odd["len"].sum())
    if not count:
        return []
    share = count / len(events)
    message = f"{plural(count, 'event')} ({percent(share)}) concern {plural(len(odd), 'item')} unknown to the catalogue"
    advice = 'complete the items table (are ids written alike?), or set clean.unknown_items = "drop"'
    examples = examples_of(odd.rename({"len": "events"}))
    level: Level = "warn" if share > 0.05 else "info"
    return [Finding("unknown_item", level, "events", count, share, message, advice, examples)]


def _drop_unidentified(entries: Entries, name: str) -> None:
    entries.drop(pl.col(name).is_null(), f"missing_{name}", f"without {name}", "complete or remove these rows")


def _drop_earlier(entries: Entries, name: str) -> None:
    earlier = ~pl.col(name).is_last_distinct()
    message = f"describe a {name} again further down: the last row is kept"
    entries.drop(earlier, f"duplicate_{name}", message, "keep one row per id at the source")


def _note_empty(entries: Entries, name: str) -> None:
    empty = pl.col(name).is_null()
    if entries.rows[name].dtype == pl.String:
        empty |= pl.col(name).str.strip_chars() == ""
    entries.note(empty, f"no_{name}", "info", f"have no {name}", f"complete the {name} column of the items table")
