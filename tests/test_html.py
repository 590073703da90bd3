import re
from pathlib import Path

import numpy as np
import pytest
import sklearn
import torch
from sklearn.datasets import load_iris
from sklearn.pipeline import make_pipeline
from torch import nn

import sklearn_ae
from sklearn_ae import AutoencoderTransformer, AutoencoderTransformerCV, _html
from sklearn_ae._estimators import ESTIMATORS

X = load_iris().data


def network_of(text):
    """The table of the network, line by line; None without one."""
    table = re.search(r"<summary>(.*?)</summary><table>(.*?)</table></details>$", text)
    if table is None:
        return None
    rows = re.findall("<tr>(.*?)</tr>", table[2])
    return table[1], [re.findall("<t[hd]>(.*?)</t[hd]>", row) for row in rows]


def html_of(model):
    bundle = model._repr_mimebundle_()
    assert bundle["text/plain"] == repr(model)
    tables = network_of(bundle["text/html"]), network_of(model._repr_html_())
    assert tables[0] == tables[1]
    return tables[0]


def test_a_fitted_network_is_shown_layer_by_layer():
    model = AutoencoderTransformer(2, hidden_layer_sizes=(8,), max_iter=1)
    assert html_of(model) is None
    model.fit(X)
    codes = model.transform(X)
    title, (header, *lines) = html_of(model)
    assert header == ["layer", "kind", "output", "parameters"]
    assert ["encode.0", "Linear", "8", "40"] in lines  # 4 × 8 + 8
    assert ["decode.2", "Linear", "4", "36"] in lines
    assert ["encode_linear", "Linear", "2", "10"] in lines
    n_parameters = sum(int(line[3].replace(",", "")) for line in lines)
    assert title == f"DenseNetwork: {n_parameters} parameters"
    parameters = model.net_.module_.parameters()
    assert n_parameters == sum(p.numel() for p in parameters)
    # To look at it changes nothing, and leaves no hook behind.
    np.testing.assert_array_equal(model.transform(X), codes)
    assert not any(m._forward_hooks for m in model.net_.module_.modules())


@pytest.mark.parametrize(
    "name",
    [
        name
        for name in sklearn_ae.__all__
        if isinstance(getattr(sklearn_ae, name), type)
        and "n_components" in getattr(sklearn_ae, name)._get_param_names()
        and name != "AutoencoderTransformerCV"
    ],
)
def test_every_estimator_shows_all_its_parameters(name):
    data = np.random.default_rng(0).random((60, 64))
    model = getattr(sklearn_ae, name)(2, max_iter=1).fit(data)
    title, lines = html_of(model)
    shown = [int(line[3].replace(",", "")) for line in lines[1:]]
    parts = model.net_.module_, model.net_.criterion_
    assert sum(shown) == sum(p.numel() for part in parts for p in part.parameters())
    assert title.endswith(" parameters")


def test_a_search_shows_the_network_it_found():
    estimator = AutoencoderTransformer(max_iter=1, random_state=0)
    search = AutoencoderTransformerCV([1, 2], estimator=estimator, cv=2)
    assert html_of(search) is None
    search.fit(X)
    assert html_of(search) == html_of(search.best_estimator_)


def test_names_of_the_user_are_escaped_and_text_stays_text():
    class Own(nn.Module):
        def __init__(self, n_features, n_components, n_encoded):
            super().__init__()
            layer = type("<b>", (nn.Linear,), {})
            self.there, self.back = layer(n_features, n_encoded), layer(n_components, 4)

        def encode(self, x):
            return self.there(x)

        def decode(self, z):
            return self.back(z)

        def forward(self, x):
            return self.decode(self.encode(x))

    model = AutoencoderTransformer(2, module=Own, max_iter=1).fit(X)
    _, lines = html_of(model)
    assert ["there", "&lt;b&gt;", "2", "10"] in lines
    with sklearn.config_context(display="text"):
        assert "text/html" not in model._repr_mimebundle_()
        assert not hasattr(model, "_repr_html_")


def test_links_lead_to_our_pages_where_there_is_a_site(monkeypatch):
    model = AutoencoderTransformer()
    monkeypatch.setattr(_html, "documentation", lambda: None)
    assert model._get_doc_link() == ""
    assert 'href="https://scikit-learn.org' not in model._repr_html_()
    monkeypatch.setattr(_html, "documentation", lambda: "https://x.example/docs")
    address = "https://x.example/docs/api/sklearn_ae.AutoencoderTransformer.html"
    assert f'href="{address}' in model._repr_html_()
    assert f'href="{address}' in make_pipeline(model)._repr_html_()
    assert type("Own", (AutoencoderTransformer,), {})()._get_doc_link() == ""


def test_each_page_that_a_diagram_links_to_is_made():
    listed = (Path(__file__).parents[1] / "docs" / "api.md").read_text()
    section = listed.partition("## Estimators")[2].partition("##")[0]
    assert set(ESTIMATORS) <= set(section.split())


@pytest.mark.parametrize(
    ("lines", "address"),
    [
        (["Documentation, https://x.example/a/", "Home, b"], "https://x.example/a"),
        (["Documentation, https://example.org/a"], None),  # a placeholder
        (["Home, b"], None),
        ([], None),
    ],
)
def test_the_site_is_the_one_that_pyproject_names(monkeypatch, lines, address):
    class Metadata:
        def get_all(self, name, default):
            return lines or default

    monkeypatch.setattr(_html, "metadata", lambda name: Metadata())
    assert _html.documentation.__wrapped__() == address


def test_generators_are_not_moved():
    model = AutoencoderTransformer(2, max_iter=1).fit(X)
    state = torch.random.get_rng_state()
    model._repr_html_()
    assert torch.equal(torch.random.get_rng_state(), state)
