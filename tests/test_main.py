import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_diabetes, load_iris
from sklearn.decomposition import PCA, IncrementalPCA

pytest.importorskip("rich")
pytest.importorskip("matplotlib")

import sklearn_ae
from sklearn_ae import _command as cli
from sklearn_ae._command import compare as command
from sklearn_ae._command import source
from sklearn_ae._command.parser import parser
from sklearn_ae._extras import how_to_install
from sklearn_ae.compare import compare_reducers, conclude, summarize
from sklearn_ae.datasets import _files

IRIS = load_iris(as_frame=True).frame.rename(columns={"target": "species"})
IRIS["species"] = np.array(["setosa", "versicolor", "virginica"])[IRIS["species"]]


@pytest.fixture(autouse=True)
def _quick_and_tidy(monkeypatch, tmp_path):
    """A stand-in for the autoencoder, and a working directory of one's own."""
    monkeypatch.setattr(
        command, "AutoencoderTransformer", lambda ordered: IncrementalPCA()
    )
    monkeypatch.setenv("COLUMNS", "104")
    monkeypatch.chdir(tmp_path)


def run(*arguments):
    return cli.main(["compare", *map(str, arguments), "--n-jobs", "1"])


def refused(capsys, *arguments):
    """The one sentence that the command says when it exits with status 2."""
    assert run(*arguments) == 2
    _, err = capsys.readouterr()
    *notes, sentence = err.splitlines()
    assert all(note.startswith("sklearn-ae: ") for note in notes)
    assert sentence.startswith("sklearn-ae: error: ")
    assert sentence.endswith((".", ")", "'", '"', "pyproject.toml"))
    return sentence.removeprefix("sklearn-ae: error: ")


def test_a_file_with_a_target(capsys, tmp_path):
    IRIS.to_csv("iris.csv", index=False)
    assert (
        run("iris.csv", "--target", "species", "--n-components", 1, 2, "--cv", 3) == 0
    )
    out, err = capsys.readouterr()
    assert err == ""
    expected = compare_reducers(
        {"PCA": PCA(), "AutoencoderTransformer": IncrementalPCA()},
        IRIS.drop(columns="species"),
        IRIS["species"],
        n_components=[1, 2],
        cv=3,
        random_state=0,
    )
    written = pd.read_csv(tmp_path / "comparison" / "comparison.csv")
    clocks = ["fit_seconds", "transform_seconds"]
    pd.testing.assert_frame_equal(
        written.drop(columns=clocks), expected.drop(columns=clocks)
    )
    assert "iris.csv: 150 rows, 4 columns, 3 classes" in out
    # Each line of the table, number by number.
    means = expected.groupby(["reducer", "n_components"]).mean()
    lines = [line.split() for line in out.splitlines()]
    for size in (1, 2):
        mean = means.loc[("PCA", size)]
        line = next(line for line in lines if line[:2] == [str(size), "PCA"])
        assert line[2] == f"{mean['explained_variance']:.2%}"
        assert line[3] == f"{mean['knn_score']:.3f}"
        line = next(
            line for line in lines if line[:2] == [str(size), "AutoencoderTransformer"]
        )
        row = summarize(expected).set_index("n_components").loc[size]
        assert line[2] == f"{row['mean']:.2%}"
        difference = [f"{row[c] * 100:+.2f}" for c in ("difference", "low", "high")]
        difference = ["0.00" if x[1:] == "0.00" else x for x in difference]
        assert line[3:6] == [difference[0], f"[{difference[1]},", f"{difference[2]}]"]
        assert " ".join(line[6:-2]) == row["verdict"]
    words = " ".join(conclude(written).split())
    assert words in " ".join(out.split())
    png = (tmp_path / "comparison" / "comparison.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert len(png) > 20_000


def test_no_target_no_knn(capsys):
    IRIS.drop(columns="species").to_parquet("iris.parquet")
    assert run("iris.parquet", "--n-components", 1) == 0
    out, _ = capsys.readouterr()
    assert "k-NN" not in out
    assert "knn_score" not in pd.read_csv("comparison/comparison.csv")


def test_a_target_of_numbers(capsys):
    load_diabetes(as_frame=True).frame.to_csv("d.csv", index=False)
    assert run("d.csv", "--target", "target", "--n-components", 2) == 0
    out, _ = capsys.readouterr()
    assert "442 rows, 10 columns, a target of numbers" in out
    assert "R²" in out


def test_npy_and_scale(capsys):
    X = np.random.default_rng(0).normal(size=(60, 4)) * [1, 10, 100, 1000]
    np.save("x.npy", X)
    assert run("x.npy", "--target", "3", "--n-components", 1, "--scale") == 0
    out, _ = capsys.readouterr()
    assert "60 rows, 3 columns, standardized, a target of numbers" in out
    X = X[:, :3]
    X = (X - X.mean(axis=0)) / X.std(axis=0)
    expected = compare_reducers([PCA()], X, n_components=1, random_state=0)
    written = pd.read_csv("comparison/comparison.csv")
    np.testing.assert_allclose(
        written["explained_variance"][:5], expected["explained_variance"]
    )
    assert written["explained_variance"].max() < 0.9  # raw, one column has 99 %


def test_left_out_and_missing_are_said(capsys):
    frame = IRIS.assign(
        power=["?", *map(str, range(149))],
        day=pd.date_range("2020-01-01", periods=150),
        nothing=np.nan,
        wide=IRIS["petal width (cm)"] > 1,
    )
    frame.loc[3:5, "sepal length (cm)"] = np.nan
    frame.loc[7, "species"] = None
    frame.to_parquet("mixed.parquet")
    arguments = ["--n-components", 1, "--target", "species"]
    assert run("mixed.parquet", *arguments) == 0
    out, err = capsys.readouterr()
    assert err.splitlines() == [
        "sklearn-ae: Leaving out 2 columns: day (dates), nothing (no values).",
        "sklearn-ae: Leaving out 1 of 150 rows: without a target.",
        "sklearn-ae: 4 of 894 cells (0.4%) in sepal length (cm), power are missing.",
        "sklearn-ae: Column power holds 99.7% of the variance, so that the verdict is "
        "nearly about this column alone; --scale lets each count alike.",
        "sklearn-ae: Missing cells are filled in each fold by the means of its "
        "training rows, and not measured.",
    ]
    assert "149 rows, 6 columns, 0.4% of cells missing, 3 classes" in out
    frame.to_csv("mixed.csv")  # with the row labels, which are no data
    assert run("mixed.csv", "--n-components", 1, "--force") == 0
    out, err = capsys.readouterr()
    assert "As categories, with so many values: species (3)." in err
    assert "Unnamed: 0 (rises from row to row), day (dates), nothing (no values)" in err
    assert "Numbers and categories are mixed: columns are standardized" in err
    assert "150 rows, 9 columns, standardized, 0.5% of cells missing" in out


@pytest.mark.parametrize(
    ("separator", "header"), [(";", True), ("\t", True), (",", False), (";", False)]
)
def test_kinds_of_csv(capsys, separator, header):
    IRIS.iloc[:, :4].to_csv("x.csv", sep=separator, header=header, index=False)
    assert run("x.csv", "--n-components", 1) == 0
    assert "150 rows, 4 columns" in capsys.readouterr().out


def test_sizes_too_large_are_dropped(capsys):
    np.save("x.npy", IRIS.iloc[:, :4].to_numpy())
    assert run("x.npy") == 0
    _, err = capsys.readouterr()
    assert err.splitlines() == [
        "sklearn-ae: Dropping n_components 6, 8, 12, 16: above the limit of 4, the "
        "smaller of 120 training rows and 4 columns."
    ]
    assert set(pd.read_csv("comparison/comparison.csv")["n_components"]) == {1, 2, 3, 4}


def test_digits_by_default_and_max_rows(capsys):
    assert run("--n-components", 2, "--max-rows", 200) == 0
    out, err = capsys.readouterr()
    assert err == (
        "sklearn-ae: Taking 200 of 1,797 rows at random; --max-rows 0 takes all.\n"
    )
    assert "digits: 200 rows, 64 columns, 10 classes" in out
    once = pd.read_csv("comparison/comparison.csv")
    assert run("digits", "--n-components", 2, "--max-rows", 200, "--output", "b") == 0
    again = pd.read_csv("b/comparison.csv")
    assert once["explained_variance"].equals(again["explained_variance"])
    again = ["--n-components", 2, "--max-rows", 200, "--random-state", 1]
    assert "comparison/comparison.csv is there already" in refused(capsys, *again)
    assert run(*again, "--force") == 0
    other = pd.read_csv("comparison/comparison.csv")
    assert not once["explained_variance"].equals(other["explained_variance"])


def test_max_rows_are_drawn_from_all():
    X = np.c_[np.arange(1000.0), np.arange(1000) % 7]
    np.save("x.npy", X)
    options = parser().parse_args(["compare", "x.npy", "--max-rows", "100"])
    drawn = command.load(options).X
    assert len(np.unique(drawn[:, 0])) == 100
    assert abs(drawn[:, 0].mean() - 500) < 100
    np.testing.assert_array_equal(drawn, X[drawn[:, 0].astype(int)])
    options.max_rows = 0
    np.testing.assert_array_equal(command.load(options).X, X)


def test_image_sets(capsys, monkeypatch):
    asked = []

    def load_images(name, data_dir):
        asked.append((name, str(data_dir)))
        rng = np.random.default_rng(0)
        return rng.random((100, 784), dtype=np.float32), np.arange(100) % 10

    monkeypatch.setattr(source, "load_images", load_images)
    assert (
        run("fashion-mnist", "--force", "--data-dir", "here", "--n-components", 2) == 0
    )
    assert asked == [("fashion-mnist", "here")]
    assert "100 rows, 784 columns, 10 classes" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("x.xlsx", "x", "x.xlsx cannot be read: "),
        ("x.what", bytes(range(256)), "x.what cannot be read: it is no text"),
        ("x.csv", "", "x.csv is empty"),
        ("x.csv", "a,b\n", "x.csv holds no rows"),
        ("x.csv", "\n\n", "x.csv cannot be read: No columns to parse"),
        ("x.csv", "a\n1\n2,3\n4,5,6\n", "x.csv cannot be read: Error tokenizing"),
        ("x.csv", 'a\n"1\n' + "2" * 200_000, "x.csv cannot be read: Error tokeniz"),
        ("x.csv", "a,b\nu,v\nw,x\ny,z", "x.csv has no column to learn from. Leaving "),
        ("x.csv", "a,b\n1,2\n", "x.csv leaves a single row"),
        ("x.csv", "a,b\n1,2\n1,2\n1,2\n", "Leaving out 2 columns: a, b (constant)"),
        ("x.csv", "a,b\n1,2\n3,4\n", "x.csv leaves 2 rows, too few for 5 folds"),
        ("x.csv", "a,b\n1,inf\n3,4\n", "x.csv holds infinite values in b;"),
        ("x.parquet", "no", "x.parquet cannot be read: "),
        (
            "x.pkl",
            b"\x80\x04\x95",
            "x.pkl cannot be read: it is a pickle, and reading ",
        ),
        ("x.json", '{"a": [1, 2], "b": 3, "c": [1]}', "it must hold a list of records"),
        ("x.csv", "a:b\n1:x\n2:y\n3:z\n", "say what stands between them (--sep)."),
        ("x.npy", "no", "x.npy cannot be read: "),
        (
            "x.npy",
            np.zeros(5),
            "cannot be read: it must hold one array of rows and col",
        ),
        ("x.npy", np.zeros((5, 2, 2)), "not shape (5, 2, 2)"),
        ("x.npy", np.array([[1, "a"]], dtype=object), "cannot be read: Object arrays"),
        ("x.npy", np.array([["a", "b"]]), "x.npy leaves a single row"),
        ("x.npy", np.ones((5, 2)) * 1j, "(complex numbers)"),
        ("x.npy", np.zeros((0, 2)), "x.npy holds no rows"),
    ],
)
def test_refusals_of_files(capsys, tmp_path, name, content, words):
    if isinstance(content, np.ndarray):
        np.save(name, content, allow_pickle=True)
    else:
        content = content if isinstance(content, bytes) else content.encode()
        (tmp_path / name).write_bytes(content)
    assert words in refused(capsys, name)


def test_refusals_of_paths(capsys, tmp_path):
    assert "nowhere.csv is neither a file nor a known data set (digits, mnist" in (
        refused(capsys, "nowhere.csv")
    )
    assert refused(capsys, tmp_path) == (
        f"{tmp_path} is a directory; name a file (.csv, .tsv, .txt, .xlsx, .ods, "
        ".parquet, .feather, .json, .npy, .npz, .arff, .sav, .dta, .gz, .zip)."
    )


def test_refusals_of_options(capsys, monkeypatch):
    IRIS.assign(one=1, row=[f"row {i}" for i in range(150)]).to_csv(
        "iris.csv", index=False
    )
    IRIS[["petal width (cm)"]].to_csv("one.csv", index=False)
    for arguments, words in (
        (
            ["iris.csv", "--target", "x"],
            "no column 'x' to be the target; it has sepal ",
        ),
        (
            ["one.csv", "--target", "petal width (cm)"],
            "no column to learn from besides the targe",
        ),
        (
            ["digits", "--target", "x"],
            "--target is for files; digits comes with its own",
        ),
        (["iris.csv", "--target", "one"], "--target one: it holds a single value, 1"),
        (["one.csv", "--n-components", 2, 3], "(2, 3) is above the limit of 1"),
        (["iris.csv", "--target", "row"], "none of its 150 values has 5 rows, one for"),
        (
            ["mnist", "--data-dir", "nowhere"],
            "nowhere/mnist/train-images-idx3-ubyte.gz",
        ),
        (
            ["iris.csv", "--output", "iris.csv"],
            "--output iris.csv cannot be written to:",
        ),
        (
            ["iris.csv", "--output", "iris.csv/x"],
            "cannot be written to: Not a directory",
        ),
    ):
        assert words in refused(capsys, *arguments)


def test_the_output_is_checked_before_the_work(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(command, "load", lambda options: pytest.fail("read the data"))
    (tmp_path / "file").write_text("")
    assert "--output file cannot be written to" in refused(capsys, "--output", "file")


@pytest.mark.parametrize(
    ("option", "value"),
    [("--cv", "1"), ("--n-components", "0"), ("--n-jobs", "0"), ("--max-rows", "-1")],
)
def test_numbers_out_of_range(capsys, option, value):
    with pytest.raises(SystemExit) as stop:
        cli.main(["compare", f"{option}={value}"])
    assert stop.value.code == 2
    assert f"argument {option}: must be " in capsys.readouterr().err


def test_a_failing_fit_is_one_sentence(capsys, monkeypatch):
    class Failing(PCA):
        def __init__(self, n_components=None, ordered=True):
            super().__init__(n_components)
            self.ordered = ordered

        def fit(self, X, y=None):
            raise ArithmeticError("no\nway")

    monkeypatch.setattr(command, "AutoencoderTransformer", Failing)
    assert run("--max-rows", 100) == 2
    assert capsys.readouterr().err.splitlines()[-1] == (
        "sklearn-ae: error: AutoencoderTransformer with n_components=1 failed in fold "
        "0: ArithmeticError: no way"
    )


def test_interrupted(capsys, monkeypatch):
    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "compare_reducers", interrupt)
    assert run() == 130
    assert capsys.readouterr().err == "sklearn-ae: interrupted.\n"


@pytest.mark.parametrize("missing", ["rich", "matplotlib"])
def test_missing_extra(capsys, monkeypatch, missing):
    for module in [name for name in sys.modules if name.partition(".")[0] == missing]:
        monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setitem(sys.modules, missing, None)
    assert refused(capsys) == (f"{missing} is not installed: {how_to_install('cli')}")


def test_missing_pyarrow(capsys, monkeypatch, tmp_path):
    def read_parquet(content, sheet):
        raise ImportError("Unable to find a usable engine")

    monkeypatch.setitem(_files.FORMATS, ".parquet", read_parquet)
    (tmp_path / "x.parquet").write_text("x")
    assert refused(capsys, "x.parquet") == (
        f"x.parquet needs pyarrow to be read: {how_to_install('cli')}"
    )


def test_version_and_help(capsys):
    for option, words in (("--version", sklearn_ae.__version__), ("--help", "compare")):
        with pytest.raises(SystemExit) as stop:
            cli.main([option])
        assert stop.value.code == 0
        assert words in capsys.readouterr().out


def test_the_real_thing_as_a_module():
    """Once from outside, with the real autoencoder."""
    IRIS.to_csv("iris.csv", index=False)
    done = subprocess.run(
        [
            *[sys.executable, "-m", "sklearn_ae", "compare", "iris.csv"],
            *["--target", "species", "--n-components", "1", "--cv", "2"],
            *["--n-jobs", "1", "--max-rows", "60"],
        ],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Wrote comparison/comparison.csv" in done.stdout
    assert "Taking 60 of 150 rows" in done.stderr
    assert "Traceback" not in done.stderr
    assert len(pd.read_csv("comparison/comparison.csv")) == 4
