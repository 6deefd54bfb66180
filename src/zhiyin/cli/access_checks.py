"""What can be wrong with keys, certificates and the audit of a shop."""

import datetime as dt
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from cryptography import x509

from zhiyin.cli.check_result import Check
from zhiyin.cli.project import Project
from zhiyin.data.quality.findings import plural
from zhiyin.errors import ZhiyinError
from zhiyin.serving.audit_trail import verified
from zhiyin.serving.keys import Keys
from zhiyin.serving.tls import context_of

SOON_DAYS = 14


def access_checks(project: Project, now: int) -> Iterator[Check]:
    """Each looked at by itself; `now` is µs UTC."""
    yield _keys(project, now)
    if project.config.access.certificate is not None:
        yield from _tls(project, now)
    yield _audit(project)


def _keys(project: Project, now: int) -> Check:
    path = project.root / project.config.serve.keys
    try:
        states = [key.state(now) for key in Keys(path).all()]
    except ZhiyinError as error:
        return Check("keys", "fail", str(error))
    found = f"{plural(states.count('valid'), 'valid key')} in {path}"
    return _private(Check("keys", "ok", found), path)


def _tls(project: Project, now: int) -> Iterator[Check]:
    settings = project.config.access
    try:
        context_of(settings, project.root)
        certificate = project.root / str(settings.certificate)
        ends = x509.load_pem_x509_certificates(certificate.read_bytes())[0].not_valid_after_utc
    except (ZhiyinError, OSError, ValueError) as error:
        yield Check("TLS", "fail", str(error))
        return
    left = (ends - dt.datetime.fromtimestamp(now / 1_000_000, dt.UTC)) / dt.timedelta(days=1)
    found = f"the certificate {certificate} is valid until {ends:%Y-%m-%d}"
    if left < 0:
        yield Check("TLS", "fail", f"the certificate {certificate} ended on {ends:%Y-%m-%d}", "renew it")
    else:
        yield Check("TLS", "ok", found) if left >= SOON_DAYS else Check("TLS", "warn", found, "renew it soon")
    key = project.root / str(settings.private_key)
    yield _private(Check("private key", "ok", f"{key} goes with the certificate"), key)


def _audit(project: Project) -> Check:
    path = project.root / project.config.access.audit
    try:
        found = verified(path)
    except ZhiyinError as error:
        return Check("audit", "fail", str(error))
    if found.fault:
        return Check("audit", "fail", found.fault, "ask who could write to it")
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        return Check("audit", "fail", f"{path} cannot be written", "change its permissions")
    return Check("audit", "ok", f"{plural(found.entries, 'entry')} in {path}, unchanged")


def _private(check: Check, path: Path) -> Check:
    if path.exists() and stat.S_IMODE(path.stat().st_mode) & 0o077:
        return Check(check.name, "warn", f"{check.found}, which others can read", f"run chmod 600 {path}")
    return check
