"""Files that a stranger wrote: well formed, with a valid checksum, and wrong.

Each is a file of ours of which something was changed. `load` either refuses it with a
ValueError or makes an estimator that does as its surface says; never more memory or
time than the file is worth. `make fuzz` tries thousands.
"""

import contextlib
import copy
import re
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pytest
import safetensors.torch
import torch
from sklearn.datasets import load_iris

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
from sklearn_ae._format import pack, unpack

pytestmark = pytest.mark.filterwarnings("ignore")
IRIS = load_iris().data[::3]
HOLES = np.where(np.random.default_rng(0).random(IRIS.shape) < 0.1, np.nan, IRIS)
SHORT = {"max_iter": 2, "random_state": 0}
SMALL = {**SHORT, "hidden_layer_sizes": (4,)}
MODELS = {
    "not fitted": lambda: AutoencoderTransformer(3),
    "dense": lambda: AutoencoderTransformer(2, **SMALL).fit(IRIS),
    "own device": lambda: DenoisingAutoencoder(
        2, device="cpu", optimizer=torch.optim.NAdam, **SMALL
    ).fit(IRIS.astype(np.float32)),
    "missing": lambda: AutoencoderTransformer(2, **SMALL).fit(HOLES),
    "ordered": lambda: AutoencoderTransformer(2, ordered=True, **SMALL).fit(IRIS),
    "k-sparse": lambda: AutoencoderTransformer(2, penalty="k_sparse", **SMALL).fit(
        IRIS
    ),
    "counts": lambda: AutoencoderTransformer(2, loss="poisson", **SMALL).fit(
        IRIS.round()
    ),
    "convolutional": lambda: ConvolutionalAutoencoder(
        2, image_shape=(2, 2), filters=(2,), **SMALL
    ).fit(IRIS),
    "variational": lambda: VariationalAutoencoder(2, **SMALL).fit(IRIS),
    "adversarial": lambda: AdversarialAutoencoder(
        2, discriminator_layer_sizes=(4,), **SMALL
    ).fit(IRIS),
    "stream": lambda: AutoencoderTransformer(2, **SMALL).partial_fit(IRIS),
    "search": lambda: AutoencoderTransformerCV(
        [1, 2], estimator=AutoencoderTransformer(**SMALL), cv=2
    ).fit(IRIS),
    "imputer": lambda: AutoencoderImputer(**SHORT).fit(HOLES),
    "detector": lambda: AutoencoderOutlierDetector(
        AutoencoderTransformer(2, **SMALL)
    ).fit(IRIS),
}
ODD = [
    *(0, 1, -1, 2, 5, 2**31, 2**62, 10**30, 0.5, -0.5, 1e300, True, False, None),
    *("", "x", "auto", "cuda:9", "/etc/passwd", "__class__", "fit", [], {}, [[]]),
    *([1, 2, 3], {"x": 1}, [10**6] * 4, [10**9], "9" * 1000),
]


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """Content and tensors of each file."""
    path, found = tmp_path_factory.mktemp("files") / "model", {}
    for name, fit in MODELS.items():
        save(fit(), path)
        data = path.read_bytes()
        found[name] = unpack(data, path), safetensors.torch.load(data)
    return found


def places(value, path=()):
    """Yield the way to each value in what JSON can hold."""
    yield path
    if isinstance(value, dict | list):
        for key in value if isinstance(value, dict) else range(len(value)):
            yield from places(value[key], (*path, key))


def change_text(content, rng):
    """Change one place of what a file says: a value, a name, or whether it is there."""
    every = [path for path in places(content["root"]) if path]
    path = every[rng.integers(len(every))]
    there = content["root"]
    for key in path[:-1]:
        there = there[key]
    action, key = rng.integers(4), path[-1]
    if action == 0:
        del there[key]
    elif action == 1 and isinstance(there, dict):
        there[str(ODD[rng.integers(len(ODD))])] = there.pop(key)
    elif action == 2:  # what stands somewhere else
        other = content["root"]
        for step in every[rng.integers(len(every))]:
            other = other[step]
        there[key] = copy.deepcopy(other)
    else:
        there[key] = copy.deepcopy(ODD[rng.integers(len(ODD))])


def change_tensor(tensors, rng):
    """Change one array of a file: shape, type, values, or whether it is there."""
    if not tensors:
        return
    name = sorted(tensors)[rng.integers(len(tensors))]
    tensor = tensors[name]
    action = rng.integers(6)
    if action == 0:
        del tensors[name]
    elif action == 1:
        tensors[name] = torch.cat([tensor.reshape(-1)] * 2)
    elif action == 2:
        tensors[name] = tensor.reshape(-1)[: max(1, tensor.numel() // 2)].clone()
    elif action == 3:
        tensors[name] = tensor.to([torch.int64, torch.float16][rng.integers(2)])
    elif action == 4 and tensor.is_floating_point():
        tensors[name] = torch.full_like(tensor, [np.nan, np.inf][rng.integers(2)])
    else:
        tensors[name] = tensor[None].contiguous()


def use(model):
    """Do with a model that was loaded what its user would."""
    X = HOLES if isinstance(model, AutoencoderImputer) else IRIS
    for name in ("transform", "score", "predict"):
        if hasattr(model, name):
            getattr(model, name)(X)


def attempt(content, tensors, path):
    """Load such a file; return the seconds that it took, and the model if it is one."""
    path.write_bytes(pack(content, tensors))
    start = time.perf_counter()
    model = error = None
    try:
        model = load(path)
    except (ValueError, TypeError) as raised:
        error = raised
    seconds = time.perf_counter() - start
    # What is to be given is named; all else that is wrong is a ValueError.
    assert isinstance(error, ValueError | None) or "pass" in str(error)
    assert error is None or str(error).startswith(str(path))
    return seconds, model


class Memory:
    """The most memory that a block of code takes more than there was, in megabytes.

    Only Linux tells; elsewhere it is 0.
    """

    def __enter__(self):
        if sys.platform == "linux":
            Path("/proc/self/clear_refs").write_text("5")  # the peak is now
        self.before = self.peak()
        return self

    def __exit__(self, *error):
        self.taken = self.peak() - self.before

    @staticmethod
    def peak():
        if sys.platform != "linux":
            return 0.0
        status = Path("/proc/self/status").read_text()
        return int(re.search(r"VmHWM:\s+(\d+) kB", status)[1]) / 1024


def try_many(files, n_files, seed, path):
    rng, slowest, n_loaded = np.random.default_rng(seed), 0.0, 0
    for _, (content, tensors) in files.items():
        attempt(content, tensors, path)  # what is loaded once is there
    memory = 0.0
    for number in range(n_files):
        name = sorted(files)[number % len(files)]
        content, tensors = copy.deepcopy(files[name][0]), dict(files[name][1])
        for _ in range(1 + rng.integers(3)):
            if rng.random() < 0.7:
                change_text(content, rng)
            else:
                change_tensor(tensors, rng)
        with Memory() as taken:
            seconds, model = attempt(content, tensors, path)
        memory, slowest = max(memory, taken.taken), max(slowest, seconds)
        if model is None:
            continue
        n_loaded += 1
        # Parameters are checked when they are used.
        with contextlib.suppress(ValueError, TypeError, AttributeError, RuntimeError):
            use(model)
    return memory, slowest, n_loaded


def test_changed_files_are_refused_or_work(files, tmp_path):
    grown, slowest, n_loaded = try_many(files, 140, 20261126, tmp_path / "model")
    assert grown < 100
    assert slowest < 5  # on a busy machine
    assert n_loaded < 140


@pytest.mark.heavy
def test_thousands_of_changed_files(files, tmp_path):
    seed = int(time.time())
    grown, slowest, n_loaded = try_many(files, 3000, seed, tmp_path / "model")
    print(f"seed {seed}: {grown:.0f} MB more, {slowest:.2f} s, {n_loaded} loaded")
    assert grown < 100
    assert slowest < 5


# -- cases by hand --


def changed(files, name, tmp_path, change):
    """Load a file of which something was changed."""
    content, tensors = copy.deepcopy(files[name][0]), dict(files[name][1])
    change(content, tensors)
    path = tmp_path / "model"
    path.write_bytes(pack(content, tensors))
    return load(path)


def replaced(value, old, new):
    """Return what JSON holds with each such number replaced."""
    if isinstance(value, dict):
        return {key: replaced(each, old, new) for key, each in value.items()}
    if isinstance(value, list):
        return [replaced(each, old, new) for each in value]
    return new if type(value) is int and value == old else value


@pytest.mark.parametrize("width", [10**5, 10**9])
@pytest.mark.parametrize("name", ["dense", "convolutional", "variational", "ordered"])
def test_a_small_file_takes_little_memory(files, name, width, tmp_path):
    def widen(content, tensors):
        content["root"] = replaced(content["root"], 4, width)

    refused = pytest.raises(ValueError, match="can't be made into an estimator")
    with Memory() as memory, refused:
        changed(files, name, tmp_path, widen)
    assert memory.taken < 100


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("name", ["dense", "stream", "missing", "adversarial"])
def test_weights_that_are_not_finite_are_refused(files, name, value, tmp_path):
    tensors = files[name][1]
    floats = [each for each in sorted(tensors) if tensors[each].is_floating_point()]
    weights = [each for each in floats if tensors[each].ndim == 2]
    assert weights

    def spoil(content, tensors):
        tensors[weights[0]] = torch.full_like(tensors[weights[0]], value)

    with pytest.raises(ValueError, match="is not finite"):
        changed(files, name, tmp_path, spoil)


def test_no_path_is_taken_from_a_file(tmp_path):
    target = tmp_path / "elsewhere"
    path = tmp_path / "model"
    save(AutoencoderTransformer(2, checkpoint=target), path)
    with pytest.warns(UserWarning, match="load takes no paths from files"):
        model = load(path)
    assert model.checkpoint is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.set_params(**SMALL).fit(IRIS)
    assert not target.exists()


@pytest.mark.parametrize(
    "attribute", ["fit", "transform", "net_", "other", "__class__"]
)
def test_attributes_that_a_class_does_not_have_are_refused(files, attribute, tmp_path):
    def add(content, tensors):
        estimator = next(iter(content["root"].values()))
        estimator[2][attribute] = 3

    with pytest.raises(ValueError, match=f"no attribute '{attribute}'"):
        changed(files, "dense", tmp_path, add)


@pytest.mark.parametrize("version", [0, -1, True, "1", None, 1.5])
def test_versions_that_there_never_were(files, version, tmp_path):
    content, tensors = files["dense"]
    path = tmp_path / "model"
    path.write_bytes(pack({**content, "format": version}, tensors))
    with pytest.raises(ValueError, match=r"not a file that sklearn_ae\.save wrote"):
        load(path)


def test_an_array_stands_for_one_thing(files, tmp_path):
    def share(content, tensors):
        names = sorted(tensors)
        text = copy.deepcopy(content["root"])

        def swap(value):
            if isinstance(value, dict):
                return {key: swap(each) for key, each in value.items()}
            if isinstance(value, list):
                return [swap(each) for each in value]
            return names[0] if value in names else value

        content["root"] = swap(text)

    with pytest.raises(ValueError, match="can't be made into an estimator"):
        changed(files, "dense", tmp_path, share)
