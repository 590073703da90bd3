"""What an error advises is what works for how the package was installed."""

import json
from importlib.metadata import PackageNotFoundError

import pytest

from sklearn_ae import _extras


class Installed:
    def __init__(self, origin):
        self.origin = origin

    def read_text(self, name):
        assert name == "direct_url.json"
        return self.origin and json.dumps(self.origin)


@pytest.mark.parametrize(
    ("origin", "command"),
    [
        (None, 'pip install "sklearn-ae[cli]"'),
        (
            {"url": "file:///home/a%20b/clone", "dir_info": {"editable": True}},
            'pip install -e "/home/a b/clone[cli]"',
        ),
        (
            {"url": "file:///home/a/clone", "dir_info": {}},
            'pip install "/home/a/clone[cli]"',
        ),
        (
            {"url": "file:///tmp/sklearn_ae-1-py3-none-any.whl", "archive_info": {}},
            'pip install "/tmp/sklearn_ae-1-py3-none-any.whl[cli]"',
        ),
        (
            {"url": "https://host/it.git", "vcs_info": {"vcs": "git"}},
            'pip install "sklearn-ae[cli] @ git+https://host/it.git"',
        ),
        (
            {"url": "https://host/it.whl", "archive_info": {}},
            'pip install "sklearn-ae[cli] @ https://host/it.whl"',
        ),
    ],
)
def test_an_extra_is_installed_from_where_the_package_came(
    monkeypatch, origin, command
):
    monkeypatch.setattr(_extras, "distribution", lambda name: Installed(origin))
    assert _extras.how_to_install("cli") == command


def test_an_extra_of_a_folder_that_is_not_installed(monkeypatch):
    def missing(name):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(_extras, "distribution", missing)
    assert _extras.how_to_install("cli").startswith('pip install -e ".[cli]"')
