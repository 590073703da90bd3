import copy
import pickle
import subprocess
import sys

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from sklearn_ae import AutoencoderTransformer, DenoisingAutoencoder
from sklearn_ae.callbacks import TensorBoard
from sklearn_ae.metrics import reconstruction_scorer

X, y = load_digits(return_X_y=True)
X, y = X[:300], y[:300]


def autoencoder(*callbacks, **params):
    params = {"max_iter": 4, "random_state": 0, **params}
    return AutoencoderTransformer(2, callbacks=list(callbacks), **params)


# -- verbose --


@pytest.mark.parametrize("params", [{"max_iter": 3}, {"tol": 0.9}, {}])
def test_verbose_prints_a_line_for_each_epoch_and_zero_prints_none(capsys, params):
    params = {"max_iter": 40, "n_iter_no_change": 2, **params}
    model = autoencoder(verbose=1, **params).fit(X)
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 2 + model.n_iter_  # a header and its rule
    assert [int(line.split()[0]) for line in lines[2:]] == (
        list(range(1, model.n_iter_ + 1))
    )
    assert len(model.net_.history) == model.n_iter_
    autoencoder(**params).fit(X)
    done = capsys.readouterr()
    assert (done.out, done.err) == ("", "")


# -- scikit-learn's own callbacks, from 1.9 on --


class Recorder:
    """A callback of scikit-learn's kind that notes what it is told."""

    max_propagation_depth = None

    def __init__(self, last=None):
        self.last = last
        self.told = []

    def setup(self, estimator, context):
        self.told.append("setup")

    def teardown(self, estimator, context):
        self.told.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.told.append(("begin", context.task_name, context.max_subtasks))

    def on_fit_task_end(self, estimator, context, *, X=None, fitted_estimator=None):
        score = fitted_estimator.score(X)
        self.told.append(("end", context.task_name, score))
        return context.task_name == "epoch" and context.task_id + 1 == self.last


@pytest.fixture
def callback():
    return pytest.importorskip("sklearn.callback")


def test_callbacks_are_told_of_each_epoch_and_the_model_in_it(callback):
    recorder = Recorder()
    model = autoencoder().set_callbacks(recorder).fit(X)
    setup, begin, *epochs, end, teardown = recorder.told
    assert (setup, begin, teardown) == ("setup", ("begin", "fit", 4), "teardown")
    assert [told[:2] for told in epochs] == [("begin", "epoch"), ("end", "epoch")] * 4
    scores = [told[2] for told in epochs[1::2]]
    assert len(set(scores)) == 4
    assert end == ("end", "fit", model.score(X))
    assert model.net_.quick_
    np.testing.assert_array_equal(model.transform(X), autoencoder().fit(X).transform(X))
    del model._skl_callbacks
    assert len(pickle.dumps(model)) < 1.1 * len(pickle.dumps(autoencoder().fit(X)))


def test_a_callback_may_end_the_fit_and_a_failure_is_cleaned_up(callback):
    recorder = Recorder(last=2)
    model = autoencoder().set_callbacks(recorder).fit(X)
    assert model.n_iter_ == 2
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full((9, 9), np.nan))
    assert recorder.told[-2:] == ["setup", "teardown"]
    assert not hasattr(model, "_callback_fit_ctx")
    assert model.n_iter_ == 2
    model.partial_fit(X)  # of which they are not told
    assert recorder.told[-1] == "teardown"


def test_progress_bar_and_scores_through_pipeline_and_search(callback, capsys):
    pytest.importorskip("rich")
    monitor = callback.ScoringMonitor(scoring={"share": reconstruction_scorer})
    model = autoencoder().set_callbacks(monitor)
    name = "autoencodertransformer__max_iter"
    pipe = make_pipeline(StandardScaler(), model)
    search = GridSearchCV(pipe, {name: [1, 2]}, cv=2, error_score="raise")
    search.set_callbacks(callback.ProgressBar(max_propagation_depth=None)).fit(X)
    bars = capsys.readouterr().out
    assert "AutoencoderTransformer - fit" in bars
    model.fit(X)
    scores = monitor.get_logs().data_as_pandas["share"]
    assert len(scores) == 5  # four epochs, and the fit
    assert scores.iloc[0] == pytest.approx(model.score(X))
    assert scores.nunique() >= 4


# -- TensorBoard --


@pytest.fixture
def read():
    """What a fit wrote."""
    pytest.importorskip("tensorboard")
    pytest.importorskip("matplotlib")
    from tensorboard.backend.event_processing import event_accumulator

    def read(folder):
        sizes = {event_accumulator.IMAGES: 0, event_accumulator.HISTOGRAMS: 0}
        return event_accumulator.EventAccumulator(str(folder), sizes).Reload()

    return read


def test_losses_pictures_histograms_and_projector(read, tmp_path):
    from matplotlib.image import imread

    board = TensorBoard(tmp_path, X=X[:64], y=y[:64], every=2)
    model = autoencoder(board).fit(X)
    assert board.run_ == tmp_path / "fit-1"
    events = read(board.run_)
    for tag, curve in (
        ("loss/train", model.loss_curve_),
        ("loss/validation", model.validation_loss_curve_),
    ):
        scalars = events.Scalars(tag)
        assert [scalar.step for scalar in scalars] == [1, 2, 3, 4]
        np.testing.assert_allclose([s.value for s in scalars], curve, rtol=1e-5)
    assert len(events.Scalars("learning rate")) == 4
    # Pictures of the start, of every second epoch, and of what was kept.
    for part in ("train", "validation"):
        drawn = events.Images(f"reconstructions/{part}")
        assert [picture.step for picture in drawn] == [0, 2, 4]
        assert len({picture.encoded_image_string for picture in drawn}) == 3
        (kept,) = events.Images(f"kept reconstructions/{part}")
        path = tmp_path / "x.png"
        path.write_bytes(kept.encoded_image_string)
        assert imread(path)[..., :3].std() > 0.1
    assert [h.step for h in events.Histograms("code/unit 1")] == [0, 2, 4]
    codes = model.transform(X[:64])
    (histogram,) = events.Histograms("kept code/unit 1")
    value = histogram.histogram_value
    assert value.num == 64
    np.testing.assert_allclose(
        [value.min, value.max, value.sum],
        [codes[:, 1].min(), codes[:, 1].max(), codes[:, 1].sum()],
        rtol=1e-3,
    )
    folder = board.run_ / "00004" / "codes"
    written = np.loadtxt(folder / "tensors.tsv", delimiter="\t")
    np.testing.assert_allclose(written, codes, rtol=1e-3, atol=1e-3)
    assert (folder / "metadata.tsv").read_text().split() == y[:64].astype(str).tolist()
    assert imread(folder / "sprite.png").shape[:2] == (64, 64)  # 8 by 8 digits


def test_pictures_are_of_the_data_and_of_the_model_as_it_is(
    read, tmp_path, monkeypatch
):
    seen = []

    class Display:
        @staticmethod
        def from_predictions(X, X_reconstructed, **options):
            seen.append((X, X_reconstructed))

    monkeypatch.setattr("sklearn_ae.callbacks.ReconstructionDisplay", Display)
    shifted = 100 + 3 * X
    for bounded in ({}, {"noise": "masking"}, {"loss": "binary_cross_entropy"}):
        seen.clear()
        data = X / 16 if "loss" in bounded else shifted
        model = autoencoder(TensorBoard(tmp_path, n_samples=5), **bounded).fit(data)
        for rows, _ in seen:  # the start and what was kept; training and validation
            distances = np.abs(data[:, None] - rows).max(axis=2)
            assert (distances.min(axis=0) < 1e-4).all()
            assert len(rows) == 5
        for rows, reconstructed in seen[2:]:
            np.testing.assert_allclose(
                reconstructed, model.reconstruct(rows), rtol=1e-4, atol=1e-4
            )
        assert len(seen) == 4
        assert not (seen[0][0][:, None] == seen[1][0]).all(axis=2).any()


def test_it_changes_nothing_and_leaves_nothing_open(read, tmp_path):
    board = TensorBoard(tmp_path)
    with_it = autoencoder(board, verbose=0).fit(X)
    without = autoencoder().fit(X)
    np.testing.assert_array_equal(with_it.transform(X), without.transform(X))
    assert with_it.net_.quick_
    again = pickle.loads(pickle.dumps(with_it))
    np.testing.assert_array_equal(again.transform(X), without.transform(X))
    copy.deepcopy(with_it).fit(X)
    fresh = clone(with_it)
    assert not hasattr(fresh.callbacks[0], "run_")
    assert fresh.callbacks[0].log_dir == tmp_path
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fit-1", "fit-2"]
    # No validation rows, no labels: training rows are shown.
    autoencoder(board, early_stopping=False).fit(X)
    assert board.run_.name == "fit-3"
    assert "reconstructions/validation" not in read(board.run_).Tags()["images"]


def test_in_a_search_each_fit_has_its_folder(read, tmp_path):
    board = TensorBoard(tmp_path, X=StandardScaler().fit_transform(X)[:20], y=y[:20])
    pipe = make_pipeline(StandardScaler(), autoencoder(board, max_iter=1))
    name = "autoencodertransformer__n_components"
    GridSearchCV(pipe, {name: [2]}, cv=2, error_score="raise").fit(X)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["fit-1", "fit-2", "fit-3"]


def test_partial_fit_goes_on_in_one_folder(read, tmp_path):
    board = TensorBoard(tmp_path, every=1)
    model = autoencoder(board)
    for _ in range(3):
        model.partial_fit(X)
    assert [p.name for p in tmp_path.iterdir()] == ["fit-1"]
    scalars = read(board.run_).Scalars("loss/train")
    assert [scalar.step for scalar in scalars] == [1, 2, 3]
    np.testing.assert_allclose([s.value for s in scalars], model.loss_curve_, rtol=1e-5)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_curves_for_rows_that_are_no_images_and_a_loss_that_runs_away(read, tmp_path):
    board = TensorBoard(tmp_path, every=1)
    DenoisingAutoencoder(3, callbacks=[board], max_iter=2).fit(X[:, :5])
    assert len(read(board.run_).Images("reconstructions/train")) == 3
    runaway = autoencoder(board, learning_rate_init=1e30, learning_rate="constant")
    runaway.fit(X)
    events = read(board.run_)
    assert len(events.Scalars("loss/train")) == runaway.n_iter_
    assert events.Images("kept reconstructions/train")


def test_bad_arguments_are_refused_before_anything_is_written(tmp_path):
    pytest.importorskip("tensorboard")
    for params, words in (
        ({"y": y}, "y labels the rows of X: give X too"),
        ({"X": X[:, :3]}, "X of TensorBoard must have the 64 columns"),
        ({"X": X, "y": y[:3]}, "inconsistent numbers of samples"),
        ({"every": 0}, "every == 0, must be >= 1"),
        ({"image_shape": (7, 7)}, "image_shape must be"),
    ):
        model = autoencoder(TensorBoard(tmp_path / "runs", **params))
        with pytest.raises(ValueError, match=words):
            model.fit(X)
        assert not hasattr(model, "net_")
        assert not (tmp_path / "runs").exists()


def test_without_tensorboard_one_sentence(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ImportError, match=r"pip install .*\[tensorboard\]"):
        autoencoder(TensorBoard(tmp_path)).fit(X)


def test_importing_the_callbacks_loads_neither_tensorboard_nor_matplotlib():
    code = (
        "import sys, sklearn_ae.callbacks\n"
        "assert not {'tensorboard', 'matplotlib'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
