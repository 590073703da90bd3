"""The page that decodes what is under the cursor."""

import base64
import json

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from sklearn_ae.plotting import hover_page


def page_data(file):
    """What a hover page holds, as its script reads it."""
    text = file.read_text(encoding="utf-8")
    data = json.loads(text.split("const page = ")[1].split(";\n")[0])
    dtype = "u1" if data["kind"] == "image" else "<f4"
    grid = np.frombuffer(base64.b64decode(data["grid"]), dtype)
    n = data["steps"]
    return data, grid.reshape(n, n, -1), text


@pytest.mark.parametrize("kind", ["image", "curve", "columns"])
def test_hover_page_holds_what_codes_decode_to(tmp_path, kind):
    X, y = load_digits(return_X_y=True)
    X, y = (X[:100], y[:100]) if kind == "image" else (X[:100, 2:52:3], y[:100])
    pca = PCA(2).fit(X)
    shape = (1, X.shape[1]) if kind == "curve" else None
    file = hover_page(
        pca, X, tmp_path / "map.html", y, image_shape=shape, n_steps=5, title="<Map>"
    )
    data, grid, text = page_data(file)
    assert data["kind"] == kind
    left, right, low, high = data["ends"]
    codes = pca.transform(X)
    assert left < codes[:, 0].min() < codes[:, 0].max() < right
    assert low < codes[:, 1].min() < codes[:, 1].max() < high
    for i, j in [(0, 0), (1, 4), (3, 2)]:  # lines go up, columns to the right
        code = [left + j / 4 * (right - left), low + i / 4 * (high - low)]
        row = pca.inverse_transform([code])[0]
        if kind == "image":
            row = np.round(255 * np.clip(row / 16, 0, 1))
            np.testing.assert_allclose(grid[i, j], row, atol=1)
        else:
            np.testing.assert_allclose(grid[i, j], row, rtol=1e-5, atol=1e-5)
    assert len(data["points"]) == 100
    names = {name: at for *at, name in data["names"]}
    assert names.keys() == set("0123456789")
    np.testing.assert_allclose(names["3"], np.median(codes[y == 3], axis=0))
    assert "<title>&lt;Map&gt;</title>" in text
    assert "http" not in text


def test_hover_page_lists_the_columns_that_vary_most(tmp_path):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(
        0.01 * rng.normal(size=(50, 45)), columns=[f"c{i}" for i in range(45)]
    )
    X["c7"], X["</script>"] = 5 * rng.normal(size=50), 3 * rng.normal(size=50)
    pca = PCA(2).fit(X.to_numpy())
    file = hover_page(pca.set_output(transform="default"), X.to_numpy(), tmp_path / "a")
    data, grid, _ = page_data(file)
    listed = [name for name, *_ in data["columns"]]
    assert grid.shape[2] == len(listed) == 40
    assert {"column 7", "column 45"} <= set(listed)
    file = hover_page(PCA(2).fit(X), X, tmp_path / "b")
    data, _, text = page_data(file)
    assert "</script>" in [name for name, *_ in data["columns"]]
    assert text.count("</script>") == 1  # its own


def test_hover_page_refuses_what_it_cannot_draw(tmp_path):
    X = load_digits().data[:60]
    with pytest.raises(ValueError, match=r"codes of 2 units\. Got 3"):
        hover_page(PCA(3).fit(X), X, tmp_path / "a")
    with pytest.raises(ValueError, match="at most 30 classes"):
        hover_page(PCA(2).fit(X), X, tmp_path / "a", np.arange(60))
    with pytest.raises(TypeError, match="inverse_transform"):
        hover_page(KMeans(2, n_init=1).fit(X), X, tmp_path / "a")
    assert not list(tmp_path.iterdir())
