"""What can be wrong with an installation or a shop's folder, each looked at by itself."""

import os
import platform
import shutil
import tempfile
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import zhiyin
from zhiyin.cli.access_checks import access_checks
from zhiyin.cli.check_result import Check
from zhiyin.cli.project import Project, now
from zhiyin.compute import threads
from zhiyin.data.quality.findings import plural
from zhiyin.data.store.connect import lacking, read_at_once
from zhiyin.data.store.events import COUNT
from zhiyin.errors import ZhiyinError
from zhiyin.serving.run import listening

PACKAGES = (
    "numpy", "scipy", "numba", "polars", "msgspec", "safetensors", "sqlalchemy", "alembic", "starlette", "uvicorn",
    "typer", "rich",
)  # fmt: skip
EXTRAS = {"adbc-driver-postgresql": "postgres", "optuna": "tune", "torch": "neural", "onnxruntime": "onnx"}
LEAST_FREE = 2**30  # bytes; a release of a middling shop takes some 100 MB, and two must fit


def every_check(config: Path) -> list[Check]:
    """The machine, then the installation, then the shop."""
    return [_python(), *_packages(), _compiled(), _threads(), _disk(config.absolute().parent), *_shop(config)]


def _python() -> Check:
    found = f"zhiyin {zhiyin.__version__}, Python {platform.python_version()}, {platform.platform()}"
    return Check("Python", "ok", found)


def _packages() -> Iterator[Check]:
    found = {name: _version(name) for name in PACKAGES}
    missing = [name for name, number in found.items() if number is None]
    if missing:
        yield Check("packages", "fail", f"{', '.join(missing)} missing", "run pip install --upgrade zhiyin")
    else:
        yield Check("packages", "ok", ", ".join(f"{name} {number}" for name, number in found.items()))
    for name, extra in EXTRAS.items():
        number = _version(name)
        note = f"{name} {number}" if number else f"not installed, pip install 'zhiyin[{extra}]' adds it"
        yield Check(f"extra {extra}", "ok", note)


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _compiled() -> Check:
    """Whether numba can keep what it compiles."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    place = Path(named) if named else Path(threads.__file__).parent / "__pycache__"
    advice = "set NUMBA_CACHE_DIR to a folder that can be written, else every start compiles for seconds"
    try:
        place.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=place):
            return Check("compiled loops", "ok", f"are kept in {place}")
    except OSError as error:
        return Check("compiled loops", "warn", f"{place} cannot be written ({error.strerror})", advice)


def _threads() -> Check:
    return Check("threads", "ok", f"{threads.thread_count()} (ZHIYIN_THREADS changes it)")


def _disk(folder: Path) -> Check:
    try:
        free = shutil.disk_usage(folder).free
    except OSError as error:
        return Check("disk", "fail", f"{folder}: {error.strerror}", "check the path of --config")
    words = f"{free / 2**30:,.1f} GB free in {folder}"
    if not os.access(folder, os.W_OK):
        return Check("disk", "fail", f"{folder} cannot be written", "change its permissions")
    return Check("disk", "ok", words) if free >= LEAST_FREE else Check("disk", "warn", words, "make space")


def _shop(config: Path) -> Iterator[Check]:
    if not config.exists():
        yield Check("zhiyin.toml", "warn", f"{config} does not exist", "run `zhiyin init EVENTS`, or `zhiyin demo`")
        return
    try:
        project = Project.read(config)
    except ZhiyinError as error:
        yield Check("zhiyin.toml", "fail", str(error), "correct it")
        return
    yield Check("zhiyin.toml", "ok", f"{config} can be read")
    yield from (_releases(project), _store(project), *access_checks(project, now()), _port(project))


def _releases(project: Project) -> Check:
    name, advice = "releases", "run `zhiyin rollback`, or train again"
    try:
        number, count = project.store.serving(), len(project.store.numbers())
        if number is None:
            return Check(name, "warn", f"none serves, {count} in {project.store.root}", "run `zhiyin train`")
        project.store.verified(number)
    except (ZhiyinError, OSError) as error:
        return Check(name, "fail", str(error), advice)
    return Check(name, "ok", f"{count}, release {number} serves and every byte of it is as it was written")


def _store(project: Project) -> Check:
    name = "event store"
    try:
        address = project.events
        if address.path is not None and not address.path.exists():
            return Check(name, "ok", f"{address} does not exist yet: the service makes it")
        if steps := lacking(address):
            advice = "run `zhiyin doctor --fix`, or start the service, which does the same; nothing stored is lost"
            return Check(name, "warn", f"{address} lacks {plural(len(steps), 'change')} of this version", advice)
        count = read_at_once(address, lambda connection: COUNT.rows(connection)[0][0])
    except ZhiyinError as error:
        return Check(name, "fail", str(error), "check serve.store, or move the file away")
    return Check(name, "ok", f"{plural(count, 'event')} in {address}")


def _port(project: Project) -> Check:
    settings = project.config.serve
    try:
        listening(settings).close()
    except ZhiyinError as error:
        return Check("port", "warn", str(error))
    return Check("port", "ok", f"{settings.port} on {settings.host} is free")
