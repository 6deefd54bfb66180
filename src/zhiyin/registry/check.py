"""A check of the data of a zhiyin.toml, whose account is kept beside the releases until the next one."""

import hashlib
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from zhiyin.errors import RegistryBusyError, ZhiyinError
from zhiyin.registry.account import account, columns
from zhiyin.registry.config import read_config
from zhiyin.registry.durable import replace_bytes
from zhiyin.registry.lock import exclusive, is_held
from zhiyin.registry.prepare import Prepared, Progress, prepare
from zhiyin.registry.progress_file import Doing, doing, told

FILE, PROGRESS, LOCK = "check.json", "checking.json", ".check.lock"
LARGEST = 16 * 2**20
"""Bytes of an account that are looked at."""


class Check(msgspec.Struct, frozen=True):
    """What came of it."""

    made: int
    """When it ended, µs UTC."""
    seconds: float
    config: str
    """SHA-256 of the zhiyin.toml that was read."""
    problem: str = ""
    """Why the data could not be read; empty if they could."""
    account: dict[str, Any] = {}
    """As `zhiyin check --json` prints it; empty where there is a problem."""
    columns: dict[str, list[dict[str, Any]]] = {}
    """Of each table; see `account.columns`."""
    prices: tuple[float, float, float] | None = None
    """The lowest, the middle and the highest price that was paid; None where none is known."""


def check(
    config: Path,
    registry: Path,
    *,
    now: int,
    environment: Mapping[str, str],
    begun: Callable[[], None] = lambda: None,
) -> Check:
    """Read and clean the data that `config` names, keep what was found in `registry`, and tell how far it is.

    Parameters
    ----------
    now
        µs UTC; an event later than this is impossible.
    environment
        Where the key of pseudonyms is looked up.
    begun
        Told when `going_on` says so.

    Raises
    ------
    RegistryBusyError
        If somebody checks them at this moment.
    OSError
        If the account cannot be written; the earlier one stays.
    """
    with exclusive(registry, LOCK), told(registry / PROGRESS) as progress:
        begun()
        began = time.perf_counter()
        found = _found(config, now, environment, progress)
        took = time.perf_counter() - began
        found = msgspec.structs.replace(found, made=now + int(took * 1e6), seconds=took)
        replace_bytes(registry / FILE, msgspec.json.encode(found), mode=0o600)  # examples name people
    return found


def last(registry: Path) -> Check | None:
    """The last check; None before the first, and where its account cannot be understood."""
    try:
        with (registry / FILE).open("rb") as file:
            return msgspec.json.decode(file.read(LARGEST), type=Check)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return None


def going_on(registry: Path) -> Doing | None:
    """How far a check is that somebody makes now; None if nobody does."""
    if not is_held(registry, LOCK):
        return None
    return doing(registry / PROGRESS) or Doing("reading", 0, 1)


def digest(config: Path) -> str:
    """What a zhiyin.toml says, in short; empty where it cannot be read."""
    with suppress(OSError):
        return hashlib.sha256(config.read_bytes()).hexdigest()
    return ""


def _found(config: Path, now: int, environment: Mapping[str, str], progress: Progress) -> Check:
    known_by = digest(config)
    try:
        prepared = prepare(read_config(config), config.parent, now=now, environment=environment, progress=progress)
    except RegistryBusyError:
        raise
    except ZhiyinError as error:
        return Check(0, 0.0, known_by, str(error))
    return Check(0, 0.0, known_by, "", account(prepared), columns(prepared.cleaned.tables), _prices(prepared))


def _prices(prepared: Prepared) -> tuple[float, float, float] | None:
    paid = prepared.cleaned.profile.prices
    if not len(paid):
        return None
    low, middle, high = np.quantile(paid, [0, 0.5, 1])
    return float(low), float(middle), float(high)
