"""The store in a bare installation: SQLite needs no extra, PostgreSQL says which it needs."""

import subprocess
import sys
from pathlib import Path

import pytest

PROGRAM = """
import sys
sys.modules[{package!r}] = None
from pathlib import Path
from zhiyin.data.store.address import StoreAddress
from zhiyin.data.store.connect import migrate_at_once
from zhiyin.errors import MissingExtraError
try:
    print(len(migrate_at_once(StoreAddress.of({address!r}, Path({root!r})))))
except MissingExtraError as error:
    print(error)
"""


def said(package: str, address: str, root: Path) -> str:
    program = PROGRAM.format(package=package, address=address, root=str(root))
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


@pytest.mark.parametrize("package", ["greenlet", "asyncpg"])
def test_sqlite_needs_no_extra(package: str, tmp_path: Path) -> None:
    assert int(said(package, "store.db", tmp_path)) >= 1


@pytest.mark.parametrize("package", ["greenlet", "asyncpg"])
def test_postgresql_says_what_to_install(package: str, tmp_path: Path) -> None:
    expected = f"{package} is not installed: run pip install 'zhiyin[postgres]'"
    assert said(package, "postgresql://nobody@127.0.0.1:1/nothing", tmp_path) == expected
