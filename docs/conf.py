"""Sphinx: the guide in Markdown, the API from docstrings, the gallery from scripts.

Everything is built from this folder and the installed package. Without a network only
links to pages of other projects are missing.
"""

import tomllib
from pathlib import Path

from sphinx.util import logging
from sphinx_gallery.directives import imgsgnode

import sklearn_ae

project = "sklearn-ae"
author = "The sklearn-ae developers"
copyright = author
version = release = sklearn_ae.__version__

extensions = [
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "numpydoc",
    "myst_parser",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "examples", "sg_execution_times.rst"]
nitpicky = False  # names of other projects are links only where there is a network

# Where a project's own list of names can't be had, an empty one stands in for it: else
# no network would be a warning, and warnings are errors.
OTHERS = {
    "sklearn": "https://scikit-learn.org/stable",
    "skorch": "https://skorch.readthedocs.io/en/stable",
    "torch": "https://docs.pytorch.org/docs/stable",
    "numpy": "https://numpy.org/doc/stable",
    "pandas": "https://pandas.pydata.org/docs",
    "matplotlib": "https://matplotlib.org/stable",
}
intersphinx_mapping = {
    name: (address, (None, "no_names.inv")) for name, address in OTHERS.items()
}
intersphinx_timeout = 10
intersphinx_cache_limit = 0  # lists that could not be had are asked for next time

myst_enable_extensions = ["colon_fence", "deflist"]
myst_heading_anchors = 3

# Names in single backticks become links where they are ours, else code.
default_role = "py:obj"

autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_default_options = {
    "members": True,
    "inherited-members": True,
    # What scikit-learn gives every transformer is named in api.md instead: its
    # docstrings refer to pages of its own site.
    "exclude-members": "fit_transform, get_feature_names_out, get_metadata_routing, "
    "set_fit_request, set_partial_fit_request, set_score_request, set_output",
}
numpydoc_show_class_members = False

sphinx_gallery_conf = {
    "examples_dirs": "examples",
    "gallery_dirs": "auto_examples",
    "filename_pattern": r"/plot_",
    "within_subsection_order": "FileNameSortKey",
    "doc_module": ("sklearn_ae",),
    "reference_url": {"sklearn_ae": None},
    "abort_on_example_error": True,
    "download_all_examples": False,
    "show_memory": False,
    "show_signature": False,
    "write_computation_times": False,
    # An estimator's diagram is scikit-learn's, and not what the page is about.
    "capture_repr": (),
}

html_theme = "furo"
html_title = "sklearn-ae"
html_static_path = ["_static"]
html_css_files = ["narrow.css"]
html_show_sphinx = False
html_show_sourcelink = False
html_copy_source = False

ALT_TEXTS = tomllib.loads((Path(__file__).parent / "alt_texts.toml").read_text("utf-8"))


def describe_figures(app, doctree):
    """Give the gallery's figures the texts of alt_texts.toml, not their titles."""
    for figure in doctree.findall(imgsgnode):
        name = Path(figure["uri"]).stem
        script, _, number = name.removeprefix("sphx_glr_").rpartition("_")
        texts = ALT_TEXTS.get(script, [])
        if int(number) > len(texts):
            logging.getLogger(__name__).warning(
                "alt_texts.toml says nothing of %s", name, location=figure
            )
        else:
            figure["alt"] = texts[int(number) - 1]


def setup(app):
    app.connect("doctree-read", describe_figures)
