"""Keys with roles, the audit, and what doctor says of both."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from cli.terminal import Run, run_in
from serving.certificates import certificate


def test_a_key_is_made_with_all_that_it_may_and_listed_so(ask_own: Run, own_shop: Path) -> None:
    words = [
        "--role",
        "reader",
        "--scenario",
        "home",
        "--scenario",
        "email",
        "--rate",
        "20/s",
        "--expires",
        "2099-01-31",
    ]
    assert ask_own("keys", "create", "mail", *words).code == 0
    (row,) = ask_own("keys", "list", "--json").json
    assert row["created"][:2] == "20"
    assert {**row, "created": 0} == {
        "name": "mail", "state": "valid", "role": "reader", "scenarios": ["home", "email"], "rate": "20/s",
        "created": 0, "used": None, "expires": "2099-01-31 00:00:00+00:00", "revoked": None,
    }  # fmt: skip
    shown = ask_own("keys", "list").out
    assert "home, email" in " ".join(shown.split())


def test_a_key_ends_when_it_is_told_to(ask_own: Run) -> None:
    ask_own("keys", "create", "web", "--expires", "90d")
    assert ask_own("keys", "list", "--json").json[0]["expires"] > ask_own("keys", "list", "--json").json[0]["created"]
    assert ask_own("keys", "expire", "web", "never").out == "the key of web never expires\n"
    assert ask_own("keys", "list", "--json").json[0]["expires"] is None
    assert "is valid until 2020-01-01" in ask_own("keys", "expire", "web", "2020-01-01").out
    assert ask_own("keys", "list", "--json").json[0]["state"] == "expired"


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["create", "web", "--role", "writter"], "'writter' is no role: did you mean 'writer'?"),
        (["create", "web", "--role", "?"], "'?' is no role: roles are reader, writer, operator, admin"),
        (["create", "web", "--expires", "soon"], "'soon' is not a duration"),
        (["create", "web", "--expires", "9999999w"], "lies beyond the year 9999: write 'never'"),
        (["create", "web", "--expires", "2099-13-01"], "the end of a key is no time"),
        (["create", "web", "--expires", "2001-01-01"], "would have expired already"),
        (["create", "web", "--rate", "lots"], "the rate of a key must be a number"),
        (["create", "a\nb"], "printable characters"),
        (["expire", "nobody", "1d"], "the key 'nobody' is not known"),
    ],
)
def test_what_makes_no_sense_is_a_sentence(ask_own: Run, words: list[str], sentence: str) -> None:
    assert sentence in ask_own("keys", *words).sentence


def test_every_act_of_the_command_line_is_in_the_audit(ask_own: Run, own_shop: Path) -> None:
    path = own_shop / "audit.jsonl"
    path.unlink(missing_ok=True)
    assert ask_own("audit").err == "nothing was done yet\n"
    ask_own("keys", "create", "web")
    ask_own("keys", "create", "web")
    ask_own("keys", "expire", "web", "30d")
    ask_own("keys", "revoke", "web")
    ask_own("rollback")
    found = ask_own("audit", "--json").json
    assert [(one["act"], one["object"]) for one in found] == [
        ("create key", "web"), ("create key", "web"), ("expire key", "web: 30d"), ("revoke key", "web"),
        ("roll back", "from release 1"),
    ]  # fmt: skip
    assert [one["outcome"].partition(":")[0] for one in found] == ["done", "failed", "done", "done", "failed"]
    assert all(one["actor"].startswith("cli:") and len(one["actor"]) > 4 for one in found)
    assert len(ask_own("audit", "--last", 2, "--json").json) == 2
    assert "revoke key" in ask_own("audit").out
    assert "zk_" not in path.read_text()


def test_a_release_that_the_gate_promotes_is_in_the_audit(shop: Path) -> None:
    (first, *_) = run_in(shop, "audit", "--json").json or [{}]
    assert first == {} or first["act"] == "promote"


def test_a_record_that_was_changed_is_found(ask_own: Run, own_shop: Path) -> None:
    path = own_shop / "audit.jsonl"
    for name in ("web", "app", "tv"):
        ask_own("keys", "create", name)
    well = ask_own("audit", "verify", "--json").json
    assert (well["fault"], ask_own("audit", "verify").code) == (None, 0)
    assert well["head"] in ask_own("audit", "verify").out
    content = path.read_text()
    path.write_text(content.replace('"app"', '"hap"'))
    found = ask_own("audit", "verify")
    assert found.code == 1
    assert "was changed" in found.out
    assert "fault" in ask_own("audit", "verify", "--json").json
    path.write_text("".join(content.splitlines(keepends=True)[:-1]))
    assert ask_own("audit", "verify").code == 0
    assert ask_own("audit", "verify", "--head", well["head"]).code == 1


def test_what_cannot_be_audited_is_done_here_all_the_same_and_said(ask_own: Run, own_shop: Path) -> None:
    (own_shop / "audit.jsonl").unlink(missing_ok=True)
    (own_shop / "audit.jsonl").mkdir()
    made = ask_own("keys", "create", "web")
    assert made.code == 0
    assert made.out.startswith("zk_")
    assert "create key is not in the audit" in made.err


def checks(shop: Path) -> dict[str, tuple[str, str]]:
    found = json.loads(run_in(shop, "doctor", "--json").out)["checks"]
    return {one["name"]: (one["level"], f"{one['found']} {one['advice']}") for one in found}


def test_doctor_looks_at_keys_certificates_and_the_audit(ask_own: Run, own_shop: Path) -> None:
    ask_own("keys", "create", "web")
    found = checks(own_shop)
    assert found["keys"][0] == "ok"
    assert "1 valid key in" in found["keys"][1]
    assert found["audit"][0] == "ok"
    assert "TLS" not in found
    (own_shop / "keys.json").chmod(0o644)
    assert checks(own_shop)["keys"][0] == "warn"
    (own_shop / "keys.json").write_text("{")
    (own_shop / "audit.jsonl").write_text("{}\n")
    config = own_shop / "zhiyin.toml"
    config.write_text(config.read_text() + '\n[access]\ncertificate = "cert.pem"\nprivate_key = "key.pem"\n')
    found = checks(own_shop)
    assert [found[name][0] for name in ("keys", "audit", "TLS")] == ["fail", "fail", "fail"]
    assert "cannot be read" in found["TLS"][1]
    certificate(own_shop)
    found = checks(own_shop)
    assert found["TLS"] == ("ok", "the certificate cert.pem is valid until 2120-01-01 ")
    assert (found["private key"][0], "chmod 600" in found["private key"][1]) == ("warn", True)


@pytest.mark.parametrize(("days", "level", "says"), [(-1, "fail", "renew it"), (3, "warn", "renew it soon")])
def test_doctor_warns_before_a_certificate_ends(own_shop: Path, days: int, level: str, says: str) -> None:
    certificate(own_shop, days=days)
    (own_shop / "key.pem").chmod(0o600)
    config = own_shop / "zhiyin.toml"
    config.write_text(config.read_text() + '\n[access]\ncertificate = "cert.pem"\nprivate_key = "key.pem"\n')
    found = checks(own_shop)
    assert found["TLS"][0] == level
    assert found["TLS"][1].endswith(says)
    assert found["private key"][0] == "ok"


def test_serve_says_what_is_wrong_with_tls(own_shop: Path) -> None:
    config = own_shop / "zhiyin.toml"
    config.write_text(config.read_text() + '\n[access]\ncertificate = "cert.pem"\nprivate_key = "key.pem"\n')
    assert "access.certificate cert.pem cannot be read" in run_in(own_shop, "serve", "--port", 0).sentence


def test_a_user_without_a_name_is_a_number() -> None:
    code = """
import os, pwd
from zhiyin.cli import acting
os.getuid = lambda: 4_000_000_123
print(acting._user())
"""
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        == "4000000123\n"
    )
