"""From where a request comes: of whom connects, or of whom a trusted proxy speaks for, and of nobody else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zhiyin.errors import ConfigError
from zhiyin.registry.access_settings import AccessSettings
from zhiyin.serving.addresses import MOST_HOPS, Addresses, customer

PROXIES = AccessSettings(trusted_proxies=("10.0.0.0/8", "::1"))


def address(client: str | None, *forwarded: str, settings: AccessSettings = PROXIES) -> str:
    scope = {
        "type": "http",
        "client": None if client is None else (client, 5_000),
        "headers": [(b"x-forwarded-for", one.encode("latin-1")) for one in forwarded],
    }
    return Addresses(settings).of(scope)


@pytest.mark.parametrize(
    ("client", "forwarded", "found"),
    [
        ("192.0.2.1", ["198.51.100.7"], "192.0.2.1"),  # not our proxy: anybody can write that
        ("10.0.0.1", ["198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9, 198.51.100.7"], "198.51.100.7"),  # what stands left of it is hearsay
        ("10.0.0.1", ["203.0.113.9, 198.51.100.7, 10.1.1.1 ,10.2.2.2"], "198.51.100.7"),
        ("10.0.0.1", ["203.0.113.9", "198.51.100.7, 10.1.1.1"], "198.51.100.7"),
        ("10.0.0.1", ["10.9.9.9"], "10.9.9.9"),
        ("10.0.0.1", [], "10.0.0.1"),
        ("10.0.0.1", [""], "10.0.0.1"),
        ("10.0.0.1", ["198.51.100.7:4711"], "198.51.100.7"),
        ("::1", ["[2001:db8::5]:4711"], "2001:db8::5"),
        ("::1", ["2001:db8::5"], "2001:db8::5"),
        ("::ffff:10.0.0.1", ["::ffff:198.51.100.7"], "198.51.100.7"),
        ("10.0.0.1", ["198.51.100.7, unknown"], "unknown"),
        ("10.0.0.1", ["198.51.100.7, é"], "unknown"),
        ("10.0.0.1", ["garbage, 198.51.100.7"], "198.51.100.7"),
        ("fe80::1%eth0", [], "fe80::1"),
        (None, ["198.51.100.7"], "unknown"),
        ("testclient", [], "unknown"),
    ],
)
def test_the_address_is_the_last_that_nobody_else_could_write(client: str, forwarded: list[str], found: str) -> None:
    assert address(client, *forwarded) == found


@given(st.text(alphabet="0123456789abcdef.:,[]% ", max_size=60))
def test_no_header_makes_a_stranger_somebody_else(written: str) -> None:
    assert address("192.0.2.1", written) == "192.0.2.1"
    assert address("10.0.0.1", f"{written}, 198.51.100.7") == "198.51.100.7"


def test_a_header_is_followed_only_so_far() -> None:
    hops = ", ".join(["198.51.100.7", *["10.0.0.1"] * MOST_HOPS])
    assert address("10.0.0.1", hops) == "10.0.0.1"


@pytest.mark.parametrize(
    ("found", "may"),
    [("10.9.9.9", True), ("192.168.1.7", True), ("192.168.1.8", False), ("unknown", False), ("2001:db8::1", True)],
)
def test_only_whom_the_list_names_may_connect(found: str, may: bool) -> None:
    listed = Addresses(AccessSettings(allow=("10.0.0.0/8", "192.168.1.7", "2001:db8::/32")))
    assert listed.may_connect(found) is may
    assert Addresses(AccessSettings()).may_connect(found)


def test_an_ipv6_network_is_one_customer() -> None:
    assert customer("2001:db8::1") == customer("2001:db8::ffff") == "2001:db8::/64"
    assert customer("2001:db8:0:1::1") != customer("2001:db8::1")
    assert (customer("192.0.2.1"), customer("unknown")) == ("192.0.2.1", "unknown")


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"allow": ("10.0.0.1/8",)}, "access.allow must name addresses or networks, got '10.0.0.1/8'"),
        ({"trusted_proxies": ("proxy",)}, "access.trusted_proxies must name"),
        ({"allow": ("10.0.0.1",) * 1_001}, "at most 1,000 entries"),
        ({"trusted_proxies": ("0.0.0.0/0",)}, "access.trusted_proxies must not be everybody"),
        ({"cors_origins": ("*",)}, "must name origins such as"),
        ({"cors_origins": ("https://shop.example/",)}, "must name origins such as"),
        ({"cors_origins": ("https://shop.example",) * 101}, "at most 100"),
        ({"certificate": "a.pem"}, "access.private_key is missing"),
        ({"private_key": "a.pem"}, "access.certificate is missing"),
        ({"certificate": " ", "private_key": "a"}, "access.certificate must not be empty"),
        ({"audit": ""}, "access.audit must not be empty"),
        ({"rate": "often"}, "access.rate must be"),
        ({"burst": 0}, "access.burst must be from 1"),
        ({"depth": 0}, "access.depth must be from 1 to 512"),
    ],
)
def test_settings_that_make_no_sense_are_sentences(settings: dict[str, object], sentence: str) -> None:
    with pytest.raises(ConfigError, match=sentence.replace(".", r"\.")):
        AccessSettings(**settings)
