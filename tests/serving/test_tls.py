"""TLS with a certificate of our own, and what a connection may send before anybody looks at it."""

import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import nullcontext
from http.client import HTTPResponse
from pathlib import Path

import httpx2
import pytest

from serving.certificates import certificate
from zhiyin.errors import ConfigError
from zhiyin.registry.access_settings import AccessSettings
from zhiyin.registry.release import Release
from zhiyin.registry.store import Store
from zhiyin.serving.tls import context_of

START = """
import sys
from pathlib import Path
from zhiyin.registry.access_settings import AccessSettings
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving import wire
from zhiyin.serving.run import serve
from zhiyin.serving.settings import Settings
wire.HEAD_SECONDS = float(sys.argv[2])
root = Path(sys.argv[1])
access = AccessSettings(certificate="cert.pem", private_key="key.pem")
settings = Settings(ServeSettings(port=0, open_on_loopback=True), access)
serve(root / "releases", settings, root=root, environment={}, ready=lambda url: print(url, flush=True))
"""
HEAD_SECONDS = 0.5
ASK = b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n"
SETTINGS = AccessSettings(certificate="cert.pem", private_key="key.pem")


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory, release: Release) -> Iterator[tuple[int, ssl.SSLContext]]:
    """The port of a service of its own process, and what trusts its certificate."""
    root = tmp_path_factory.mktemp("tls")
    store = Store(root / "releases")
    store.publish(release.write, {"created": 1})
    store.promote(1, 1)
    certificate(root)
    with subprocess.Popen(
        [sys.executable, "-c", START, str(root), str(HEAD_SECONDS)], stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout
            url = running.stdout.readline().strip()
            assert url.startswith("https://127.0.0.1:")
            yield int(url.rpartition(":")[2]), ssl.create_default_context(cafile=str(root / "cert.pem"))
        finally:
            running.kill()


def test_answers_come_over_tls_and_ask_for_it_from_now_on(service: tuple[int, ssl.SSLContext]) -> None:
    port, trusting = service
    with httpx2.Client(base_url=f"https://localhost:{port}", verify=trusting, timeout=30) as client:
        answer = client.get("/v1/users/a000/recommendations?k=2")
        assert len(answer.json()["items"]) == 2
        assert answer.headers["strict-transport-security"] == "max-age=31536000"


def test_nothing_older_than_tls_1_2_and_no_plain_http_is_spoken(service: tuple[int, ssl.SSLContext]) -> None:
    port, _ = service
    for version, works in ((ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True)):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.set_ciphers("ALL:@SECLEVEL=0")
        with nullcontext() if works else pytest.warns(DeprecationWarning, match="TLSv1_1"):
            context.minimum_version = context.maximum_version = version
        with socket.create_connection(("127.0.0.1", port), 10) as raw:
            if works:
                with context.wrap_socket(raw) as secure:
                    assert secure.version() == "TLSv1.2"
            else:
                with pytest.raises((ssl.SSLError, ConnectionError)):
                    context.wrap_socket(raw)
    with socket.create_connection(("127.0.0.1", port), 10) as raw:
        raw.sendall(b"GET /v1/health HTTP/1.1\r\nHost: x\r\n\r\n")
        assert b"200" not in raw.recv(1_000)


def connected(service: tuple[int, ssl.SSLContext]) -> ssl.SSLSocket:
    port, trusting = service
    return trusting.wrap_socket(socket.create_connection(("127.0.0.1", port), 10), server_hostname="localhost")


def test_a_head_without_end_is_cut_off(service: tuple[int, ssl.SSLContext]) -> None:
    for begin in (b"GET /", b"GET / HTTP/1.1\r\nX-Long: "):
        with connected(service) as connection:
            connection.sendall(begin)
            for _ in range(100):
                connection.sendall(b"x" * 1_000)
            assert connection.recv(1_000).startswith((b"HTTP/1.1 431", b"HTTP/1.1 400"))
            with pytest.raises((OSError, ssl.SSLError)):  # and whoever goes on is not listened to
                send_on(connection)


def send_on(connection: ssl.SSLSocket) -> None:
    end = time.monotonic() + 20
    while time.monotonic() < end:
        connection.sendall(b"x" * 1_000)


def test_a_head_that_does_not_come_is_not_waited_for(service: tuple[int, ssl.SSLContext]) -> None:
    for begin in (b"", b"GET / HTTP/1.1\r\nHost: localhost"):
        with connected(service) as connection:
            connection.sendall(begin)
            assert connection.recv(1_000) == b""
    with connected(service) as connection:
        connection.sendall(ASK + b"GET /v1")
        answer = b"".join(iter(lambda: connection.recv(10_000), b""))
        assert answer.count(b"HTTP/1.1 200") == 1


def test_a_connection_that_is_used_again_lives_longer_than_a_head_may(service: tuple[int, ssl.SSLContext]) -> None:
    with connected(service) as connection:
        for pause in (HEAD_SECONDS, 0):
            connection.sendall(ASK)
            answer = HTTPResponse(connection)
            answer.begin()
            assert (answer.status, answer.read()[:1]) == (200, b"{")
            time.sleep(1.5 * pause)


def test_without_a_certificate_there_is_no_tls(tmp_path: Path) -> None:
    assert context_of(AccessSettings(), tmp_path) is None


def test_files_that_go_together_are_taken(tmp_path: Path) -> None:
    certificate(tmp_path)
    context = context_of(SETTINGS, tmp_path)
    assert context is not None
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_files_that_cannot_be_used_are_sentences(tmp_path: Path) -> None:
    def sentence() -> str:
        with pytest.raises(ConfigError) as refused:
            context_of(SETTINGS, tmp_path)
        return str(refused.value)

    assert "access.certificate" in sentence()
    assert "cannot be read (No such file or directory)" in sentence()
    certificate(tmp_path)
    (tmp_path / "key.pem").rename(tmp_path / "old.pem")
    assert "access.private_key" in sentence()
    (tmp_path / "key.pem").mkdir()
    assert "cannot be read (Is a directory)" in sentence()
    (tmp_path / "key.pem").rmdir()
    certificate(tmp_path, "other.pem")
    assert "does not belong to access.certificate" in sentence()
    (tmp_path / "key.pem").write_text("no key")
    assert "access.private_key" in sentence()
    assert "-----BEGIN" in sentence()
    (tmp_path / "cert.pem").write_text("no certificate")
    assert "access.certificate" in sentence()
    certificate(tmp_path, password=b"secret")
    assert "is encrypted: decrypt it" in sentence()
