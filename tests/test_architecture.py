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
    *("_extras", "_independence", "_catalogue", "datasets", "_format"),
    *("_randomness", "_tags"),
    *("_sklearn", "_engine", "_docstrings", "_params", "_html", "_onnx"),
    *("_arrays", "_gradients", "_truncation"),
    "_base",
    *("_autoencoder", "_denoising", "_convolutional", "_generative"),
    *("_variational", "_adversarial", "_imputer"),
    *("_size_scores", "_search", "_outliers"),
    *("_estimators", "_checks", "persistence"),
    *("_reducers", "_images", "_far", "metrics", "inspection", "_measures"),
    "_verdict",
    *("_folds", "compare", "plotting", "callbacks", "_command", "__main__"),
]
# So may each file of the engine.
ENGINE = [
    *("tables", "scaling", "pca", "factor", "counts", "losses"),
    *("noise", "networks", "wrappers"),
    *(
        "blueprint",
        "batches",
        "neighbours",
        "filling",
        "caller",
        "aside",
        "weights",
        "plan",
        "objective",
        "variational",
        "adversarial",
    ),
    *(
        "torch_state",
        "checkpoint",
        "average",
        "backward",
        "replay",
        "steps",
        "net",
        "judge",
        "members",
        "crossfit",
    ),
    *("history", "cut", "codec", "tensors", "trial"),
    *("fitted", "onnx_counts", "onnx", "survey", "layout", "fit"),
]
# The rooms that measure any reducer know no autoencoder.
MEASURING = ORDER[ORDER.index("_reducers") : ORDER.index("callbacks")]
# Longer than a function may be, and why.
LONG = {
    "_params.__init__": "a line for each parameter",
    "parser._add_compare": "the options, one after the other",
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
    assert {path.stem for path in files("_engine")} - {"__init__"} == set(ENGINE)


@pytest.mark.parametrize("room", ORDER)
def test_imports_go_one_way(room):
    allowed = ORDER[: ORDER.index(room)]
    for path in files(room):
        up = len(path.relative_to(PACKAGE).parts)  # dots to the package
        for level, name in imports(path):
            public = name in (*sklearn_ae.__all__, "__version__")
            if level == up and not public:
                assert name.partition(".")[0] in allowed
            assert not (level == 0 and name.startswith("benchmarks"))


@pytest.mark.parametrize("name", ENGINE)
def test_imports_in_the_engine_go_one_way(name):
    allowed = ENGINE[: ENGINE.index(name)]
    for level, imported in imports(PACKAGE / "_engine" / f"{name}.py"):
        assert level != 1 or imported in allowed
        assert level < 2 or imported in {"_extras", "_independence", "_sklearn"}


@pytest.mark.parametrize("room", MEASURING)
def test_rooms_that_measure_know_no_autoencoder(room):
    allowed = {*MEASURING, "_extras", "_independence", "_catalogue", "datasets"}
    for path in files(room):
        up = len(path.relative_to(PACKAGE).parts)
        for level, name in imports(path):
            if level == up:
                assert name.partition(".")[0] in allowed


@pytest.mark.parametrize("room", [r for r in ORDER if r != "_sklearn"])
def test_private_names_of_scikit_learn_stay_in_one_room(room):
    for level, name in (each for path in files(room) for each in imports(path)):
        private = any(part.startswith("_") for part in name.split("."))
        assert not (level == 0 and name.startswith("sklearn.") and private)


@pytest.mark.parametrize("room", ORDER)
def test_private_names_stay_in_their_file(room):
    for path in files(room):
        up = len(path.relative_to(PACKAGE).parts)  # dots to the package
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level and node.module:
                names = [alias.name for alias in node.names]
                assert not [name for name in names if name.startswith("_")]
                if node.level == up and not node.module.startswith("_engine."):
                    assert "." not in node.module  # a folder's files are its own affair


@pytest.mark.parametrize("room", ORDER)
def test_rooms_can_be_read(room):
    for path in files(room):
        text = path.read_text()
        assert len(text.splitlines()) <= 450
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.ClassDef):
                assert sum(isinstance(n, ast.FunctionDef) for n in node.body) <= 25
            elif isinstance(node, ast.FunctionDef):
                name = f"{path.stem}.{node.name}"
                assert name in LONG or lines_of_body(node) <= 45, name


def lines_of_body(function):
    body = function.body[ast.get_docstring(function) is not None :]
    return body[-1].end_lineno - body[0].lineno + 1 if body else 0


def test_nothing_foreign_is_executed():
    for path in PACKAGE.rglob("*.py"):
        modules = {name for _, name in imports(path)}
        if path != PACKAGE / "__init__.py":  # it imports by the names that it lists
            assert "importlib" not in modules
        assert not modules & {"pickle", "marshal", "shelve", "dill"}
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call):
                called = ast.unparse(node.func)
                assert called not in {"eval", "exec", "compile", "__import__"}
                assert called not in {"joblib.load", "self.load_params"}
                safe = "weights_only=True" in map(ast.unparse, node.keywords)
                assert called != "torch.load" or safe


def loaded_by(code, before="import sys"):
    """The top-level names of what some code imports, in a fresh process."""
    code = (
        f"{before}\nimport sys\nbefore = set(sys.modules)\n{code}\n"
        "print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    return set(done.stdout.split())


def test_names_load_no_package_of_their_own():
    loaded = loaded_by(
        "import sklearn_ae\n[getattr(sklearn_ae, name) for name in sklearn_ae.__all__]",
        before="import skorch, sklearn.decomposition, sklearn.model_selection, torch",
    )
    known = {"sklearn_ae", "sklearn", "skorch", "scipy", "torch"}
    assert loaded <= known | sys.stdlib_module_names


def test_nothing_heavy_before_it_is_needed():
    assert loaded_by("import sklearn_ae") <= {"sklearn_ae"} | sys.stdlib_module_names
    loaded = loaded_by("from sklearn_ae._command import main")
    assert loaded <= {"sklearn_ae"} | sys.stdlib_module_names


def test_names_are_there_when_asked_for():
    assert set(sklearn_ae.__all__) <= set(dir(sklearn_ae))
    for name in sklearn_ae.__all__:
        assert getattr(sklearn_ae, name).__name__ == name
    assert {"compare", "metrics", "plotting"} <= set(dir(sklearn_ae))
    with pytest.raises(AttributeError, match="no attribute 'Autoencoder'"):
        _ = sklearn_ae.Autoencoder
