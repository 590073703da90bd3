"""The command beyond its first answer: missing cells, groups, time, models."""

import io
import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris
from sklearn.decomposition import PCA, IncrementalPCA
from sklearn.model_selection import KFold, TimeSeriesSplit

pytest.importorskip("rich")
pytest.importorskip("matplotlib")
pytest.importorskip("safetensors")

from sklearn_ae import AutoencoderImputer, AutoencoderTransformer, load
from sklearn_ae import _command as cli
from sklearn_ae._command import compare as command
from sklearn_ae._command import model, printing, source
from sklearn_ae._extras import how_to_install

# Equal rows would stay on one side of each fold: the one pair of iris is told apart.
IRIS = load_iris(as_frame=True).frame.iloc[:, :4].set_axis(list("abcd"), axis=1)
IRIS.loc[142, "a"] += 0.01
KIND = np.array(["setosa", "versicolor", "virginica"])[load_iris().target]


@pytest.fixture(autouse=True)
def _quick_and_tidy(monkeypatch, tmp_path):
    monkeypatch.setattr(
        command, "AutoencoderTransformer", lambda ordered: IncrementalPCA()
    )
    monkeypatch.setattr(
        model, "AutoencoderTransformer", partial(AutoencoderTransformer, max_iter=20)
    )
    monkeypatch.setenv("COLUMNS", "104")
    monkeypatch.chdir(tmp_path)


def run(*arguments):
    return cli.main([str(argument) for argument in arguments])


def compare(*arguments):
    return run("compare", *arguments, "--n-jobs", 1)


def refused(capsys, *arguments):
    assert run(*arguments) == 2
    return capsys.readouterr().err.splitlines()[-1].removeprefix("sklearn-ae: error: ")


def holes(share=0.1, seed=0):
    frame = IRIS.copy()
    return frame.mask(np.random.default_rng(seed).random(frame.shape) < share)


@pytest.fixture
def factors(monkeypatch):
    """An imputer that takes no time."""
    imputer = partial(AutoencoderImputer, max_iter=0)
    monkeypatch.setattr(source, "AutoencoderImputer", imputer)


@pytest.mark.parametrize("way", ["mean", "impute"])
def test_missing_cells_are_filled_in_each_fold_and_not_measured(way, factors):
    frame = holes()
    frame.to_csv("x.csv", index=False)
    assert compare("x.csv", "--n-components", 2, "--cv", 3, "--missing", way) == 0
    written = pd.read_csv("comparison/comparison.csv").query("reducer == 'PCA'")
    X = frame.to_numpy()
    rng = np.random.RandomState(0)
    for fold, (train, test) in enumerate(
        KFold(3, shuffle=True, random_state=rng).split(X)
    ):
        mean = np.nanmean(X[train], axis=0)
        filled = np.where(np.isnan(X), mean, X)
        if way == "impute":
            imputer = AutoencoderImputer(max_iter=0, random_state=0).fit(X[train])
            filled = imputer.transform(X)
        pca = PCA(2).fit(filled[train])
        back = pca.inverse_transform(pca.transform(filled[test]))
        errors = np.nansum((X[test] - back) ** 2)
        share = 1 - errors / np.nansum((X[test] - mean) ** 2)
        line = written.iloc[fold]
        np.testing.assert_allclose(line["explained_variance"], share)
        n_cells = np.sum(~np.isnan(X[test]))
        np.testing.assert_allclose(line["mse"], errors / n_cells)


def test_the_share_filled_is_in_the_report():
    holes().to_csv("x.csv", index=False)
    assert compare("x.csv", "--n-components", 1, "--cv", 2, "--report", "x.html") == 0
    with open("x.html", encoding="utf-8") as file:
        text = file.read()
    assert f"{holes().isna().to_numpy().mean():.1%} of cells missing" in text
    assert "filled in each fold by the means of its training rows" in text


def test_the_report_says_what_fills(factors):
    holes().to_csv("x.csv", index=False)
    arguments = ["--n-components", 1, "--cv", 2, "--report", "x.html"]
    assert compare("x.csv", *arguments, "--missing", "impute") == 0
    text = Path("x.html").read_text(encoding="utf-8")
    assert "by AutoencoderImputer, fitted to its training rows" in text


def test_time(capsys, monkeypatch):
    asked = []

    def reducer(**params):
        asked.append(params)
        return IncrementalPCA()

    monkeypatch.setattr(command, "AutoencoderTransformer", reducer)
    IRIS.to_csv("x.csv", index=False)
    assert compare("x.csv", "--time", "--n-components", 1, "--cv", 3) == 0
    assert asked == [{"ordered": True, "validation_rows": "last"}]
    written = pd.read_csv("comparison/comparison.csv").query("reducer == 'PCA'")
    X = IRIS.to_numpy()
    for fold, (train, test) in enumerate(TimeSeriesSplit(3, gap=2).split(X)):
        pca = PCA(1).fit(X[train])
        back = pca.inverse_transform(pca.transform(X[test]))
        total = np.sum((X[test] - X[train].mean(axis=0)) ** 2)
        share = 1 - np.sum((X[test] - back) ** 2) / total
        np.testing.assert_allclose(written["explained_variance"].iloc[fold], share)
    IRIS.assign(kind=KIND).to_csv("y.csv", index=False)
    sentence = refused(
        capsys, "compare", "y.csv", "--time", "--target", "kind", "--output", "y"
    )
    assert sentence.startswith("--time: the first 23 rows have a single value of --tar")


def test_groups_are_handed_on(capsys, monkeypatch):
    asked = []

    def compare_reducers(reducers, X, y, *, cv, groups=None, **more):
        asked.append((cv, groups, X.shape))
        raise RuntimeError("enough")

    monkeypatch.setattr(command, "compare_reducers", compare_reducers)
    IRIS.assign(who=np.arange(150) % 7).to_csv("x.csv", index=False)
    assert refused(capsys, "compare", "x.csv", "--group", "who") == "enough"
    (cv, groups, shape), *_ = asked
    assert (cv, shape) == (5, (150, 4))
    np.testing.assert_array_equal(groups, np.arange(150) % 7)
    IRIS.assign(who=np.arange(150) % 3).to_csv("x.csv", index=False)
    sentence = refused(capsys, "compare", "x.csv", "--group", "who")
    assert sentence == "--group who has 3 groups, too few for 5 folds (--cv)."


def test_warnings_advise_the_commands_options(capsys):
    walk = np.random.default_rng(0).normal(size=(150, 4)).cumsum(axis=0)
    np.save("x.npy", walk)
    assert compare("x.npy", "--n-components", 1) == 0
    err = capsys.readouterr().err
    assert "The rows are in order" in err
    assert "name what belongs together by --group" in err
    assert "to judge by later rows only, say --time" in err
    copies = np.repeat(IRIS.to_numpy()[::5], 10, axis=0)
    copies += np.random.default_rng(0).normal(scale=1e-4, size=copies.shape)
    np.save("x.npy", copies[np.random.default_rng(1).permutation(len(copies))])
    assert compare("x.npy", "--n-components", 1, "--force") == 0
    err = capsys.readouterr().err
    assert "Say by --group which rows belong together." in err
    assert " X " not in err
    assert "cv=" not in err


def test_json(capsys):
    IRIS.assign(kind=KIND).to_csv("x.csv", index=False)
    assert compare("x.csv", "--target", "kind", "--n-components", 1, "--json") == 0
    found = json.loads(capsys.readouterr().out)
    written = pd.read_csv("comparison/comparison.csv")
    lines = pd.DataFrame(found["results"])
    np.testing.assert_allclose(
        lines["explained_variance"], written["explained_variance"]
    )
    assert found["summary"][0]["verdict"] == "no clear difference"
    assert found["title"] == "x.csv: 150 rows, 4 columns, 3 classes"
    assert found["written"] == [
        "comparison/comparison.csv",
        "comparison/comparison.png",
    ]


@pytest.mark.parametrize("columns", [80, 104])
def test_nothing_breaks_in_a_terminal(columns):
    results = pd.DataFrame(
        {
            "reducer": ["PCA", "PCA", command.OURS, command.OURS],
            "n_components": 16,
            "fold": [0, 1, 0, 1],
            "n_train": 50,
            "n_test": 50,
            "explained_variance": [0.1, 0.3, 0.9, 0.2],
            "knn_score": 0.5,
            "fit_seconds": 123.4,
        }
    )
    summary = command.summarize(results)
    printed = printing.console()
    printed.width, printed.file = columns, io.StringIO()
    table = printing.cells(results, summary, "accuracy")
    printed.print(printing.rich_table(*table, results, columns))
    lines = printed.file.getvalue().splitlines()
    assert max(map(len, lines)) <= columns
    line = next(line for line in lines if "Autoencoder" in line)
    row = summary.iloc[0]
    interval = f"+35.00 [{100 * row['low']:+.2f}, +80.00]"  # PCA leaves 80 %
    assert interval in line
    assert "no clear difference" in line
    assert ("123.400" in line) == (columns == 104)


def test_separate_is_suggested_before_pca_is_kept(capsys, monkeypatch):
    untrained = partial(AutoencoderTransformer, max_iter=0)
    monkeypatch.setattr(command, "AutoencoderTransformer", untrained)
    IRIS.to_csv("x.csv", index=False)
    assert compare("x.csv", "--n-components", 1) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert 0 < out.index("--separate") < out.index("keep PCA.")
    assert compare("x.csv", "--n-components", 1, "--force", "--separate") == 0
    assert "--separate" not in capsys.readouterr().out


def test_targets_in_the_commands_own_words(capsys):
    frame = IRIS.assign(kind=KIND, rare=KIND, row=np.arange(150))
    frame.loc[0, "rare"] = "albino"
    frame.loc[5:8, "kind"] = None
    frame.to_csv("x.csv", index=False)
    assert compare("x.csv", "--target", "rare", "--n-components", 1) == 0
    err = capsys.readouterr().err
    assert (
        "--target rare: classes with fewer rows than the 5 folds (--cv) are not in all "
        "of them: albino (1)." in err
    )
    assert "least populated" not in err
    more = ["--n-components", 1, "--force"]
    assert compare("x.csv", "--target", "kind", *more) == 0
    assert "Leaving out 4 of 150 rows: without a target." in capsys.readouterr().err
    sentence = refused(capsys, "compare", "x.csv", "--target", "row", "--force")
    assert sentence == "--target row numbers the rows: nothing to predict."


def test_standard_input(capsys, monkeypatch):
    content = IRIS.to_csv(index=False, sep=";").encode()
    stdin = io.TextIOWrapper(io.BytesIO(content))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert compare("-", "--n-components", 1) == 0
    out, err = capsys.readouterr()
    assert "standard input: 150 rows, 4 columns" in out
    assert "Reading standard input with cells between semicolons." in err


def test_options_of_the_file(capsys):
    IRIS.assign(e=-9).to_csv("x.csv", index=False)
    arguments = ["--columns", "a:c", "e", "--drop", "b", "--na", "-9", "--no-scale"]
    assert compare("x.csv", *arguments, "--n-components", 1) == 0
    out, err = capsys.readouterr()
    assert "150 rows, 2 columns" in out
    assert "Leaving out 1 column: e (no values)." in err


# Models in folders.


MIXED = IRIS.assign(kind=KIND, day=pd.date_range("2020-01-01", periods=150))


def fitted(capsys, frame=MIXED, *arguments):
    frame.to_csv("x.csv", index=False)
    arguments = ["--n-components", 2, "--output", "m", *arguments]
    assert run("fit", "x.csv", *arguments) == 0
    return capsys.readouterr().out


def encoded(frame, like=MIXED):
    """The matrix that the network reads, from the numbers alone."""
    numbers = (frame[list("abcd")] - like[list("abcd")].mean()) / like[
        list("abcd")
    ].std(ddof=0)
    one_hot = [(frame["kind"] == k).astype(float) for k in sorted(set(KIND))]
    all_hot = np.array([like["kind"] == k for k in sorted(set(KIND))], dtype=float)
    unit = np.sqrt(all_hot.var(axis=1).sum())
    one_hot = (np.array(one_hot) - all_hot.mean(axis=1)[:, None]) / unit
    return np.c_[numbers, one_hot.T]


def test_fit_and_apply(capsys):
    out = fitted(capsys)
    assert sorted(map(str, Path("m").iterdir())) == [
        "m/autoencoder.safetensors",
        "m/reading.json",
    ]
    autoencoder = load("m/autoencoder.safetensors")
    Z = encoded(MIXED)
    back = autoencoder.inverse_transform(autoencoder.transform(Z))
    share = 1 - np.sum((Z - back) ** 2) / np.sum((Z - Z.mean(axis=0)) ** 2)
    assert f"{share:.2%} of the variance of these rows explained" in out

    # A new file: fewer rows, another order of columns, a stranger among them.
    new = MIXED.iloc[::7, ::-1].assign(more=1)
    new.to_csv("new.csv", index=False)
    Z, back = encoded(new), back[::7]
    assert run("transform", "m", "new.csv", "--output", "codes.csv") == 0
    codes = pd.read_csv("codes.csv")
    assert list(codes) == ["code0", "code1"]
    np.testing.assert_allclose(codes, autoencoder.transform(Z), atol=1e-5)
    assert run("score", "m", "new.csv", "--json", "--output", "errors.csv") == 0
    found = json.loads(capsys.readouterr().out.splitlines()[-1])
    mean = encoded(MIXED).mean(axis=0)
    share = 1 - np.sum((Z - back) ** 2) / np.sum((Z - mean) ** 2)
    np.testing.assert_allclose(found["explained_variance"], share, rtol=1e-5)
    np.testing.assert_allclose(
        pd.read_csv("errors.csv")["squared_error"],
        np.sum((Z - back) ** 2, axis=1),
        rtol=1e-4,
    )
    assert run("reconstruct", "m", "new.csv", "--output", "back.csv") == 0
    table = pd.read_csv("back.csv")
    assert list(table) == [*"abcd", "kind"]
    expected = back[:, :4] * IRIS.std(ddof=0).to_numpy() + IRIS.mean().to_numpy()
    np.testing.assert_allclose(table[list("abcd")], expected, rtol=1e-4)
    assert (table["kind"] == new["kind"].to_numpy()).mean() > 0.8


def test_new_files_with_holes_and_strangers(capsys):
    frame = holes()
    fitted(capsys, frame)
    new = frame.iloc[:5].copy()
    new.iloc[0] = np.nan  # a row without any value keeps its place
    new.to_csv("new.csv", index=False)
    assert run("score", "m", "new.csv", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    autoencoder = load("m/autoencoder.safetensors")
    mean = frame.mean().to_numpy()
    X = new.to_numpy()
    filled = np.where(np.isnan(X), mean, X)
    back = autoencoder.inverse_transform(autoencoder.transform(filled))
    share = 1 - np.nansum((X - back) ** 2) / np.nansum((X - mean) ** 2)
    assert found["rows"] == 5
    np.testing.assert_allclose(found["explained_variance"], share, rtol=1e-6)


def test_a_model_that_fills_by_an_imputer(capsys, factors):
    frame = holes()
    fitted(capsys, frame, "--missing", "impute", "--scale")
    new = frame.iloc[:20]
    new.to_csv("new.csv", index=False)
    assert run("score", "m", "new.csv", "--json", "--output", "errors.csv") == 0
    share = json.loads(capsys.readouterr().out)["explained_variance"]
    X = ((frame - frame.mean()) / frame.std(ddof=0)).to_numpy()
    imputer = AutoencoderImputer(max_iter=0, random_state=0).fit(X)
    autoencoder = load("m/autoencoder.safetensors")
    back = autoencoder.reconstruct(imputer.transform(X[:20]))
    errors = np.nansum((X[:20] - back) ** 2, axis=1)
    np.testing.assert_allclose(
        pd.read_csv("errors.csv")["squared_error"], errors, rtol=1e-4
    )
    np.testing.assert_allclose(share, 1 - errors.sum() / np.nansum(X[:20] ** 2))
    Path("m/imputer.safetensors").rename("mine")
    assert refused(capsys, "score", "m", "new.csv") == (
        "m cannot be read: imputer.safetensors is not there."
    )
    # Means instead, in the same folder, leave no imputer behind.
    Path("mine").rename("m/imputer.safetensors")
    fitted(capsys, frame, "--force")
    assert not Path("m/imputer.safetensors").exists()
    assert json.loads(Path("m/reading.json").read_text())["format"] == 1


def test_missing_extra_is_told_before_the_work(capsys, monkeypatch):
    IRIS.to_csv("x.csv", index=False)
    monkeypatch.setitem(sys.modules, "safetensors", None)
    monkeypatch.setattr(model, "read", lambda options: pytest.fail("read the data"))
    assert refused(capsys, "fit", "x.csv", "--n-components", 1, "--output", "m") == (
        f"safetensors is not installed: {how_to_install('cli')}"
    )


def test_a_stranger_among_the_categories(capsys):
    fitted(capsys)
    new = MIXED.iloc[:3].copy()
    new.loc[1, "kind"] = "rosea"
    new.to_csv("new.csv", index=False)
    assert run("transform", "m", "new.csv", "--output", "codes.csv") == 0
    assert "kind has values that fit did not see (rosea): they count as missing" in (
        capsys.readouterr().err
    )
    Z = encoded(new)
    Z[1, 4:] = encoded(MIXED).mean(axis=0)[4:]
    codes = load("m/autoencoder.safetensors").transform(Z)
    np.testing.assert_allclose(pd.read_csv("codes.csv"), codes, atol=1e-5)


def test_dates_come_back_as_dates(capsys):
    fitted(capsys, MIXED, "--dates")
    assert run("reconstruct", "m", "x.csv", "--output", "back.csv") == 0
    day = pd.to_datetime(pd.read_csv("back.csv")["day"])
    assert (abs(day - MIXED["day"]) < pd.Timedelta(days=60)).mean() > 0.8


def test_decimal_commas_and_no_header(capsys):
    """What one line cannot tell is known from the first file."""
    IRIS.to_csv("x.csv", index=False, header=False, sep=";", decimal=",")
    assert run("fit", "x.csv", "--n-components", 2, "--output", "m") == 0
    IRIS.iloc[:1].to_csv("new.csv", index=False, header=False, sep=";", decimal=",")
    assert run("transform", "m", "new.csv", "--output", "codes.csv") == 0
    codes = load("m/autoencoder.safetensors").transform(IRIS.to_numpy()[:1])
    np.testing.assert_allclose(pd.read_csv("codes.csv"), codes, rtol=1e-5)


def test_refusals_of_models(capsys, tmp_path):
    fitted(capsys)
    apply = ["transform", "m", "new.csv", "--output", "codes.csv"]
    MIXED.rename(columns={"a": "A", "b": "B"}).to_csv("new.csv", index=False)
    assert refused(capsys, *apply) == (
        "new.csv lacks 2 of the model's columns: a, b. It has instead: A, B, day."
    )
    assert "m/reading.json is there already; name another, or overwr" in refused(
        capsys, "fit", "x.csv", "--n-components", 2, "--output", "m"
    )
    assert refused(capsys, "fit", "x.csv", "--n-components", 8, "--output", "n") == (
        "--n-components 8 is above the limit of 7, the smaller of 150 rows and 7 "
        "columns."
    )
    assert refused(capsys, "fit", "digits", "--n-components", 2, "--output", "n") == (
        "fit is for files; digits is for compare."
    )
    (tmp_path / "codes.csv").write_text("mine")
    assert "--output codes.csv: codes.csv is there already" in refused(capsys, *apply)
    assert (tmp_path / "codes.csv").read_text() == "mine"
    MIXED.to_csv("new.csv", index=False)
    assert run(*apply, "--force") == 0
    assert refused(capsys, "score", ".", "new.csv").startswith(
        ". is no model, a folder"
    )
    path = tmp_path / "m" / "reading.json"
    content = json.loads(path.read_text())
    for damage, said in (
        ({"format": 3}, "m cannot be read: it was written by a newer sklearn-ae."),
        ({"fill": [1.0]}, "m cannot be read: it is damaged: "),
        ({"encoder": {}}, "m cannot be read: "),
        ({"reading": {"kinds": 3, "more": 1}}, "m cannot be read: "),
    ):
        path.write_text(json.dumps(content | damage))
        assert refused(capsys, "score", "m", "new.csv").startswith(said)
    path.write_text("{")
    assert refused(capsys, "score", "m", "new.csv").startswith("m cannot be read: ")


@pytest.mark.parametrize(
    "arguments", [["--version"], ["--help"], ["fit", "--help"], ["compare", "nope.csv"]]
)
def test_answers_at_once(arguments):
    """Nothing that takes long is imported before the arguments are right."""
    code = (
        "import sys\nfrom sklearn_ae._command import main\n"
        f"try: main({arguments})\nexcept SystemExit: pass\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {"torch", "sklearn", "pandas", "numpy", "rich", "matplotlib"}


def test_impute(capsys):
    mixed = MIXED[[*"abcd", "kind"]]
    gone = np.random.default_rng(1).random(mixed.shape) < 0.1
    frame = mixed.mask(gone)
    frame.to_csv("x.csv", index=False)
    assert run("impute", "x.csv", "--output", "whole.csv") == 0
    out = capsys.readouterr().out
    assert f"filled {gone.sum()} of {gone.size} cells: a ({gone[:, 0].sum()})" in out
    whole = pd.read_csv("whole.csv")
    assert list(whole) == list(mixed)
    assert whole.notna().all(axis=None)
    there = frame.notna()
    pd.testing.assert_frame_equal(whole.where(there), frame.where(there))
    wrong = whole[list("abcd")] - mixed[list("abcd")]
    means = frame[list("abcd")].mean() - mixed[list("abcd")]
    hidden = gone[:, :4]
    error = np.abs(wrong / IRIS.std()).to_numpy()[hidden].mean()
    assert error < 0.6 * np.abs(means / IRIS.std()).to_numpy()[hidden].mean()
    kinds = gone[:, 4]
    assert (whole["kind"] == mixed["kind"])[kinds].mean() > 0.7
