"""Which columns look personal: by their name, and by what stands in them."""

import re
from dataclasses import dataclass

import polars as pl

SAMPLE = 1_000  # values looked at
ENOUGH = 0.3  # of them must look so; the rest may be empty or typed in wrongly

# whole words of a column's name in the users table; the whole name in any other
WORDS = {
    "e-mail": "email mail emails",
    "phone": "phone telephone tel mobile cell cellphone fax whatsapp wechat weixin qq",
    "IP address": "ip ipv4 ipv6",
    "identity document": "passport ssn nin idcard identity license licence",
    "bank details": "iban bic creditcard cardnumber",
    "birth date": "dob birthday birthdate",
}
# whole words, in the users table only: an item may have a name, and a warehouse an address
PERSONAL_WORDS = {
    "address": "address street zip zipcode postcode postal addr",
    "position": "latitude longitude lat lon lng geo gps",
    "special category": "religion ethnicity race disability orientation politics political health",
    "name": "surname firstname lastname fullname nickname username forename",
    "secret": "password passwd secret token",
}
# whole names, in the users table only
PERSONAL_NAMES = {
    "name": "name first_name last_name full_name given_name family_name middle_name user_name nick_name customer_name "
    "client_name person login",
    "birth date": "birth_date date_of_birth birth_day born",
    "identity document": "id_card id_number national_id social_security_number tax_id credit_card card_number",
}
CHINESE = {
    "name": "姓名 名字 昵称 用户名",
    "phone": "电话 手机 微信 联系方式",
    "e-mail": "邮箱 邮件",
    "address": "地址 住址 邮编",
    "identity document": "身份证 护照 证件",
    "birth date": "生日 出生",
    "bank details": "银行卡 卡号",
    "special category": "民族 宗教",
}
CONTENTS = {
    "e-mail addresses": r"^[^@\s]{1,64}@[^@\s]+\.[^@\s.]{2,24}$",
    "telephone numbers": r"^(?:\+\d{1,3}[ \-./]?(?:\(?\d{1,4}\)?[ \-./]?){2,5}\d{1,4}|(?:\+?86[ \-]?)?1[3-9]\d{9}"
    r"|\(?0\d{2,4}\)?[ \-/]\d{3,4}[ \-]?\d{3,5}|\(\d{3}\) ?\d{3}-\d{4}|\d{3}-\d{3}-\d{4})$",
    "IP addresses": r"^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)$",
    "identity numbers": r"^[1-9]\d{5}(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])\d{3}[\dXx]$",
    "account numbers": r"^[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}(?: ?[A-Z0-9]{1,3})?$",
}
HARMLESS = (pl.Boolean, pl.List, pl.Struct)  # a yes or no about an e-mail is no e-mail


@dataclass(frozen=True)
class Sensitive:
    """A column that does not come in, and why."""

    table: str
    column: str
    why: str
    guessed: bool = True


def guess(table: str, frame: pl.DataFrame) -> list[Sensitive]:
    """The columns of a table that look personal; a catalogue's names and places are not a person's."""
    found = []
    for column in frame.columns:
        if isinstance(frame[column].dtype, HARMLESS):
            continue
        what = named_like(column, person=table == "users")
        if what is not None:
            found.append(Sensitive(table, column, f"its name says {what}"))
            continue
        content = looks_personal(frame[column])
        if content is not None:
            found.append(Sensitive(table, column, f"{content[1]:.0%} of its values look like {content[0]}"))
    return found


def named_like(column: str, *, person: bool) -> str | None:
    """What a column's name says it holds, None for nothing personal; `person`: in the users table."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", column.strip())  # firstName → first_Name
    name = re.sub(r"[^0-9a-z]+", "_", spaced.lower()).strip("_")
    words = {name.replace("_", "")} | (set(name.split("_")) if person else set())  # phone_type is fit for an item
    lists = [WORDS, PERSONAL_WORDS] if person else [WORDS]
    for what, known in ((what, known) for group in lists for what, known in group.items()):
        if words & set(known.split()):
            return what
    if person:
        for what, known in PERSONAL_NAMES.items():
            if name in known.split():
                return what
    chinese = CHINESE if person else {what: CHINESE[what] for what in ("phone", "e-mail", "identity document")}
    return next((what for what, known in chinese.items() if any(word in column for word in known.split())), None)


def looks_personal(values: pl.Series) -> tuple[str, float] | None:
    """What a sample of the values looks like, and the share that does; None for nothing personal."""
    if not (values.dtype in (pl.String, pl.Categorical) or values.dtype.is_integer()):
        return None
    known = values.drop_nulls()
    sample = known.gather_every(max(1, len(known) // SAMPLE)).head(SAMPLE).cast(pl.String).str.strip_chars()
    if not len(sample):
        return None
    for what, pattern in CONTENTS.items():
        share = float(sample.str.contains(pattern).sum()) / len(sample)
        if share >= ENOUGH:
            return what, share
    return None
