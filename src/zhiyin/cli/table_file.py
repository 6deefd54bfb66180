"""A table written block by block, that appears under its name when it is whole: Parquet, CSV or JSON Lines."""

import shutil
from pathlib import Path
from types import TracebackType
from typing import Self

import polars as pl

from zhiyin.data.quality.clean import FORMULA_STARTS
from zhiyin.errors import ConfigError, DataError

FORMATS = (".parquet", ".csv", ".jsonl")


class TableFile:
    """`with TableFile(path) as file: file.add(block)`; whatever goes wrong before the end leaves the old file."""

    def __init__(self, path: Path) -> None:
        if path.suffix.lower() not in FORMATS:
            raise ConfigError(f"--out must end in {', '.join(FORMATS[:-1])} or {FORMATS[-1]}, got {path.name!r}")
        self._path = path
        self._parts = path.with_name(f".{path.name}.parts")
        self._count = 0

    def __enter__(self) -> Self:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self._parts, ignore_errors=True)
        self._parts.mkdir()
        return self

    def add(self, block: pl.DataFrame) -> None:
        """Some more rows, with the same columns as before.

        Raises
        ------
        DataError
            If the disk takes no more.
        """
        try:
            if self._path.suffix.lower() == ".parquet":
                block.write_parquet(self._parts / f"{self._count:08d}")
            else:
                with (self._parts / "whole").open("ab") as file:
                    file.write(self._text(block).encode())
        except (OSError, pl.exceptions.ComputeError) as error:
            raise self._failed(error) from error
        self._count += 1

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
        except (OSError, pl.exceptions.ComputeError) as failure:
            raise self._failed(failure) from failure
        finally:
            shutil.rmtree(self._parts, ignore_errors=True)

    def _text(self, block: pl.DataFrame) -> str:
        if self._path.suffix.lower() == ".jsonl":
            return block.write_ndjson()
        harmless = pl.col(pl.String).str.replace(FORMULA_STARTS, "'${0}")  # a spreadsheet must not run an id
        return block.with_columns(harmless).write_csv(include_header=self._count == 0)

    def _finish(self) -> None:
        whole = self._parts / "whole"
        if self._path.suffix.lower() == ".parquet":
            parts = sorted(self._parts.iterdir())
            pl.concat([pl.scan_parquet(part) for part in parts]).sink_parquet(whole)
        whole.replace(self._path)

    def _failed(self, error: Exception) -> DataError:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error).splitlines()[0]
        return DataError(
            f"{self._path} cannot be written ({reason}): what was there is unchanged, make space and try again"
        )
