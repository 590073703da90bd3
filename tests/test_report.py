import base64
import hashlib
import html
import io
import re
import shlex
from html.parser import HTMLParser

import numpy as np
import pandas as pd
import pytest
import sklearn
from sklearn.datasets import load_digits, load_iris
from sklearn.decomposition import IncrementalPCA

pytest.importorskip("rich")
pytest.importorskip("matplotlib")

from sklearn_ae import AutoencoderTransformer
from sklearn_ae import _command as cli
from sklearn_ae._command import compare as command
from sklearn_ae._command.parser import parser
from sklearn_ae._command.pictures import colours
from sklearn_ae.compare import conclude

IRIS = load_iris(as_frame=True).frame


@pytest.fixture(autouse=True)
def _quick_and_tidy(monkeypatch, tmp_path):
    monkeypatch.setattr(
        command, "AutoencoderTransformer", lambda ordered: IncrementalPCA()
    )
    monkeypatch.chdir(tmp_path)


def page_of(*arguments):
    arguments = ["compare", *map(str, arguments), "--n-jobs", "1", "--cv", "2"]
    assert cli.main([*arguments, "--report", "x.html"]) == 0
    with open("x.html", encoding="utf-8") as file:
        return file.read()


class Page(HTMLParser):
    """What a page is made of, once its tags are found to be balanced."""

    def __init__(self, text):
        super().__init__()
        self.open, self.links, self.tags, self.cells = [], [], [], []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.links += [v for k, v in attrs if k in ("src", "href", "action")]
        if tag not in ("meta", "img", "br"):
            self.open.append(tag)
        if tag == "td":
            self.cells.append("")

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open and self.open[-1] == "td":
            self.cells[-1] += data


def pictures(page):
    """The pictures, as arrays."""
    from matplotlib.image import imread

    found = [link for link in page.links if link.startswith("data:image/png;base64,")]
    return [imread(io.BytesIO(base64.b64decode(x.partition(",")[2]))) for x in found]


def test_a_page_of_a_file_is_whole_and_safe(capsys):
    name = "a <b>&\"'.csv"
    IRIS.rename(columns={"target": "<script>x</script>"}).to_csv(name, index=False)
    sizes = ["--n-components", 1, 2]
    text = page_of(name, "--target", "<script>x</script>", *sizes)
    page = Page(text)
    # Nothing is loaded from anywhere, and nothing of the file's is markup.
    assert all(link.startswith("data:") for link in page.links)
    assert "url(" not in text
    assert "@import" not in text
    assert not {"script", "b", "link", "iframe"} & set(page.tags)
    results = pd.read_csv("comparison/comparison.csv")
    assert html.escape(conclude(results)) in text
    # The table has the numbers that the terminal had.
    printed = capsys.readouterr().out.splitlines()
    for size in ("1", "2"):
        line = next(x.split() for x in printed if x.split()[:2] == [size, "PCA"])
        start = page.cells.index(size)
        assert page.cells[start : start + 3] == line[:3]
    csv = next(x for x in page.links if x.startswith("data:text/csv;base64,"))
    inside = io.BytesIO(base64.b64decode(csv.partition(",")[2]))
    pd.testing.assert_frame_equal(pd.read_csv(inside), results)
    # Two curves, reconstructions, two scatters: none of them blank.
    drawn = pictures(page)
    assert len(drawn) == 5
    assert all(len(np.unique(p[..., :3].reshape(-1, 3), axis=0)) > 5 for p in drawn)
    # The command can be pasted.
    command = html.unescape(re.search("<pre>(.*?)</pre>", text, re.DOTALL)[1])
    assert shlex.split(command)[:5] == (
        ["sklearn-ae", "compare", name, "--target", "<script>x</script>"]
    )
    assert parser().parse_args(shlex.split(command)[1:]).n_components == [1, 2]
    assert {"1 2", "0", "no", sklearn.__version__} <= {*page.cells}


def test_an_ordered_autoencoder_is_fitted_once_for_all_pictures(monkeypatch, tmp_path):
    fits = []

    class Quick(AutoencoderTransformer):
        def __init__(self, n_components=2, ordered=True, max_iter=1, **params):
            super().__init__(n_components, ordered=ordered, max_iter=max_iter, **params)

        def fit(self, X, y=None):
            fits.append((self.n_components, len(X)))
            return super().fit(X, y)

    monkeypatch.setattr(command, "AutoencoderTransformer", Quick)
    X = load_digits().data[:200]
    np.save("x.npy", X)
    page = Page(page_of("x.npy", "--n-components", 1, 3, 4))
    assert fits == [(4, 100)] * 3  # two folds, and the pictures on as many rows
    assert len(pictures(page)) == 5  # a curve, reconstructions, codes, the loss
    assert hashlib.sha256((tmp_path / "x.npy").read_bytes()).hexdigest() in page.cells


def test_one_unit_has_no_scatter():
    np.save("x.npy", load_iris().data)
    text = page_of("x.npy", "--n-components", 1)
    assert len(pictures(Page(text))) == 2
    assert "from a code of size 1, the middle one." in text


def test_many_classes_have_no_colours():
    y = np.array([f"class {i % 40}" for i in range(400)])
    assert colours(y, slice(50), "y") is None
    assert colours(y[:20], slice(5), "y").name == "y"
    assert len(colours(np.arange(99.0), slice(5), None)) == 5


def test_refusals_come_before_the_work(capsys, monkeypatch, tmp_path):
    monkeypatch.setattr(command, "load", lambda options: pytest.fail("read the data"))
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    for path, words in (
        ("folder", "--report folder is a folder: name a file in it."),
        ("file/x.html", "--report file/x.html cannot be written to:"),
    ):
        assert cli.main(["compare", "--report", path]) == 2
        assert words in capsys.readouterr().err
