import gzip
import struct
from urllib.error import URLError

import numpy as np
import pytest

from benchmarks.datasets import DATASETS, noisy_low_rank
from sklearn_ae.datasets import _image_sets, load_images, read_idx


def write_idx(path, array, magic=b"\x00\x00\x08"):
    header = magic + bytes([array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape)
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(gzip.compress(header + array.tobytes()))


@pytest.fixture
def data_dir(tmp_path):
    """A folder as published, with 6 + 2 images of 28 × 28."""
    rng = np.random.default_rng(0)
    for name in ("mnist", "fashion-mnist"):
        for part, n in (("train", 6), ("t10k", 2)):
            images = rng.integers(0, 256, size=(n, 28, 28), dtype=np.uint8)
            folder = tmp_path / name
            write_idx(folder / f"{part}-images-idx3-ubyte.gz", images)
            labels = np.arange(n, dtype=np.uint8) + (part == "t10k") * 6
            write_idx(folder / f"{part}-labels-idx1-ubyte.gz", labels)
    return tmp_path


SHAPES = {
    "digits": (1797, 64),
    "breast_cancer": (569, 30),
    "wine": (178, 13),
    "iris": (150, 4),
    "diabetes": (442, 10),
    "mnist": (8, 784),
    "fashion-mnist": (8, 784),
    "noisy_low_rank": (500, 20),
    "swiss_roll": (1000, 3),
}


def test_the_table_is_complete():
    assert set(SHAPES) == set(DATASETS)


@pytest.mark.parametrize("name", DATASETS)
def test_every_data_set(name, data_dir):
    dataset = DATASETS[name](data_dir)
    assert dataset.X.shape == SHAPES[name]
    assert dataset.X.dtype in (np.float32, np.float64)
    assert np.isfinite(dataset.X).all()
    if dataset.y is not None:
        assert dataset.y.shape == (len(dataset.X),)
    if dataset.image_shape is not None:
        assert np.prod(dataset.image_shape) == dataset.X.shape[1]
    np.testing.assert_array_equal(dataset.X, DATASETS[name](data_dir).X)


def test_noisy_low_rank_has_four_large_directions():
    spectrum = np.linalg.svd(noisy_low_rank().X, compute_uv=False)
    assert spectrum[3] > 3 * spectrum[4]
    assert spectrum[4] < 2 * spectrum[-1]


def test_images_train_first(data_dir, monkeypatch):
    X, y = load_images("mnist", data_dir)
    assert X.dtype == np.float32
    np.testing.assert_array_equal(y, np.arange(8))
    raw = gzip.decompress((data_dir / "mnist/t10k-images-idx3-ubyte.gz").read_bytes())
    np.testing.assert_allclose(
        X[6], np.array(list(raw[16 : 16 + 784])) / 255, rtol=1e-6
    )
    monkeypatch.setenv("SKLEARN_AE_DATA", str(data_dir))
    np.testing.assert_array_equal(load_images("mnist")[0], X)


def test_without_a_folder_openml(monkeypatch):
    asked = []

    def fetch(name, **options):
        asked.append((name, options["version"]))
        return np.full((3, 784), 255, dtype=np.int64), np.array(["1", "0", "9"])

    monkeypatch.delenv("SKLEARN_AE_DATA", raising=False)
    monkeypatch.setattr(_image_sets, "fetch_openml", fetch)
    X, y = load_images("fashion-mnist")
    assert asked == [("Fashion-MNIST", 1)]
    assert X.dtype == np.float32
    assert X.max() == 1
    np.testing.assert_array_equal(y, [1, 0, 9])

    def offline(name, **options):
        raise URLError("no network")

    monkeypatch.setattr(_image_sets, "fetch_openml", offline)
    with pytest.raises(OSError, match=r"mnist could not.*no network.*SKLEARN_AE_DATA"):
        load_images("mnist")


def test_missing_and_damaged_files(data_dir):
    with pytest.raises(FileNotFoundError, match=r"train-images-idx3-ubyte.gz does not"):
        load_images("mnist", data_dir / "nowhere")
    path = data_dir / "mnist" / "train-labels-idx1-ubyte.gz"
    whole = path.read_bytes()
    path.write_bytes(whole[:-12])
    with pytest.raises(ValueError, match=r"is damaged \(Compressed file ended"):
        load_images("mnist", data_dir)
    path.write_bytes(b"not gzip at all")
    with pytest.raises(ValueError, match=r"is damaged \(Not a gzipped file"):
        load_images("mnist", data_dir)
    path.write_bytes(whole[:10] + b"\xff" * 20)
    with pytest.raises(ValueError, match="is damaged"):
        load_images("mnist", data_dir)
    write_idx(path, np.zeros(5, dtype=np.uint8))
    with pytest.raises(ValueError, match="8 images but 7 labels"):
        load_images("mnist", data_dir)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "not an idx file"),
        (b"\x00\x00\x0d\x01\x00\x00\x00\x00", "not an idx file"),  # floats
        (b"\x00\x00\x08\x03\x00\x00", "is damaged"),
        (b"\x00\x00\x08\x00", "is damaged"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x03ab", r"10 bytes .* shape \(3,\)"),
        (b"\x00\x00\x08\x01\x00\x00\x00\x01ab", "is damaged"),
        (b"\x00\x00\x08\x02" + b"\xff" * 8, "is damaged"),
    ],
)
def test_idx_refused(tmp_path, content, message):
    (tmp_path / "x.gz").write_bytes(gzip.compress(content))
    with pytest.raises(ValueError, match=message):
        read_idx(tmp_path / "x.gz")


def test_idx_round_trip(tmp_path):
    array = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
    write_idx(tmp_path / "x.gz", array)
    np.testing.assert_array_equal(read_idx(tmp_path / "x.gz"), array)
