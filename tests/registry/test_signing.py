"""A receipt is what the shop has signed, to the last character."""

import base64
import copy
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from zhiyin.errors import ArtifactError
from zhiyin.registry.signing import Signer, is_genuine

CONTENT = {"user_id": "ann 安", "deleted": {"events": 12, "impressions": 3}, "when": "2026-11-25T21:00:00Z"}


def test_what_was_signed_is_genuine_and_nothing_else_is(tmp_path: Path) -> None:
    signer = Signer.of(tmp_path / "signing.key")
    signed = signer.signed(CONTENT)
    assert is_genuine(signed, signer.public_key)
    assert is_genuine({**signed, "content": dict(reversed(CONTENT.items()))}, signer.public_key)
    changed = copy.deepcopy(signed)
    changed["content"]["deleted"]["events"] = 13
    assert not is_genuine(changed, signer.public_key)
    another = Signer.of(tmp_path / "another.key")
    assert not is_genuine(signed, another.public_key)
    for broken in ({}, {**signed, "signature": "?"}, {**signed, "signature": base64.b64encode(b"x").decode()}):
        assert not is_genuine(broken, signer.public_key)
    assert not is_genuine(signed, "no key")


def test_the_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "signing.key"
    first = Signer.of(path)
    assert path.stat().st_mode & 0o777 == 0o600
    second = Signer.of(path)
    assert second.public_key == first.public_key
    assert second.digest("ann") == first.digest("ann")
    assert path.read_text().strip() not in repr(first)


def test_of_several_workers_that_start_at_once_all_get_one_key(tmp_path: Path) -> None:
    path = tmp_path / "signing.key"
    with ThreadPoolExecutor(8) as pool:
        keys = {signer.public_key for signer in pool.map(lambda _: Signer.of(path), range(32))}
    assert len(keys) == 1
    assert [found.name for found in tmp_path.iterdir()] == ["signing.key"]


def test_a_digest_tells_ids_apart_and_keys_too(tmp_path: Path) -> None:
    one, other = Signer.of(tmp_path / "one.key"), Signer.of(tmp_path / "other.key")
    assert len({one.digest("ann"), one.digest("bob"), other.digest("ann")}) == 3
    assert len(one.digest("ann")) == 64


@pytest.mark.parametrize("content", [b"", b"not base64!", base64.b64encode(b"too short")])
def test_a_file_that_holds_no_key_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "signing.key"
    path.write_bytes(content)
    with pytest.raises(ArtifactError, match="holds no signing key"):
        Signer.of(path)


def test_a_folder_in_the_place_of_the_key_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="cannot be read or made"):
        Signer.of(tmp_path)
