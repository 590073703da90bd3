"""Files: what is saved is loaded, bit for bit, and nothing else is."""

import copy
import hashlib
import json
import os
import pickle
import signal
import subprocess
import sys
from functools import partial

import joblib
import numpy as np
import pytest
import safetensors.torch
import skops.io
import torch
from numpy.testing import assert_array_equal
from sklearn.base import clone
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import KFold
from sklearn.pipeline import make_pipeline
from skorch.callbacks import EarlyStopping
from skorch.exceptions import DeviceWarning

import sklearn_ae
from sklearn_ae import (
    AdversarialAutoencoder,
    AutoencoderImputer,
    AutoencoderOutlierDetector,
    AutoencoderTransformer,
    AutoencoderTransformerCV,
    ConvolutionalAutoencoder,
    DenoisingAutoencoder,
    VariationalAutoencoder,
    load,
    save,
)
from sklearn_ae._engine.losses import LOSSES, PENALTIES
from sklearn_ae._engine.noise import NOISES
from sklearn_ae._format import DIGITS, FORMAT, MARK
from sklearn_ae.persistence import ESTIMATORS, skops_types

IRIS, SPECIES = load_iris(return_X_y=True)
UNIT = (IRIS - IRIS.min(0)) / np.ptp(IRIS, axis=0)  # in [0, 1]
FAST = {
    "max_iter": 2,
    "early_stopping": False,
    "hidden_layer_sizes": (8,),
    "random_state": 0,
}


def make(n_components=2, **params):
    return AutoencoderTransformer(n_components, **{**FAST, **params})


class Network(torch.nn.Module):
    """A user's, which draws something that is neither weight nor buffer."""

    def __init__(self, n_features, n_components, activation=torch.nn.Tanh):
        super().__init__()
        self.order = torch.randperm(n_features)
        self.encoder = torch.nn.Sequential(
            torch.nn.BatchNorm1d(n_features),
            torch.nn.Linear(n_features, n_components),
            activation(),
        )
        self.decode = torch.nn.Linear(n_components, n_features)

    def encode(self, x):
        return self.encoder(x[:, self.order])

    def forward(self, x):
        return self.decode(self.encode(x))


class Optimizer(torch.optim.SGD):
    """A user's."""


def ring(n_samples, n_components, rng):
    codes = rng.standard_normal((n_samples, n_components))
    return codes / np.linalg.norm(codes, axis=1, keepdims=True)


SETTINGS = {
    "dense": make(),
    "default": AutoencoderTransformer(max_iter=1, random_state=0),
    "missing": make(missing="expect"),
    "imputer": AutoencoderImputer(max_iter=1, random_state=0),
    "share": make(0.9),
    "ordered": make(3, ordered=True, dropout=0.2),
    "clipped": make(out_activation="clip"),
    "bounded": make(out_activation="tanh", code_activation="relu", init="random"),
    **{f"loss {loss}": make(loss=loss) for loss in LOSSES},
    **{
        f"penalty {penalty}": make(
            penalty=penalty,
            **(
                {"code_activation": "logistic", "init": "random"}
                if penalty == "kl"
                else {}
            ),
        )
        for penalty in (*PENALTIES, "k_sparse")
    },
    **{
        f"noise {noise}": DenoisingAutoencoder(noise=noise, **{**FAST, "max_iter": 1})
        for noise in NOISES
    },
    "RandomState": make(random_state=np.random.RandomState(3)),
    "device": make(device=torch.device("cpu")),
    "optimizer": make(optimizer=torch.optim.RMSprop, optimizer__momentum=0.5),
    "momenta": make(optimizer="sgd", optimizer__momentum=0.9, learning_rate_init=0.1),
    "numpy": make(np.int64(2), alpha=np.float32(0.1), hidden_layer_sizes=np.array([5])),
    "convolutional": ConvolutionalAutoencoder(
        image_shape=(2, 2), filters=[3], ordered=True, **FAST
    ),
    "variational": VariationalAutoencoder(penalty="l1", **FAST),
    "adversarial": AdversarialAutoencoder(prior="uniform", **FAST),
    "search": AutoencoderTransformerCV([1, 2], estimator=make(), cv=2),
    "search, not refitted": AutoencoderTransformerCV((1, 2), refit=False, cv=2),
}


@pytest.fixture(scope="module")
def fitted():
    """Each of the settings, fitted, and after one pass more where there are such."""
    models = {}
    for name, estimator in SETTINGS.items():
        models[name] = clone(estimator).fit(UNIT)
        if name in ("dense", "ordered", "momenta", "variational", "adversarial"):
            models[f"{name}, partly"] = clone(estimator).partial_fit(UNIT)
    for model in models.values():
        if hasattr(model, "code_size_curve_") and model.n_components_ > 1:
            models["truncated"] = model.truncate(1)
            break
    return models


NAMES = [
    *SETTINGS,
    *(f"{n}, partly" for n in ("dense", "ordered", "momenta")),
    *("variational, partly", "adversarial, partly", "truncated"),
]


def through_file(model, tmp_path, **given):
    path = tmp_path / "model.safetensors"
    save(model, path)
    return load(path, **given)


def through_skops(model, tmp_path=None):
    return skops.io.loads(skops.io.dumps(model), trusted=skops_types())


def through_pickle(model, tmp_path=None):
    return pickle.loads(pickle.dumps(model))


def through_joblib(model, tmp_path):
    joblib.dump(model, tmp_path / "model.joblib")
    return joblib.load(tmp_path / "model.joblib", mmap_mode="r")


def same(a, b):
    """Tell whether two values are equal in type and content, all the way down."""
    if isinstance(a, np.ndarray):
        return a.dtype == b.dtype and np.array_equal(
            a, b, equal_nan=a.dtype.kind == "f"
        )
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[k], b[k]) for k in a)
    if type(a) in (list, tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, partial):
        return same((a.func, a.args, a.keywords), (b.func, b.args, b.keywords))
    if isinstance(a, np.random.RandomState):
        return same(a.get_state(legacy=False), b.get_state(legacy=False))
    if isinstance(a, np.random.Generator):
        return a.bit_generator.state == b.bit_generator.state
    if hasattr(a, "__getstate__") and type(a).__module__.startswith("sklearn_ae"):
        return type(a) is type(b) and same(a.__getstate__(), b.__getstate__())
    return type(a) is type(b) and (a == b or a != a)


WAYS = [through_file, through_skops, through_pickle, through_joblib]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", NAMES)
def test_what_comes_back_is_the_same(name, way, fitted, tmp_path):
    model = fitted[name]
    if way is through_joblib and name == "RandomState":
        pytest.skip("its state would be a read-only map of the file")
    other = way(model, tmp_path)
    assert same(model, other)
    assert same(clone(other).get_params(), clone(model).get_params())
    if name == "search, not refitted":
        return
    for rows in (UNIT, UNIT.astype("f")):
        codes = model.transform(rows)
        assert_array_equal(other.transform(rows), codes)
        if isinstance(model, AutoencoderImputer):  # which has no codes
            continue
        assert_array_equal(
            other.inverse_transform(codes), model.inverse_transform(codes)
        )
        assert_array_equal(other.score_samples(rows), model.score_samples(rows))


@pytest.mark.parametrize("way", WAYS[:3])
@pytest.mark.parametrize("name", ["dense", "ordered", "momenta", "adversarial"])
def test_training_goes_on_as_without(name, way, tmp_path):
    model = clone(SETTINGS[name]).partial_fit(UNIT)  # no copy of another
    other = way(model, tmp_path)
    for _ in range(2):
        model.partial_fit(UNIT)
        other.partial_fit(UNIT)
        assert_array_equal(other.transform(UNIT), model.transform(UNIT))
    for each in (model, other):
        each.set_params(warm_start=True).fit(UNIT)
    assert_array_equal(other.transform(UNIT), model.transform(UNIT))
    assert other.loss_curve_ == model.loss_curve_


@pytest.mark.parametrize("way", WAYS[:3])
@pytest.mark.parametrize("name", ["dense", "ordered", "variational", "adversarial"])
def test_a_stream_on_trial_goes_on_as_without(name, way, tmp_path):
    # So sorted that the network loses, and PCA is the model.
    parts = np.array_split(UNIT[np.argsort(UNIT[:, 2], kind="stable")], 3)
    model = clone(SETTINGS[name]).set_params(learning_rate_init=0.05)
    for part in parts:
        model.partial_fit(part)
    assert model._fitted.trial.weights is not None
    other = way(model, tmp_path)
    assert same(model, other)
    for part in parts * 2:
        model.partial_fit(part)
        other.partial_fit(part)
        assert_array_equal(other.transform(UNIT), model.transform(UNIT))


def test_momenta_matter(fitted, tmp_path):
    other = through_file(fitted["momenta, partly"], tmp_path)
    forgetful = copy.deepcopy(other)
    forgetful.net_.forget_momenta()
    one, two = (
        model.partial_fit(UNIT)._fitted.trial.weights["module_"]  # PCA is the model
        for model in (other, forgetful)
    )
    assert max(abs(one[name] - two[name]).max() for name in one) > 1e-6


def test_every_estimator_can_be_saved(tmp_path):
    public = (getattr(sklearn_ae, name) for name in sklearn_ae.__all__)
    estimators = {thing for thing in public if hasattr(thing, "fit")}
    assert estimators == set(ESTIMATORS.values())
    tested = {type(estimator) for estimator in SETTINGS.values()}
    assert estimators == {*tested, AutoencoderOutlierDetector}  # in test_outliers.py
    for estimator in SETTINGS.values():
        assert same(through_file(estimator, tmp_path), estimator)


def test_columns_names_and_containers(tmp_path):
    frame = load_iris(as_frame=True).data
    model = make().set_output(transform="pandas").fit(frame)
    other = through_file(model, tmp_path)
    assert same(other, model)
    assert other.transform(frame).equals(model.transform(frame))


def test_equal_models_make_equal_files_that_hold_no_rows(fitted, tmp_path):
    paths = tmp_path / "a", tmp_path / "b"
    save(fitted["dense"], paths[0])
    save(load(paths[0]), paths[1])
    assert paths[0].read_bytes() == paths[1].read_bytes()
    rows = np.random.default_rng(0).normal(size=(20_000, 4))
    save(make().fit(rows), paths[0])
    assert paths[0].stat().st_size < rows.nbytes / 20


def test_parameters_changed_since_the_fit_change_nothing(fitted, tmp_path):
    model = copy.deepcopy(fitted["penalty k_sparse"])
    model.set_params(sparsity=1, hidden_layer_sizes=(3, 3), penalty=None, loss="huber")
    other = through_file(model, tmp_path)
    assert_array_equal(other.transform(UNIT), model.transform(UNIT))
    assert other.hidden_layer_sizes == (3, 3)


def test_loading_leaves_torch_as_it_was(fitted, tmp_path):
    save(fitted["ordered"], tmp_path / "model")
    before = torch.get_rng_state()
    with torch.inference_mode():
        load(tmp_path / "model").partial_fit(UNIT)
    assert torch.equal(torch.get_rng_state(), before)


# -- code of the user's own --

OWN = [
    (make(module=Network, module__activation=torch.nn.ELU), {"module": Network}),
    (make(module=Network, init="random"), {"module": Network}),
    (make(optimizer=Optimizer), {"optimizer": Optimizer}),
    (make(callbacks=[EarlyStopping(monitor="train_loss")]), {"callbacks": []}),
    (AdversarialAutoencoder(prior=ring, **FAST), {"prior": ring}),
    (
        AutoencoderTransformerCV(
            (1, 2),
            estimator=make(module=Network),
            predictor=LogisticRegression(),
            cv=KFold(2),
        ),
        {"module": Network, "predictor": LogisticRegression(), "cv": KFold(2)},
    ),
]
OWN[0][1]["module__activation"] = torch.nn.ELU


@pytest.mark.parametrize(("estimator", "given"), OWN)
def test_own_code_is_named_and_given(estimator, given, tmp_path):
    model = clone(estimator).fit(UNIT, SPECIES)
    path = tmp_path / "model"
    save(model, path)
    with pytest.raises(TypeError, match="that no file can hold: pass") as error:
        load(path)
    assert all(f"{name}=… (a " in str(error.value) for name in given)
    other = load(path, **given)
    assert_array_equal(other.transform(UNIT), model.transform(UNIT))
    for name, value in given.items():
        owner = other if hasattr(other, name) else other.estimator
        assert getattr(owner, name) is value
    with pytest.raises(TypeError, match="don't pass loss to load"):
        load(path, **given, loss="huber")
    # A pickle finds them by itself.
    assert_array_equal(through_pickle(model).transform(UNIT), model.transform(UNIT))


def test_another_network_than_the_one_saved_is_refused(tmp_path):
    save(make(module=Network).fit(UNIT), tmp_path / "model")
    with pytest.raises(ValueError, match="can't be made into an estimator"):
        load(tmp_path / "model", module=torch.nn.Identity)


def test_what_no_file_can_hold_is_named(tmp_path):
    model = make(module=Network).fit(UNIT)
    with pytest.raises(
        TypeError, match=r"what _fitted.codec.net.network of .* set that back"
    ):
        save(model.set_params(module=None), tmp_path / "model")
    search = AutoencoderTransformerCV(1, estimator=make(module=Network), cv=2)
    search.fit(UNIT).set_params(estimator__module=torch.nn.Identity)
    with pytest.raises(TypeError, match=r"Two different module .* fit again"):
        save(search, tmp_path / "model")
    model = make().fit(UNIT)
    model.mine_ = object()
    with pytest.raises(TypeError, match="what mine_ of this AutoencoderTransformer"):
        save(model, tmp_path / "model")
    with pytest.raises(TypeError, match=r"save takes .* Got Pipeline"):
        save(make_pipeline(make()), tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


# -- damaged and foreign files --


def written(model, tmp_path):
    path = tmp_path / "model.safetensors"
    save(model, path)
    return path, path.read_bytes()


def test_damage_is_noticed(fitted, tmp_path):
    path, data = written(fitted["dense"], tmp_path)
    rng = np.random.default_rng(0)
    header = 8 + int.from_bytes(data[:8], "little")
    ends = [*range(0, 120, 9), header, *rng.integers(len(data), size=60)]
    for end in ends:  # truncated
        path.write_bytes(data[:end])
        with pytest.raises(ValueError, match=r"model\.safetensors"):
            load(path)
    places = [*range(0, 200), header, *rng.integers(len(data), size=300)]
    for place in places:
        damaged = bytearray(data)
        damaged[place] ^= 1 << rng.integers(8)
        path.write_bytes(damaged)
        with pytest.raises(ValueError, match=r"model\.safetensors"):
            load(path)
    path.write_bytes(data + b"\0")
    with pytest.raises(ValueError, match="checksum"):
        load(path)


def signed(root, version=FORMAT, **content):
    """Return a file with any content and the right checksum."""
    text = json.dumps({"format": version, "given": {}, "root": root, **content})
    data = safetensors.torch.save(
        {"0": torch.zeros(2)}, metadata={"sklearn_ae": "0" * DIGITS + text}
    )
    start = 8 + len(MARK)
    digest = hashlib.sha256(data).hexdigest().encode()
    return data[:start] + digest + data[start + DIGITS :]


@pytest.mark.parametrize(
    "root",
    [
        {"estimator": ["Pipeline", {}, {}]},
        {"estimator": ["AutoencoderTransformer", {"depth": 3}, {}]},
        {"estimator": ["AutoencoderTransformer", {}]},
        {"named": "os.system"},
        {"named": "builtins.print"},
        {"import": "os"},
        {"given": "module"},
        {"array": ["7", "float32"]},
        {"array": ["0", "object"]},
        {"scalar": ["object", 1]},
        {"net": ["Pipeline", {}]},
        {"net": ["AutoencoderNet", {"dict": []}]},
        {"generator": {"dict": [["bit_generator", "os"]]}},
        {"device": "nowhere"},
        {"partial": ["print", {"tuple": []}, {"dict": []}]},
        {"a": 1, "b": 2},
        {},
        [[[]]],
        None,
        "AutoencoderTransformer",
    ],
)
def test_foreign_content_is_one_clear_error(root, tmp_path):
    path = tmp_path / "model.safetensors"
    path.write_bytes(signed(root))
    with pytest.raises(ValueError, match=r"model\.safetensors can't be made"):
        load(path)


def test_files_of_others(tmp_path):
    path = tmp_path / "model.safetensors"
    foreign = [
        b"",
        b"{}",
        pickle.dumps(make()),
        safetensors.torch.save({"weight": torch.ones(3)}),
        safetensors.torch.save({}, metadata={"sklearn_ae": "x"}),
        signed({}, given=["module"]),
        signed({}, format="one"),
        safetensors.torch.save({}, metadata={"sklearn_ae": "0" * DIGITS + "[1]"}),
        safetensors.torch.save({}, metadata={"sklearn_ae": "0" * DIGITS + "[" * 9999}),
    ]
    for data in foreign:
        path.write_bytes(data)
        with pytest.raises(ValueError, match="is not a file that sklearn_ae"):
            load(path)
    path.write_bytes(signed({"estimator": []}, version=FORMAT - 1))
    with pytest.raises(ValueError, match=f"format {FORMAT - 1}, of an older .* again"):
        load(path)
    path.write_bytes(signed({"estimator": []}, version=FORMAT + 1))
    with pytest.raises(ValueError, match=f"format {FORMAT + 1}.* update sklearn_ae"):
        load(path)
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing")


# -- writing --


@pytest.mark.parametrize("step", ["replace", "fsync"])
def test_a_failure_leaves_the_old_file(step, fitted, tmp_path, monkeypatch):
    path, data = written(fitted["dense"], tmp_path)

    def fail(*args):
        raise OSError("no space left")

    monkeypatch.setattr(os, step, fail)
    with pytest.raises(OSError, match="no space"):
        save(fitted["ordered"], path)
    assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="no SIGKILL")
def test_a_killed_process_leaves_a_whole_file(fitted, tmp_path):
    path, data = written(fitted["dense"], tmp_path)
    code = (
        "import os, sys, time\n"
        "from sklearn_ae import load, save\n"
        "model = load(sys.argv[1])\n"
        "sync = os.fsync\n"
        "os.fsync = lambda file: (sync(file), print('written', flush=True), "
        "time.sleep(60))\n"
        "save(model.set_params(tol=0.5), sys.argv[1])"
    )
    command = [sys.executable, "-c", code, str(path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout.readline() == b"written\n"
        process.kill()
    assert path.read_bytes() == data
    assert load(path).tol != 0.5


def test_a_file_is_replaced_where_a_link_points_with_its_mode(fitted, tmp_path):
    path, _ = written(fitted["dense"], tmp_path)
    path.chmod(0o640)
    link = tmp_path / "link"
    link.symlink_to(path)
    save(fitted["ordered"], link)
    assert link.is_symlink()
    assert same(load(path), fitted["ordered"])
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("function", [partial(save, make()), load])
def test_a_missing_package_is_named(function, monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "safetensors.torch", None)
    with pytest.raises(ImportError, match=r"pip install .*\[save\]"):
        function(tmp_path / "model")


# -- other devices, other readers --


@pytest.mark.parametrize("name", ["dense", "ordered", "adversarial, partly", "search"])
@pytest.mark.parametrize("way", WAYS[:3])
def test_a_model_from_a_device_that_is_not_here(name, way, fitted, tmp_path):
    model = copy.deepcopy(fitted[name])
    best = getattr(model, "best_estimator_", model)
    # As it would be after a fit there; its weights are written as the CPU's anyway.
    best.net_.device = "cuda:7"
    with pytest.warns(DeviceWarning, match="cuda:7.*it is on the CPU now"):
        other = way(model, tmp_path)
    loaded = getattr(other, "best_estimator_", other)
    assert loaded.device_ == loaded.net_.device == "cpu"
    assert_array_equal(other.transform(UNIT), fitted[name].transform(UNIT))
    if other is loaded:
        other.partial_fit(UNIT)


@pytest.mark.parametrize("name", ["ordered", "adversarial, partly"])
def test_no_state_holds_a_tensor(name, fitted, monkeypatch):
    def refuse(*args):
        raise AssertionError("a tensor, which has a device, was pickled")

    monkeypatch.setattr(torch.Tensor, "__reduce_ex__", refuse)
    pickle.dumps(fitted[name])


@pytest.mark.cuda
@pytest.mark.parametrize("way", WAYS[:3])
@pytest.mark.parametrize("ordered", [False, True])
def test_a_model_from_cuda_and_back(way, ordered, tmp_path, monkeypatch):
    model = make(device="cuda", ordered=ordered).fit(UNIT)
    assert way(model, tmp_path).device_ == "cuda:0"
    monkeypatch.setattr("sklearn_ae._engine.net.resolve_device", _no_cuda)
    with pytest.warns(DeviceWarning):
        other = way(model, tmp_path)
    assert other.device_ == "cpu"
    assert abs(other.transform(UNIT) - model.transform(UNIT)).max() < 1e-5


def _no_cuda(device):
    if "cuda" in str(device):
        raise ValueError("no CUDA")
    return torch.device(device)


def test_types_for_skops_are_all_and_only_ours(fitted):
    found = set()
    for model in fitted.values():
        found |= set(skops.io.get_untrusted_types(data=skops.io.dumps(model)))
    assert found <= set(skops_types())
    known = ("sklearn_ae.", "torch.optim.", "torch.nn.modules.loss.")
    others = {name for name in skops_types() if not name.startswith(known)}
    assert others == {
        *("functools.partial", "torch.device"),
        *("torch.exp", "torch.sigmoid", "torch.tanh"),
    }
