"""Words of any language."""

import polars as pl

# Scripts that put no space between words; \p{M} are the signs that some of them set on a letter.
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Hangul}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー々"
_WORDS = rf"[\w--[_{_UNSPACED}]]+"
_CHARACTERS = rf"[{_UNSPACED}]\p{{M}}*"
_LONGEST = 10_000  # characters of one text that are read
_PAIRS = rf"(?:{_CHARACTERS}){{2}}"


def words(texts: pl.Series) -> pl.DataFrame:
    """row: UInt32, token: String: each word of each text, as often as it occurs, in lower case.

    Where a script puts no space between words, each character and each pair of neighbours is a word: what search
    engines found best for Chinese without a dictionary (Nie et al. 2000). Full-width and other presentation forms
    are made plain first (Unicode NFKC).
    """
    frame = texts.cast(pl.String).rename("text").to_frame().with_row_index("row").drop_nulls()
    frame = frame.with_columns(pl.col("text").str.head(_LONGEST).str.normalize("NFKC").str.to_lowercase())
    shifted = pl.col("text").str.replace_all(rf"(^|[^{_UNSPACED}\p{{M}}])(?:{_CHARACTERS})", "$1")
    found = [
        pl.col("text").str.extract_all(_WORDS),
        pl.col("text").str.extract_all(_CHARACTERS),
        pl.col("text").str.extract_all(_PAIRS),
        shifted.str.extract_all(_PAIRS),  # the pairs that begin at the second character of a run, the fourth, …
    ]
    tokens = [frame.select("row", one.alias("token")).explode("token").drop_nulls() for one in found]
    return pl.concat(tokens)
