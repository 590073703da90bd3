"""The page that decodes what is under the cursor."""

import base64
import json
import shutil
import subprocess

import numpy as np
import pandas as pd
import pytest
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA

from sklearn_ae import AutoencoderTransformer
from sklearn_ae.plotting import hover_page


def page_data(file):
    """What a hover page holds, as its script reads it."""
    text = file.read_text(encoding="utf-8")
    data = json.loads(text.split("const page = ")[1].split(";\n")[0])
    dtype = "u1" if data["kind"] == "image" else "<f4"
    grid = np.frombuffer(base64.b64decode(data["grid"]), dtype)
    n = data["steps"]
    return data, grid.reshape(n, n, -1), text


# Runs a page's script with a document that takes everything, as a browser would after
# it was laid out; then says what it decodes.
BROWSER = """
const fs = require("fs"), anything = new Proxy(function () {}, {
  get: (_, name) => name === Symbol.toPrimitive ? () => 0 : anything,
  set: () => true, apply: () => anything,
});
global.document = anything;
const [file, codes, text] = process.argv.slice(1);
const script = fs.readFileSync(file, "utf8").match(/<script>([^]*)<.script>/)[1];
const rows = "; [JSON.parse(codes).map(code => [...decode(...code)]), short(text, 5)]";
console.log(JSON.stringify(eval(script.replace('"use strict";', "") + rows)));
"""


def bilinear(data, grid, code):
    """What lies between the four codes of the grid around one, by weights of areas."""
    left, right, low, high = data["ends"]
    n = data["steps"]
    at = [
        np.clip((code[0] - left) / (right - left), 0, 1) * (n - 1),
        np.clip((code[1] - low) / (high - low), 0, 1) * (n - 1),
    ]
    # Each code of the grid weighs as much as the square around it shares with this.
    weights = [np.clip(1 - np.abs(np.arange(n) - place), 0, None) for place in at]
    return np.einsum("i,j,ijk->k", weights[1], weights[0], grid.astype(float))


@pytest.mark.parametrize("kind", ["image", "curve", "columns"])
@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_its_script_decodes_what_is_between_codes(tmp_path, kind):
    X, y = load_digits(return_X_y=True)
    X, y = (X[:100], y[:100]) if kind == "image" else (X[:100, 2:52:3], y[:100])
    shape = (1, X.shape[1]) if kind == "curve" else None
    pca = PCA(2).fit(X)
    file = hover_page(pca, X, tmp_path / "a.html", y, image_shape=shape, n_steps=7)
    data, grid, _ = page_data(file)
    left, right, low, high = data["ends"]
    draws = np.random.default_rng(0).random((20, 2))
    codes = [[left, low], [right, high], [2 * left, high]]  # the last is not on it
    codes += ([left, low] + draws * [right - left, high - low]).tolist()
    call = ["node", "-e", BROWSER, str(file), json.dumps(codes), "🍷 of 1990"]
    result = subprocess.run(call, capture_output=True, text=True, check=True)
    rows, text = json.loads(result.stdout)
    assert text == "🍷 of…"  # of no half of a letter
    expected = [bilinear(data, grid, code) for code in codes]
    np.testing.assert_allclose(rows, expected, rtol=1e-9, atol=1e-9)
    # PCA is linear, so that nothing is lost between the codes of the grid.
    decoded = pca.inverse_transform(codes[3:])
    if kind == "image":
        inside = ((grid > 0) & (grid < 255)).all(axis=(0, 1))  # not clipped
        np.testing.assert_allclose(
            np.array(rows)[3:, inside], 255 / 16 * decoded[:, inside], atol=1
        )
    else:
        np.testing.assert_allclose(rows[3:], decoded, rtol=1e-4, atol=1e-4)


def test_between_codes_little_of_a_network_is_lost(tmp_path):
    X, y = load_digits(return_X_y=True)
    model = AutoencoderTransformer(2, max_iter=10, random_state=0).fit(X)
    data, grid, _ = page_data(hover_page(model, X, tmp_path / "a.html", y))
    codes = model.transform(X[:200])
    shown = np.array([bilinear(data, grid, code) for code in codes]) * 16 / 255
    lost = ((shown - model.inverse_transform(codes)) ** 2).mean()
    assert lost < 0.01 * ((model.reconstruct(X[:200]) - X[:200]) ** 2).mean()


def test_labels_stay_words(tmp_path):
    X = load_digits().data[:60]
    labels = ["</script><img src=x onerror=alert(1)>", "🍷 ${data} &amp;", "x" * 300]
    y = np.repeat(labels, 20)
    title = "</title><script>alert(1)</script> 🍷"
    file = hover_page(PCA(2).fit(X), X, tmp_path / "a.html", y, title=title)
    data, _, text = page_data(file)
    assert {name for *_, name in data["names"]} == set(labels)
    assert {name for name, _ in data["legend"]} == set(labels)
    assert text.count("<script") == text.count("</script>") == 1
    assert text.count("</title>") == 1
    assert "<img" not in text
    # Nor may anything in it ask for anything else.
    assert "default-src 'none'" in text
    assert "innerHTML" not in text


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
    assert "://" not in text


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
