"""TLS from two files, looked at before anybody connects."""

import ssl
from pathlib import Path

from zhiyin.errors import ConfigError
from zhiyin.registry.access_settings import AccessSettings


def context_of(settings: AccessSettings, root: Path) -> ssl.SSLContext | None:
    """What the service encrypts with; None where [access] names no certificate.

    Raises
    ------
    ConfigError
        If a file is missing, cannot be read, or does not go with the other.
    """
    if settings.certificate is None or settings.private_key is None:
        return None
    certificate, key = root / settings.certificate, root / settings.private_key
    for name, path in (("certificate", certificate), ("private_key", key)):
        try:
            with path.open("rb") as file:
                file.read(1)
        except OSError as error:
            raise ConfigError(f"access.{name} {path} cannot be read ({error.strerror}): check the path") from None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(certificate, key, password=_none)
    except (ssl.SSLError, ValueError) as error:
        raise ConfigError(_sentence(certificate, key, error)) from None
    return context


def _none() -> str:
    """Nobody is asked for a password: a service starts by itself."""
    return ""


def _sentence(certificate: Path, key: Path, error: ssl.SSLError | ValueError) -> str:
    if b"ENCRYPTED" in key.read_bytes()[:200_000]:
        return f"access.private_key {key} is encrypted: decrypt it, and let only the service's user read it"
    reason = getattr(error, "reason", None) or "it is not in the form of PEM"
    if reason == "KEY_VALUES_MISMATCH":
        return f"access.private_key {key} does not belong to access.certificate {certificate}: give the key of that one"
    wrong = key if b"-----BEGIN CERT" in certificate.read_bytes()[:200_000] else certificate
    name = "private_key" if wrong == key else "certificate"
    return f"access.{name} {wrong} cannot be used ({reason}): it must begin with -----BEGIN, as PEM files do"
