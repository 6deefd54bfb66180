"""The documentation says what the code does: every setting, route, verb, name and example of it."""

import dataclasses
import doctest
import re
import runpy
import tomllib
from pathlib import Path

import msgspec
import pytest

import zhiyin
from zhiyin.data.privacy import PrivacySettings
from zhiyin.data.quality.settings import CleanSettings
from zhiyin.data.settings import ColumnMap, DataSettings, Source
from zhiyin.models.known import MODELS
from zhiyin.ranking.promotions import Promotion
from zhiyin.ranking.rules import Rules
from zhiyin.ranking.scenario import Scenario
from zhiyin.registry.access_settings import AccessSettings
from zhiyin.registry.config import Config, RecipeSettings, RegistrySettings, SplitSettings, TrainSettings, parsed
from zhiyin.registry.retrain_settings import RetrainSettings
from zhiyin.registry.serve_settings import ServeSettings
from zhiyin.serving import catalogue, erasure, event_schemas, operator_schemas, schemas, why_schemas
from zhiyin.serving.app import OPERATIONS
from zhiyin.serving.caller import Role

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
SECTIONS = {
    "[data]": DataSettings,
    "A source as a table": Source,
    "[columns]": ColumnMap,
    "[clean]": CleanSettings,
    "[privacy]": PrivacySettings,
    "[split]": SplitSettings,
    "[recipe]": RecipeSettings,
    "[rules]": Rules,
    "A scenario": Scenario,
    "A promotion": Promotion,
    "[train]": TrainSettings,
    "[registry]": RegistrySettings,
    "[serve]": ServeSettings,
    "[access]": AccessSettings,
    "[retrain]": RetrainSettings,
    **MODELS,
}
SHAPES = [
    shape
    for module in (schemas, event_schemas, why_schemas, operator_schemas, catalogue, erasure)
    for shape in vars(module).values()
    if isinstance(shape, type) and issubclass(shape, msgspec.Struct) and shape.__module__ == module.__name__
]


def page(name: str) -> str:
    return (DOCS / name).read_text(encoding="utf-8")


def parts(text: str) -> dict[str, str]:
    """Heading to what stands below it, up to the next heading."""
    found = re.split(r"(?m)^#+ +(.+)$", re.sub(r"(?ms)^```.*?^```$", lambda block: block[0].replace("#", " "), text))
    return dict(zip(found[1::2], found[2::2], strict=True))


def documented(part: str) -> dict[str, str]:
    """Key to default of the table of a part of docs/configuration.md."""
    return dict(re.findall(r"(?m)^\| `(\w+)` \| [^|]+ \| (.+?) \| .+ \|$", part))


def settings(cls: type) -> dict[str, object]:
    fields = [field for field in dataclasses.fields(cls) if field.init and not field.name.endswith("_")]
    return {field.name: default(field) for field in fields}


def default(field: dataclasses.Field) -> object:
    """None where there is none, or where it is None."""
    if field.default is not dataclasses.MISSING:
        return field.default
    return None if field.default_factory is dataclasses.MISSING else field.default_factory()


@pytest.mark.parametrize("heading", SECTIONS)
def test_every_setting_is_documented_with_its_default(heading):
    assert heading in parts(page("configuration.md")), f"docs/configuration.md needs a section {heading}"
    rows, known = documented(parts(page("configuration.md"))[heading]), settings(SECTIONS[heading])
    assert list(rows) == list(known)
    for key, value in known.items():
        written = None if rows[key] in ("–", "needed") else tomllib.loads(f"value = {rows[key].strip('`')}")["value"]
        assert written == (list(value) if isinstance(value, tuple) else value), key


def test_every_section_is_documented_and_no_other():
    sections = {heading.strip("[]") for heading in parts(page("configuration.md")) if heading.startswith("[")}
    assert sections == {field.name for field in dataclasses.fields(Config)}
    models = set(re.findall(r"(?m)^### (\w+)$", page("configuration.md")))
    assert models == set(MODELS)


def test_every_toml_in_the_documentation_is_accepted():
    blocks = [
        block for file in DOCS.glob("*.md") for block in re.findall(r"(?ms)^```toml\n(.*?)^```$", page(file.name))
    ]
    assert len(blocks) >= 2
    for block in blocks:
        parsed(block)


def test_every_route_is_documented_and_no_other():
    routes = {f"{one.method} {one.path.replace(':path}', '}')}" for one in OPERATIONS} | {"GET /openapi.json"}
    headings = {heading for heading in parts(page("http.md")) if re.match("[A-Z]+ /", heading)}
    assert headings == routes
    for route in routes - {"GET /openapi.json"}:
        assert "$ curl" in parts(page("http.md"))[route], route


def test_every_route_stands_beside_the_role_that_it_needs():
    rows = dict(re.findall(r"(?m)^\| `(reader|writer|operator|admin)` \| .+ \| (.+) \|$", page("http.md")))
    assert list(rows) == [str(role) for role in Role]
    for role, routes in rows.items():
        needed = {f"{one.method} {one.path.replace(':path}', '}')}" for one in OPERATIONS if str(one.role) == role}
        assert set(re.findall(r"`([^`]+)`", routes)) == needed, role


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.__name__)
def test_every_field_of_a_request_or_an_answer_is_documented(shape):
    shown = set(re.findall(r'"(\w+)":', page("http.md"))) | set(re.findall(r"`(\w+)`", page("http.md")))
    assert {field.name for field in msgspec.structs.fields(shape)} <= shown


def test_the_metrics_to_watch_are_those_that_are_documented():
    named = re.compile(r"`(zhiyin_\w+)")
    watched = set(named.findall(parts(page("operating.md"))["What to watch"]))
    assert len(watched) > 10
    assert watched <= set(named.findall(parts(page("http.md"))["GET /metrics"]))


def test_the_pages_made_from_the_code_are_up_to_date():
    made = runpy.run_path(str(DOCS / "generate.py"))
    advice = "run `python docs/generate.py`"
    assert page("command-line.md") == made["command_line"](), advice
    assert page("data.md") == made["data_page"](page("data.md")), advice


def test_every_public_name_has_a_heading():
    headings = re.findall(r"(?m)^### (\w+)$", page("python.md"))
    assert sorted([*headings, "__version__"]) == sorted(zhiyin.__all__)


def test_the_examples_in_python_are_true():
    example = doctest.DocTestParser().get_doctest(page("python.md"), {}, "python.md", "docs/python.md", 0)
    assert len(example.examples) > 20
    assert all(f"zy.{name}" in example.docstring for name in zhiyin.__all__)
    flags = doctest.ELLIPSIS | doctest.IGNORE_EXCEPTION_DETAIL
    said: list[str] = []
    doctest.DocTestRunner(optionflags=flags).run(example, out=said.append)
    assert not said, "".join(said)


@pytest.mark.parametrize(
    "file",
    sorted([*ROOT.glob("*.md"), *DOCS.glob("*.md"), *ROOT.glob("examples/*/*.md")]),
    ids=lambda file: str(file.relative_to(ROOT)),
)
def test_every_link_leads_somewhere(file: Path):
    for target in re.findall(r"\]\(([^)\s]+)\)", file.read_text(encoding="utf-8")):
        path, _, anchor = target.partition("#")
        if re.match("[a-z]+:", target):
            continue
        there = (file.parent / path) if path else file
        assert there.exists(), target
        if anchor:
            assert anchor in {slug(heading) for heading in parts(there.read_text(encoding="utf-8"))}, target


def slug(heading: str) -> str:
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_the_changelog_speaks_of_this_version():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    top = re.search(r"(?m)^## \[(.+?)\](.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"))
    assert top is not None
    assert project["version"] == zhiyin.__version__
    assert zhiyin.__version__ in top[0], "the newest entry names the version of pyproject.toml"
