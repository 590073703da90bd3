"""The house keeps its order."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import sklearn_ae

PACKAGE = Path(sklearn_ae.__file__).parent
# A room may import from the rooms before it.
ORDER = [
    *("_losses", "_networks", "_onnx", "_datasets"),
    *("_rows", "_checkpoint", "_training", "_base"),
    *("_autoencoder", "_denoising", "_convolutional", "_generative"),
    *("_variational", "_adversarial", "_search", "persistence"),
    *(
        "_independence",
        "_reducers",
        "_images",
        "_far",
        "metrics",
        "_measures",
        "_verdict",
    ),
    *("_folds", "compare", "plotting", "callbacks", "_report", "__main__"),
]
# The rooms that measure any reducer.
MEASURING = ORDER[ORDER.index("_independence") :]
# Longer than a function may be, and why.
LONG = {
    "_report.report": "the page's pictures, one after the other",
    "__main__._parser": "the options, one after the other",
    "__main__._compare": "the command from its options to its files",
}


def rooms():
    for path in PACKAGE.iterdir():
        if path.suffix == ".py" or (path / "__init__.py").exists():
            yield path.stem


def files(room):
    folder = PACKAGE / room
    return folder.glob("*.py") if folder.is_dir() else [PACKAGE / f"{room}.py"]


def imports(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom):
            names = [node.module] if node.module else [a.name for a in node.names]
            yield from ((node.level, name) for name in names)
        elif isinstance(node, ast.Import):
            yield from ((0, alias.name) for alias in node.names)


def test_every_room_has_its_place():
    assert set(rooms()) - {"__init__"} == set(ORDER)


@pytest.mark.parametrize("room", ORDER)
def test_imports_go_one_way(room):
    allowed = ORDER[: ORDER.index(room)]
    for path in files(room):
        up = len(path.relative_to(PACKAGE).parts)  # dots to the package
        for level, name in imports(path):
            if level == up and not hasattr(
                sklearn_ae, name
            ):  # public ones from anywhere
                assert name.partition(".")[0] in allowed
            assert not (level == 0 and name.startswith("benchmarks"))


@pytest.mark.parametrize("room", MEASURING)
def test_private_names_stay_in_their_file(room):
    for path in files(room):
        up = len(path.relative_to(PACKAGE).parts)  # dots to the package
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level and node.module:
                names = [alias.name for alias in node.names]
                assert not [name for name in names if name.startswith("_")]
                if node.level == up:  # a folder's files are its own affair
                    assert "." not in node.module


@pytest.mark.parametrize("room", MEASURING)
def test_rooms_can_be_read(room):
    for path in files(room):
        text = path.read_text()
        assert len(text.splitlines()) <= 450
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                assert sum(isinstance(n, ast.FunctionDef) for n in node.body) <= 25
            elif isinstance(node, ast.FunctionDef):
                name = f"{path.stem}.{node.name}"
                assert name in LONG or _lines_of_body(node) <= 45


def _lines_of_body(function):
    body = function.body[ast.get_docstring(function) is not None :]
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


@pytest.mark.parametrize("room", [r for r in ORDER if r != "_base"])
def test_private_names_of_scikit_learn_stay_in_one_room(room):
    for level, name in (each for path in files(room) for each in imports(path)):
        private = any(part.startswith("_") for part in name.split("."))
        assert not (level == 0 and name.startswith("sklearn.") and private)


def test_nothing_foreign_is_executed():
    for path in PACKAGE.rglob("*.py"):
        modules = {name for _, name in imports(path)}
        assert not modules & {"pickle", "marshal", "shelve", "dill", "importlib"}
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in {"eval", "exec", "compile", "__import__"}
                assert called not in {"joblib.load", "self.load_params"}
                safe = "weights_only=True" in map(ast.unparse, node.keywords)
                assert called != "torch.load" or safe


def test_import_loads_no_package_of_its_own():
    code = (
        "import sys, skorch, sklearn.decomposition, sklearn.model_selection, torch\n"
        "before = set(sys.modules)\n"
        "import sklearn_ae\n"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    known = {"sklearn_ae", "sklearn", "skorch", "scipy", "torch"}
    assert set(loaded) <= known | sys.stdlib_module_names
