"""scikit-learn's own decomposition tests, with ours in PCA's place.

    python -m benchmarks.decomposition_suite [--only FILE ...] [--failures]

The installed `sklearn/decomposition/tests` are run as they are: `PCA`, `TruncatedSVD`
and `IncrementalPCA` are `AutoencoderTransformer` of two epochs there, under a
signature that takes their other parameters too and does nothing with them. Prints how
many tests pass, and of those that fail the reason.
"""

import argparse
import re
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
import sklearn.decomposition
from sklearn.decomposition import tests

from sklearn_ae import AutoencoderTransformer

FILES = {
    "PCA": "test_pca.py",
    "TruncatedSVD": "test_truncated_svd.py",
    "IncrementalPCA": "test_incremental_pca.py",
}

MAX_ITER = 2  # epochs: these tests are about what an estimator takes and gives

# Of a failure: what is found in the test's name or in what it raised.
REASONS = {}


class PCA(AutoencoderTransformer):
    """Ours, where PCA is asked for."""

    def __init__(
        self,
        n_components=None,
        *,
        copy=True,
        whiten=False,
        svd_solver="auto",
        tol=0.0,
        iterated_power="auto",
        n_oversamples=10,
        power_iteration_normalizer="auto",
        random_state=None,
    ):
        super().__init__(n_components, max_iter=MAX_ITER, random_state=random_state)
        _ignore(self, locals())


class TruncatedSVD(AutoencoderTransformer):
    """Ours, where TruncatedSVD is asked for."""

    def __init__(
        self,
        n_components=2,
        *,
        algorithm="randomized",
        n_iter=5,
        n_oversamples=10,
        power_iteration_normalizer="auto",
        random_state=None,
        tol=0.0,
    ):
        super().__init__(n_components, max_iter=MAX_ITER, random_state=random_state)
        _ignore(self, locals())


class IncrementalPCA(AutoencoderTransformer):
    """Ours, where IncrementalPCA is asked for."""

    def __init__(self, n_components=None, *, whiten=False, copy=True, batch_size=None):
        super().__init__(n_components, max_iter=MAX_ITER)
        _ignore(self, locals())


def _ignore(model, given):
    # `tol` and `batch_size` mean something else with us.
    own = {"self", "n_components", "random_state", "__class__"}
    ours = AutoencoderTransformer().get_params()
    for name in given.keys() - own - ours.keys():
        setattr(model, name, given[name])


class Outcomes:
    """A pytest plugin that notes what becomes of tests."""

    def __init__(self):
        self.counts, self.failures = Counter(), []

    def pytest_runtest_logreport(self, report):
        """Note a test."""
        if report.when == "call" or report.outcome != "passed":
            self.counts[report.outcome] += 1
        if report.failed:
            crash = getattr(report.longrepr, "reprcrash", None)
            self.failures.append((report.nodeid, crash and crash.message))

    def pytest_collectreport(self, report):
        """Note a file that can't be read."""
        if report.failed:
            self.failures.append((report.nodeid, str(report.longrepr)[-300:]))


def run(name):
    """Return the outcomes of a class's tests."""
    original = getattr(sklearn.decomposition, name)
    outcomes = Outcomes()
    setattr(sklearn.decomposition, name, globals()[name])
    try:
        path = Path(next(iter(tests.__path__))) / FILES[name]
        options = ["-q", "-p", "no:cacheprovider", "--tb=short", "--no-header", "-c"]
        pytest.main([str(path), *options, "/dev/null", "-rN"], plugins=[outcomes])
    finally:
        setattr(sklearn.decomposition, name, original)
    return outcomes


def reason(test, message):
    """Return why a test fails."""
    for pattern, why in REASONS.items():
        if re.search(pattern, f"{test}\n{message}"):
            return why
    return "?"


def main(argv=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", nargs="+", default=list(FILES), choices=FILES)
    parser.add_argument("--failures", action="store_true", help="name each of them")
    options = parser.parse_args(argv)
    counts, reasons = {}, []
    for name in options.only:
        outcomes = run(name)
        counts[FILES[name]] = outcomes.counts
        for test, message in outcomes.failures:
            reasons.append((FILES[name], reason(test, message)))
            if options.failures:
                print(test.split("::")[-1], "|", str(message)[:200].replace("\n", " "))
    print(pd.DataFrame(counts).T.fillna(0).astype(int).to_string())
    table = pd.DataFrame(reasons, columns=["file", "reason"])
    print(table.groupby("file", sort=False)["reason"].value_counts().to_string())


if __name__ == "__main__":
    main()
