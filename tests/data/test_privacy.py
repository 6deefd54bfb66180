"""Sensitive columns stay outside, pseudonyms hide who is who."""

import hashlib
import hmac

import polars as pl
import pytest

from zhiyin.data.privacy import PrivacySettings, PseudonymKey, key_from, protect, pseudonym
from zhiyin.data.sensitive import looks_personal, named_like
from zhiyin.data.tables import Tables
from zhiyin.errors import ConfigError

KEY = PseudonymKey(b"a secret of some length")


def shop(users=None, items=None):
    events = pl.DataFrame(
        {"user_id": ["ann", "bob", None, "ann"], "item_id": ["1", "2", "3", "4"], "timestamp": [1, 2, 3, 4]}
    )
    return Tables(events.with_columns(pl.col("user_id", "item_id").cast(pl.Categorical)), items=items, users=users)


def left(users, **settings):
    protected = protect(
        shop(pl.DataFrame({"user_id": ["ann", "bob"]}).with_columns(**users)), PrivacySettings(**settings)
    )
    assert protected.tables.users is not None
    return protected.tables.users.columns[1:]


@pytest.mark.parametrize(
    "column",
    [
        "email",
        "E-Mail",
        "emailAddress",
        "phone_number",
        "Tel",
        "mobile",
        "firstName",
        "last_name",
        "name",
        "fullname",
        "address",
        "street",
        "zip-code",
        "ip",
        "client_ip",
        "passport_no",
        "birth_date",
        "dateOfBirth",
        "dob",
        "id_card",
        "ethnicity",
        "password",
        "姓名",
        "客户电话",
        "手机号",
        "邮箱",
        "地址",
        "身份证号",
        "出生日期",
    ],
)
def test_names_of_personal_columns(column):
    assert named_like(column, person=True)


@pytest.mark.parametrize(
    "column",
    [
        "age",
        "sex",
        "city",
        "country",
        "segment_name",
        "channel_name",
        "ship",
        "zipper",
        "description",
        "年龄",
        "城市",
        "性别",
        "plan",
        "tip",
        "member",
    ],
)
def test_names_of_harmless_columns(column):
    assert named_like(column, person=False) is None
    assert named_like(column, person=True) is None


@pytest.mark.parametrize("column", ["name", "title", "address_type", "phone_type", "brand_name", "mobile_friendly"])
def test_a_catalogue_may_have_names(column):
    assert named_like(column, person=False) is None


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (["ann@shop.com", "b.b@x.co.uk", ""], "e-mail addresses"),
        (["+44 20 7946 0958", "+1 (555) 123-4567", None], "telephone numbers"),
        (["13812345678", "15987654321"], "telephone numbers"),
        ([13812345678, 15987654321], "telephone numbers"),
        (["192.168.0.1", "8.8.8.8"], "IP addresses"),
        (["11010519491231002X", "440308199901010012"], "identity numbers"),
        (["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819"], "account numbers"),
    ],
)
def test_personal_contents(values, what):
    found = looks_personal(pl.Series(values, strict=False))
    assert found is not None
    assert found[0] == what


@pytest.mark.parametrize(
    "values",
    [
        ["2024-01-01", "2023-05-06"],
        ["10.0", "1.2.3", "300.1.1.1"],
        [1_700_000_000, 1_600_000_000],
        [1_700_000_000_000, 1_600_000_000_000],
        ["978-3-16-148410-0", "85123A"],
        ["mail me @ home", "@ann"],
        [None, None],
        [1.5, 2.5],
        [True, False],
    ],
)
def test_harmless_contents(values):
    assert looks_personal(pl.Series(values)) is None


def test_guessed_columns_are_removed_and_reported():
    users = pl.DataFrame(
        {"user_id": ["ann", "bob"], "e-mail": ["x", "y"], "contact": ["a@b.cn", "c@d.org"], "age": [30, 40]}
    )
    items = pl.DataFrame({"item_id": ["1", "2"], "name": ["mug", "hat"], "maker": ["m@x.com", "n@x.com"]})
    protected = protect(shop(users, items), PrivacySettings())
    assert protected.tables.users is not None
    assert protected.tables.items is not None
    assert protected.tables.users.columns == ["user_id", "age"]
    assert protected.tables.items.columns == ["item_id", "name"]
    assert {(one.table, one.column) for one in protected.removed} == {
        ("users", "e-mail"),
        ("users", "contact"),
        ("items", "maker"),
    }
    text = str(protected.findings)
    assert "100% of its values look like e-mail addresses" in text
    assert "a@b.cn" not in text


def test_settings_name_keep_and_turn_off():
    users = {"email": pl.lit("x"), "age": pl.lit(3), "vip_email": pl.lit(True)}
    assert left(users) == ["age", "vip_email"]  # a yes or no is no address
    assert left(users, keep=("email",)) == ["email", "age", "vip_email"]
    assert left(users, guess=False) == ["email", "age", "vip_email"]
    assert left(users, sensitive=("users.age",)) == ["vip_email"]
    assert left(users, sensitive=("email",), keep=("email",)) == ["age", "vip_email"]


def test_a_sensitive_name_that_no_table_has_is_reported_with_the_nearest():
    protected = protect(shop(pl.DataFrame({"user_id": ["ann"], "salary": [1]})), PrivacySettings(sensitive=("salry",)))
    assert "did you mean 'salary'?" in protected.findings[0].message


def test_required_columns_can_not_be_sensitive():
    with pytest.raises(ConfigError, match="pseudonymise"):
        protect(shop(), PrivacySettings(sensitive=("user_id",)))


def test_user_ids_that_are_addresses_are_pointed_out():
    events = pl.DataFrame({"user_id": ["ann@x.org", "bob@x.org"], "item_id": ["1", "2"], "timestamp": [1, 2]})
    (found,) = protect(Tables(events), PrivacySettings()).findings
    assert (found.code, found.count, found.examples) == ("personal_user_id", 2, ())
    assert protect(Tables(events), PrivacySettings(pseudonymise=True), KEY).findings == ()


def test_pseudonyms_are_hmac_sha256():
    name = pseudonym("ann", KEY)
    assert len(name) == 26
    number = int.from_bytes(hmac.new(KEY.secret, b"ann", hashlib.sha256).digest())
    letters = "abcdefghijklmnopqrstuvwxyz234567"
    assert name == "".join(letters[(number >> (256 - 5 * (at + 1))) & 31] for at in range(26))
    assert name != pseudonym("ann", PseudonymKey(b"another secret of some length"))
    assert name != pseudonym("Ann", KEY)


def test_pseudonyms_replace_ids_in_all_tables_alike():
    tables = Tables(
        shop().events,
        users=pl.DataFrame({"user_id": ["bob", "ann"], "age": [1, 2]}),
        friends=pl.DataFrame({"user_id": ["ann"], "friend_id": ["bob"]}),
    )
    protected = protect(tables, PrivacySettings(pseudonymise=True), KEY).tables
    ann, bob = pseudonym("ann", KEY), pseudonym("bob", KEY)
    assert protected.events["user_id"].cast(pl.String).to_list() == [ann, bob, None, ann]
    assert protected.events["user_id"].dtype == pl.Categorical
    assert protected.events["item_id"].to_list() == ["1", "2", "3", "4"]
    assert protected.users is not None
    assert protected.users.rows() == [(bob, 1), (ann, 2)]
    assert protected.friends is not None
    assert protected.friends.rows() == [(ann, bob)]


def test_the_key_comes_from_the_environment_or_is_asked_for():
    settings = PrivacySettings(pseudonymise=True, key_env="SHOP_KEY")
    key = key_from({"SHOP_KEY": "0123456789abcdef"}, settings)
    assert key == PseudonymKey(b"0123456789abcdef")
    assert key_from({}, PrivacySettings()) is None
    with pytest.raises(ConfigError, match="SHOP_KEY is not set"):
        key_from({}, settings)
    with pytest.raises(ConfigError, match="has only 9 bytes") as caught:
        key_from({"SHOP_KEY": "too-short"}, settings)
    assert "too-short" not in str(caught.value)
    with pytest.raises(ConfigError, match="needs a key"):
        protect(shop(), settings)


def test_the_key_is_never_shown():
    assert "secret of" not in f"{KEY!r} {KEY}"
    with pytest.raises(ConfigError) as caught:
        PseudonymKey(b"short one")
    assert "short one" not in str(caught.value)
