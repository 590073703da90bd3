"""What skorch's own callbacks and methods see of our nets."""

import numpy as np
import pytest
import torch
from numpy.testing import assert_allclose
from sklearn.base import clone
from sklearn.datasets import load_digits
from sklearn.metrics import r2_score
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import (
    BatchScoring,
    EarlyStopping,
    EpochScoring,
    Freezer,
    InputShapeSetter,
    LRScheduler,
)

from sklearn_ae import (
    AdversarialAutoencoder,
    AutoencoderTransformer,
    VariationalAutoencoder,
)
from sklearn_ae._engine.losses import LOSSES, OUTPUTS

X = load_digits().data[:300] / 16
SHORT = {"hidden_layer_sizes": (16,), "max_iter": 2, "random_state": 0}
MODELS = [
    *(AutoencoderTransformer(3, loss=loss, **SHORT) for loss in LOSSES),
    *(
        AutoencoderTransformer(3, out_activation=output, **SHORT)
        for output in OUTPUTS
        if output != "auto"
    ),
    AutoencoderTransformer(3, ordered=True, **SHORT),
    AutoencoderTransformer(3, penalty="l1", **SHORT),
    VariationalAutoencoder(3, **SHORT),
    VariationalAutoencoder(3, loss="binary_cross_entropy", **SHORT),
    AdversarialAutoencoder(3, **SHORT),
]


@pytest.mark.parametrize("model", MODELS)
def test_the_net_predicts_reconstructions(model):
    model = clone(model).fit(X)
    scaling = model._fitted.codec.scaling
    rows = scaling.apply(X, np.float32)
    for predicted in (model.net_.predict(rows), model.net_.predict_proba(rows)):
        assert predicted.shape == X.shape
        assert_allclose(scaling.undo(predicted), model.reconstruct(X), atol=1e-5)


class Noted(EpochScoring):
    """Notes what a scorer is given."""

    def _scoring(self, net, X_test, y_test):
        self.seen_ = np.asarray(y_test), net.predict(X_test)
        return r2_score(*self.seen_)


@pytest.mark.parametrize("use_caching", [True, False])
@pytest.mark.parametrize("on_train", [True, False])
@pytest.mark.parametrize("loss", ["squared_error", "binary_cross_entropy"])
def test_scorers_see_reconstructions(loss, on_train, use_caching):
    scoring = Noted("r2", name="r2", on_train=on_train, use_caching=use_caching)
    batch = BatchScoring("r2", name="batch_r2", on_train=on_train)
    model = AutoencoderTransformer(3, loss=loss, callbacks=[scoring, batch], **SHORT)
    model.fit(X)
    targets, predicted = scoring.seen_
    assert targets.shape == predicted.shape == (270 if on_train else 30, 64)
    assert model.net_.history[-1, "r2"] == pytest.approx(r2_score(targets, predicted))
    assert np.isfinite(model.net_.history[-1, "batch_r2"])
    if loss == "binary_cross_entropy":  # shares of black, not logits
        assert 0 <= predicted.min() < 0.1 < 0.9 < predicted.max() <= 1
        assert set(np.unique(targets)) <= set(np.unique(X.astype(np.float32)))


@pytest.mark.parametrize("named", [True, False])
def test_two_schedules_are_refused_and_one_works(named):
    schedule = LRScheduler(torch.optim.lr_scheduler.StepLR, step_size=1, gamma=0.5)
    callbacks = [("rate", schedule)] if named else [schedule]
    model = AutoencoderTransformer(3, callbacks=callbacks, **SHORT)
    with pytest.raises(ValueError, match="learning_rate='constant'"):
        model.fit(X)
    model.set_params(learning_rate="constant", learning_rate_init=0.004).fit(X)
    assert model.net_.optimizer_.param_groups[0]["lr"] == pytest.approx(0.001)


def test_what_sets_the_input_shape_is_refused():
    model = AutoencoderTransformer(3, callbacks=[InputShapeSetter()], **SHORT)
    with pytest.raises(ValueError, match="n_features"):
        model.fit(X)


def test_parameters_of_callbacks_are_set_by_name():
    first, second, stop = (EarlyStopping(patience=k) for k in (5, 6, 7))
    model = AutoencoderTransformer(3, callbacks=[first, ("stop", stop), second])
    model.set_params(
        callbacks__EarlyStopping_1__patience=1,
        callbacks__EarlyStopping_2__patience=2,
        callbacks__stop__patience=3,
        alpha=0.5,
    )
    assert (first.patience, second.patience, stop.patience) == (1, 2, 3)
    assert model.alpha == 0.5
    for wrong in ("callbacks__other__patience", "callbacks__stop"):
        with pytest.raises(ValueError, match=r"EarlyStopping_1.*stop"):
            model.set_params(**{wrong: 1})
    with pytest.raises(ValueError, match="nothing"):
        model.set_params(callbacks__stop__nothing=1)
    search = GridSearchCV(
        AutoencoderTransformer(3, callbacks=[("stop", stop)], **SHORT),
        {"callbacks__stop__patience": [1, 4]},
        cv=2,
    ).fit(X)
    assert len(search.cv_results_["mean_test_score"]) == 2
    assert stop.patience == 3  # a search works on copies


@pytest.mark.parametrize(
    ("init", "names"),
    [("pca", ("encode_linear.*", "decode_linear.*")), ("random", ("encode.*",))],
)
def test_named_parts_are_frozen(init, names):
    settings = {**SHORT, "early_stopping": False, "init": init}
    model = AutoencoderTransformer(3, callbacks=[Freezer(names)], **settings)
    start = clone(model).set_params(max_iter=0).fit(X)
    model.set_params(max_iter=10).fit(X)
    weights, before = (m.net_.module_.state_dict() for m in (model, start))
    frozen = tuple(name.removesuffix("*") for name in names)
    for name in (n for n in weights if n.endswith("weight")):
        assert torch.equal(weights[name], before[name]) is name.startswith(frozen)
