"""What is encrypted opens with its key, at its place, unchanged; and with nothing else."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyin.data.encryption import Keyring, is_token
from zhiyin.errors import ConfigError, DataError

VARIABLE = "ZHIYIN_ENCRYPTION_KEYS"
OLD, NEW = (base64.b64encode(bytes([i]) * 32).decode() for i in (1, 2))


def ring(written: str) -> Keyring:
    return Keyring.of({VARIABLE: written}, VARIABLE)


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)  # fmt: skip


@given(VALUES, st.text(max_size=40))
def test_a_value_comes_back_and_is_not_to_be_seen(value, place):
    keys = ring(f"k1:{OLD}")
    token = keys.encrypted(value, place)
    assert keys.decrypted(token, place) == value
    assert is_token(token)
    assert keys.encrypted(value, place) != token  # a nonce of its own
    with pytest.raises(DataError, match="changed or moved"):
        keys.decrypted(token, place + "x")


@given(st.integers(0, 200), st.integers(1, 255))
def test_a_changed_byte_is_found(place, change):
    keys = ring(f"k1:{OLD}")
    head, _, body = keys.encrypted("ann@example.org", "users.email of ann").rpartition(":")
    content = bytearray(base64.urlsafe_b64decode(body))
    content[place % len(content)] ^= change
    with pytest.raises(DataError, match="changed or moved"):
        keys.decrypted(f"{head}:{base64.urlsafe_b64encode(bytes(content)).decode()}", "users.email of ann")


def test_a_new_key_takes_over_and_the_old_one_still_opens():
    old, both = ring(f"k1:{OLD}"), ring(f"k2:{NEW}, k1:{OLD}")
    token = old.encrypted(7, "users.age of ann")
    assert both.decrypted(token, "users.age of ann") == 7
    assert not both.is_current(token)
    again = both.encrypted(7, "users.age of ann")
    assert both.is_current(again)
    assert ring(f"k2:{NEW}").decrypted(again, "users.age of ann") == 7
    with pytest.raises(DataError, match=f"needs the key k1, which {VARIABLE} does not hold"):
        ring(f"k2:{NEW}").decrypted(token, "users.age of ann")
    with pytest.raises(DataError, match="changed or moved"):
        ring(f"k1:{NEW}").decrypted(token, "users.age of ann")


@pytest.mark.parametrize(
    "token", ["", "ann", "enc:k1:", "enc:k1:AAAA", "enc:k1:%%%%", "enc::AAAA", f"enc:k1:{'A' * 99}"]
)
def test_what_is_no_token_is_refused(token):
    with pytest.raises(DataError, match=r"users\.email of ann"):
        ring(f"k1:{OLD}").decrypted(token, "users.email of ann")


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("", "is not set"),
        (OLD, "entry 1 of ZHIYIN_ENCRYPTION_KEYS is not NAME:KEY"),
        (f"k1:{OLD},k2:c2hvcnQ=", "entry 2 of ZHIYIN_ENCRYPTION_KEYS is not NAME:KEY"),
        (f"k1:{OLD},k1:{NEW}", "names the key k1 twice"),
        (",".join(f"k{i}:{OLD}" for i in range(17)), "at most 16"),
    ],
)
def test_a_malformed_ring_is_refused_without_telling_a_key(written, sentence):
    with pytest.raises(ConfigError, match=sentence) as error:
        ring(written)
    assert OLD not in str(error.value)


def test_a_ring_does_not_show_its_keys():
    assert OLD not in repr(ring(f"k1:{OLD}"))
