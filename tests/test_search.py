"""AutoencoderTransformerCV: one fit a fold for all code sizes."""

import numpy as np
import pandas as pd
import pytest
from numpy.testing import assert_allclose, assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.metrics import f1_score
from sklearn.model_selection import GridSearchCV, KFold, StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from skorch.callbacks import Callback, EarlyStopping

from sklearn_ae import (
    AutoencoderTransformer,
    AutoencoderTransformerCV,
    DenoisingAutoencoder,
    VariationalAutoencoder,
)
from sklearn_ae.metrics import reconstruction_scorer

DIGITS, CLASSES = (array[:600] for array in load_digits(return_X_y=True))
# At this many epochs and without rows set aside each fit moves away from PCA.
PLAIN = AutoencoderTransformer(
    hidden_layer_sizes=(16,), max_iter=3, early_stopping=False, random_state=0
)
SIZES = (2, 5, 3)
CLASSIFIER = make_pipeline(StandardScaler(), LogisticRegression())


def search(**params):
    return AutoencoderTransformerCV(SIZES, **{"estimator": PLAIN, "cv": 3, **params})


@pytest.fixture(scope="module")
def fitted():
    return search().fit(DIGITS)


def test_scores_are_those_of_the_prefixes_of_one_fit_a_fold(fitted):
    results = fitted.cv_results_
    for i, (train, test) in enumerate(KFold(3).split(DIGITS)):
        model = clone(PLAIN).set_params(n_components=5, ordered=True)
        model.fit(DIGITS[train])
        expected = [model.score(DIGITS[test], n_components=k) for k in SIZES]
        assert_allclose(results[f"split{i}_test_score"], expected, rtol=1e-6)
    assert fitted.n_splits_ == 3


def test_results_have_the_layout_of_grid_search(fitted):
    grid = GridSearchCV(PLAIN, {"n_components": SIZES}, cv=3).fit(DIGITS)
    ours, theirs = pd.DataFrame(fitted.cv_results_), pd.DataFrame(grid.cv_results_)
    assert list(ours.columns) == list(theirs.columns)
    same = ["param_n_components", "params"]
    pd.testing.assert_frame_equal(ours[same], theirs[same])
    folds = ours.filter(like="split").to_numpy()
    assert_allclose(ours["mean_test_score"], folds.mean(axis=1))
    assert_allclose(ours["std_test_score"], folds.std(axis=1))
    assert ours["rank_test_score"][fitted.best_index_] == 1
    assert set(ours["rank_test_score"]) == {1, 2, 3}


def test_best_is_the_highest_mean_and_refitted_plainly(fitted):
    means = fitted.cv_results_["mean_test_score"]
    assert fitted.best_index_ == means.argmax()
    assert fitted.best_score_ == means.max()
    assert fitted.n_components_ == SIZES[means.argmax()] == 5
    plain = clone(PLAIN).set_params(n_components=5).fit(DIGITS)
    assert not fitted.best_estimator_.ordered
    codes = plain.transform(DIGITS)
    assert_array_equal(fitted.transform(DIGITS), codes)
    assert_array_equal(fitted.inverse_transform(codes), plain.inverse_transform(codes))
    assert fitted.score(DIGITS) == plain.score(DIGITS)
    assert_array_equal(fitted.score_samples(DIGITS), plain.score_samples(DIGITS))


def test_an_ordered_estimator_stays_ordered():
    model = search(estimator=clone(PLAIN).set_params(ordered=True)).fit(DIGITS)
    assert model.best_estimator_.truncate(1).n_components_ == 1


@pytest.mark.parametrize("spread", [0.001, 10.0])
def test_one_standard_error_takes_the_smallest_size_near_the_best(spread):
    shares = {2: 0.5, 3: 0.55, 5: 0.6}
    folds = iter(np.repeat([-1, 0, 1], 3))

    def scoring(model, X, y):
        return shares[model.n_components_] + spread * next(folds)

    model = search(scoring=scoring, rule="one_standard_error").fit(DIGITS)
    assert model.n_components_ == (5 if spread < 0.1 else 2)
    assert model.best_score_ == pytest.approx(shares[model.n_components_])


def test_rule_of_one_standard_error_by_hand():
    table = {2: [0.80, 0.84, 0.88], 3: [0.9, 0.94, 0.98], 5: [0.92, 0.96, 1.0]}
    # Mean 0.96, standard error 0.04 / sqrt(3) = 0.023: 0.94 is near enough.
    folds = {k: iter(scores) for k, scores in table.items()}
    model = search(
        scoring=lambda m, X, y: next(folds[m.n_components_]), rule="one_standard_error"
    )
    assert model.fit(DIGITS).n_components_ == 3


def test_ties_take_the_smallest_size():
    assert search(scoring=lambda *_: 1.0).fit(DIGITS).n_components_ == 2


def test_a_predictor_chooses_the_size():
    model = search(predictor=CLASSIFIER, scoring="f1_macro")
    model.fit(DIGITS, CLASSES)
    train, test = next(StratifiedKFold(3).split(DIGITS, CLASSES))
    ordered = clone(PLAIN).set_params(n_components=5, ordered=True).fit(DIGITS[train])
    codes = ordered.transform(DIGITS)[:, :2]
    predictor = clone(CLASSIFIER).fit(codes[train], CLASSES[train])
    expected = f1_score(CLASSES[test], predictor.predict(codes[test]), average="macro")
    assert_allclose(model.cv_results_["split0_test_score"][0], expected)
    assert model.n_components_ == 5


def test_a_regressor_and_string_classes():
    y = DIGITS[:, 20:30].sum(axis=1)
    model = search(predictor=Ridge()).fit(DIGITS, y)
    assert model.best_score_ > 0.5
    names = np.array(list("abcdefghij"), dtype=object)[CLASSES]
    model = search(predictor=CLASSIFIER).fit(DIGITS, list(names))
    assert model.best_score_ > 0.5


def test_a_scorer_is_given_the_autoencoder_of_each_size():
    model = search(scoring=reconstruction_scorer).fit(DIGITS)
    assert_allclose(
        model.cv_results_["mean_test_score"],
        search().fit(DIGITS).cv_results_["mean_test_score"],
        atol=0.05,
    )


def test_jobs_do_not_change_the_result(fitted):
    parallel = search(n_jobs=2).fit(DIGITS)
    for i in range(3):
        name = f"split{i}_test_score"
        # Fewer threads may add in another order.
        assert_allclose(parallel.cv_results_[name], fitted.cv_results_[name], rtol=1e-3)


def test_one_fit_a_fold(monkeypatch):
    fits = []
    fit = AutoencoderTransformer.fit

    def counted(self, X, y=None, groups=None):
        fits.append(self.n_components)
        return fit(self, X, y, groups=groups)

    monkeypatch.setattr(AutoencoderTransformer, "fit", counted)
    search().fit(DIGITS)
    assert fits == [5, 5, 5, 5]  # three folds, and the last


def test_without_refit():
    model = search(refit=False).fit(DIGITS)
    assert model.n_components_ == 5
    assert not hasattr(model, "best_estimator_")
    with pytest.raises(AttributeError, match=r"refit=False.*n_components_=5"):
        model.transform(DIGITS)


def test_frames_in_a_pipeline():
    X = load_iris(as_frame=True).data
    estimator = DenoisingAutoencoder(max_iter=0, random_state=0)
    model = make_pipeline(
        StandardScaler().set_output(transform="pandas"),
        AutoencoderTransformerCV([1, 2], estimator=estimator),
    ).fit(X)
    assert list(model[-1].feature_names_in_) == list(X.columns)
    assert list(model[-1].best_estimator_.feature_names_in_) == list(X.columns)
    scaled = StandardScaler().fit_transform(X)
    # Without an epoch it is PCA.
    expected = PCA(2).fit_transform(scaled)
    assert_allclose(np.abs(model.transform(X)), np.abs(expected), atol=1e-5)
    assert list(model.get_feature_names_out()) == [
        "autoencodertransformercv0",
        "autoencodertransformercv1",
    ]


@pytest.mark.parametrize(
    ("params", "y", "error", "message"),
    [
        ({"n_components": ()}, None, ValueError, "n_components must hold one or more"),
        ({"n_components": (2, 0)}, None, ValueError, "n_components must hold one or"),
        ({"n_components": (2, 0.5)}, None, ValueError, "n_components must hold one or"),
        (
            {"estimator": VariationalAutoencoder()},
            None,
            TypeError,
            "VariationalAutoencoder, whose codes follow a prior.*GridSearchCV",
        ),
        ({"estimator": PCA()}, None, ValueError, "'estimator' parameter"),
        ({"predictor": Ridge()}, None, ValueError, "predictor=.*needs a target"),
        ({"predictor": Ridge()}, np.ones(5), ValueError, "inconsistent numbers"),
        ({"rule": "elbow"}, None, ValueError, "'rule' parameter"),
        ({"scoring": lambda *_: np.nan}, None, ValueError, "no finite mean score"),
        ({"n_components": {}}, None, ValueError, "n_components must hold one or"),
        ({"scoring": "r2"}, None, ValueError, "scoring='r2' scores a predictor"),
        ({"cv": 1000}, None, ValueError, "n_splits=1000"),
    ],
)
def test_what_can_not_be_searched(params, y, error, message):
    model = search().set_params(**params)
    with pytest.raises(error, match=message):
        model.fit(DIGITS, y)
    with pytest.raises(NotFittedError):
        model.transform(DIGITS)


def test_a_failed_fit_leaves_the_last_one(fitted):
    model = clone(fitted).fit(DIGITS)
    codes = model.transform(DIGITS)
    model.set_params(n_components=(3, -1))
    with pytest.raises(ValueError, match="n_components"):
        model.fit(DIGITS[:, :10])
    assert_array_equal(model.transform(DIGITS), codes)
    assert model.n_features_in_ == 64


def test_random_state_seeds_the_fits():
    X = load_digits().data[:150]

    def codes(seed, own=None):
        estimator = AutoencoderTransformer(max_iter=1, init="random", random_state=own)
        search = AutoencoderTransformerCV(
            (1, 2), estimator=estimator, cv=2, random_state=seed
        )
        found = search.fit(X).transform(X)
        assert estimator.random_state is own
        return found

    np.testing.assert_array_equal(codes(0), codes(0))
    drawn = [codes(np.random.RandomState(3)) for _ in range(2)]
    np.testing.assert_array_equal(*drawn)
    assert not np.allclose(codes(0), codes(1))
    np.testing.assert_array_equal(codes(0, own=5), codes(1, own=5))


@pytest.mark.parametrize("sizes", ["many", None, {"a": 1}, 2.5, [], [0], [1, "2"]])
def test_sizes_must_be_numbers(sizes):
    with pytest.raises(ValueError, match="n_components must hold"):
        AutoencoderTransformerCV(sizes).fit(np.eye(30))


def test_an_estimator_in_the_place_of_sizes_is_told_where_it_belongs():
    with pytest.raises(TypeError, match="estimator="):
        AutoencoderTransformerCV(AutoencoderTransformer()).fit(np.eye(30))


class Counting(Callback):
    """Counts the epochs of all fits, in a list that copies share."""

    epochs_only = True
    seen: list = []  # noqa: RUF012

    def on_epoch_end(self, net, **kwargs):
        self.seen.append(net.module_)


def test_callbacks_are_those_of_every_fit():
    Counting.seen.clear()
    own = EarlyStopping(patience=50, monitor="train_loss")
    estimator = clone(PLAIN).set_params(callbacks=[own])
    search = AutoencoderTransformerCV(
        (1, 2), estimator=estimator, cv=2, callbacks=[Counting()]
    ).fit(DIGITS)
    epochs = estimator.max_iter
    assert len(Counting.seen) == 3 * epochs  # two folds, and all rows
    assert len(estimator.callbacks) == 1
    kinds = [type(one) for one in search.best_estimator_.callbacks]
    assert kinds == [EarlyStopping, Counting]
    with pytest.raises(TypeError, match="callbacks must hold skorch callbacks"):
        clone(search).set_params(callbacks=["loud"]).fit(DIGITS)
