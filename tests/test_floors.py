"""The house stands on its floors: imports go down, names are what can be imported, nothing heavy loads unasked."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import zhiyin

SOURCE = Path(zhiyin.__file__).parent
FLOORS = {
    "types": 0, "errors": 0, "fields": 0, "compute": 1, "data": 2, "features": 3, "models": 4, "ranking": 5,
    "evaluation": 6, "registry": 7, "serving": 8, "client": 8, "testing": 8, "cli": 9, "__main__": 9,
}  # fmt: skip
FILES = sorted(SOURCE.rglob("*.py"))


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found |= {f"{node.module}.{name.name}" for name in node.names if node.module == "zhiyin"}
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names}
    return found


def floor(module: str) -> int:
    return FLOORS[module.split(".")[1]]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(SOURCE).as_posix())
def test_a_file_imports_its_own_floor_and_those_below(path: Path) -> None:
    name = ".".join(["zhiyin", *path.relative_to(SOURCE).with_suffix("").parts])
    if name == "zhiyin.__init__":
        return
    above = [
        module
        for module in imported(path)
        if module.startswith("zhiyin.") and module.split(".")[1] in FLOORS and floor(module) > floor(name)
    ]
    assert not above, f"{name} looks up at {', '.join(above)}"


def test_only_the_files_that_may_read_a_clock_do() -> None:
    readers = {
        path.relative_to(SOURCE).parts[0]
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr in {"time_ns", "now", "utcnow", "today"}
        and isinstance(node.value, ast.Name) and node.value.id in {"time", "datetime", "dt", "date"}
    }  # fmt: skip
    assert readers <= {"registry", "serving", "cli"}


def test_nothing_can_load_code_from_data() -> None:
    forbidden = {"pickle", "dill", "joblib", "shelve", "marshal", "cloudpickle"}
    assert not {(path.name, module) for path in FILES for module in imported(path) if module.split(".")[0] in forbidden}
    calls = {
        (path.name, node.func.id)
        for path in FILES
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in {"eval", "exec"}
    }
    assert not calls


def test_public_names_are_sorted_and_importable() -> None:
    assert zhiyin.__all__ == sorted(zhiyin.__all__, key=lambda name: (not name.isupper(), name))
    for name in zhiyin.__all__:
        assert getattr(zhiyin, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = zhiyin.nothing


def test_importing_zhiyin_loads_nothing_heavy() -> None:
    heavy = ["numpy", "polars", "numba", "scipy", "starlette", "pandas"]
    code = f"import sys, zhiyin; print([name for name in {heavy} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def test_naming_the_models_loads_none_of_the_extras() -> None:
    extras = ["torch", "onnx", "onnxruntime", "optuna"]
    code = f"import sys, zhiyin.models.known; print([name for name in {extras} if name in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "[]\n"


def at_the_top(path: Path) -> set[str]:
    """Packages that a file imports when it is imported: not inside a function, nor for a type checker alone."""
    found, left = set(), list(ast.parse(path.read_text(encoding="utf-8")).body)
    while left:
        node = left.pop()
        if isinstance(node, ast.Import):
            found |= {name.name.split(".")[0] for name in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
        elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        elif not (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"):
            left += ast.iter_child_nodes(node)
    return found


def test_only_the_neural_folder_imports_extras_for_networks_at_its_top() -> None:
    extras, neural = {"torch", "onnx", "onnxruntime"}, SOURCE / "models" / "neural"
    assert not [path.name for path in FILES if neural not in path.parents and extras & at_the_top(path)]


def test_no_file_outgrows_its_purpose() -> None:
    long = {path.name: lines for path in FILES if (lines := len(path.read_text(encoding="utf-8").splitlines())) > 300}
    assert not long


def test_no_package_is_a_place_for_things_without_a_home() -> None:
    homeless = {"utils", "helpers", "managers", "base", "common", "misc"}
    assert not [path for path in FILES if homeless & {part.removesuffix(".py") for part in path.parts}]
