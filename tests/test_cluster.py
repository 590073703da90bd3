"""Many processes, of this machine or of others: each test's in a process of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import pytest
from skorch.callbacks import Callback

from sklearn_ae import AdversarialAutoencoder, AutoencoderTransformer
from sklearn_ae.callbacks import AverageGradients

PAGE = Path(__file__).parents[1] / "docs" / "user_guide" / "clusters.md"


def run(folder, script, *launcher, status=0, **env):
    """Run a script in a folder, by Python or a launcher; return what it printed."""
    (folder / "script.py").write_text(script)
    done = subprocess.run(
        [sys.executable, *launcher, "script.py"],
        cwd=folder,
        env={**os.environ, "OMP_NUM_THREADS": "1", **env},
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == status, done.stderr
    return done.stderr if status else done.stdout


SEARCHES = """
import os
import signal
from functools import partial
from pathlib import Path

import joblib
import numpy as np
import torch
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.model_selection import GridSearchCV
from skorch.callbacks import Callback

from sklearn_ae import AutoencoderTransformer, AutoencoderTransformerCV
from sklearn_ae.compare import compare_reducers


def scores(found):
    return [v for k, v in sorted(found.items()) if k.endswith("test_score")]


def same(found, expected):  # but for the rounding of other numbers of threads
    return np.allclose(found, expected, rtol=1e-5)


class KillOnce(Callback):
    def on_train_begin(self, net, **kwargs):
        if not os.path.exists("killed"):
            Path("killed").touch()
            os.kill(os.getpid(), signal.SIGKILL)


X = load_digits().data[:200]
estimator = AutoencoderTransformer(max_iter=5, random_state=0)


def code_size():
    search = AutoencoderTransformerCV((2, 4), estimator=estimator, cv=2)
    return scores(search.fit(X).cv_results_)


def grid(*callbacks):
    model = AutoencoderTransformer(max_iter=5, random_state=0, callbacks=callbacks)
    search = GridSearchCV(model, {"n_components": [2, 4]}, cv=3, refit=False)
    return scores(search.fit(X).cv_results_)


def comparison():
    table = compare_reducers(
        [PCA(), estimator], X, n_components=[2, 4], cv=2, random_state=0,
        metrics=["explained_variance"],
    )
    return table["explained_variance"]
"""

THREADS = """
def score(model, X, y=None):
    return {"score": model.score(X), "threads": torch.get_num_threads()}


for backend in ("sequential", "loky", "multiprocessing", "threading"):
    search = GridSearchCV(
        estimator, {"n_components": [2, 4]}, cv=2, scoring=score, refit=False
    )
    with joblib.parallel_config(backend, n_jobs=2):
        found = search.fit(X).cv_results_
    if backend == "sequential":
        expected = scores(found)
    print(same(scores(found), expected), int(max(found["mean_test_threads"])))
"""


def test_workers_share_the_cores(tmp_path):
    script = SEARCHES + THREADS
    lines = run(tmp_path, script, OMP_NUM_THREADS="").splitlines()
    share = max(1, joblib.cpu_count() // 2)
    assert lines[1:3] == [f"True {share}", "True 1"]
    assert lines[3].startswith("True")  # fits in threads take turns


DASK = """
if __name__ == "__main__":
    from dask.distributed import Client, LocalCluster

    size = dict(n_workers=2, threads_per_worker=1, dashboard_address=None)
    expected = code_size(), comparison(), grid()
    with LocalCluster(**size) as cluster, Client(cluster) as client:
        client.amm.stop()
        client.scatter = partial(client.scatter, broadcast=True)
        before = set(client.run(os.getpid).values())
        with joblib.parallel_config("dask"):
            found = code_size(), comparison(), grid(KillOnce())
        print(*map(same, found, expected))
        client.wait_for_workers(2)
        print(len(before - set(client.run(os.getpid).values())))
"""


@pytest.mark.heavy
def test_searches_on_dask_survive_a_killed_worker(tmp_path):
    pytest.importorskip("distributed")
    assert run(tmp_path, SEARCHES + DASK) == "True True True\n1\n"


def test_large_dask_arrays_are_streamed(monkeypatch):
    da = pytest.importorskip("dask.array")
    monkeypatch.setattr("sklearn_ae._engine.tables.HELD_CELLS", 1000)
    X = np.random.default_rng(0).random((300, 8))
    lazy = da.from_array(X, chunks=(70, -1))
    model = AutoencoderTransformer(2, max_iter=2, random_state=0).fit(lazy)
    expected = model.transform(X)
    np.testing.assert_array_equal(model.transform(lazy), expected)
    np.testing.assert_array_equal(model.fit(X).transform(X), expected)


RAY = """
import ray
from ray.util.joblib import register_ray

expected = code_size(), comparison(), grid()
ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False)
register_ray()
with joblib.parallel_config("ray", n_jobs=2):
    found = code_size(), comparison(), grid()
    where = joblib.Parallel()(joblib.delayed(os.getpid)() for _ in range(4))
print(*map(same, found, expected), os.getpid() in where)
"""


@pytest.mark.heavy
def test_searches_on_ray(tmp_path):
    pytest.importorskip("ray")
    assert run(tmp_path, SEARCHES + RAY).splitlines()[-1] == "True True True False"


def torchrun(n):
    return "-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={n}"


class OneOfMany(Callback):
    """Lets PCA be, as `AverageGradients` does."""

    one_of_many = True


def test_two_processes_take_the_steps_of_one(tmp_path):
    X = np.random.default_rng(0).normal(size=(256, 3)) @ np.ones((3, 12))
    X += np.random.default_rng(1).normal(size=X.shape)
    np.save(tmp_path / "rows.npy", X)
    (script,) = re.findall(r"^```py\n(.*?)^```", PAGE.read_text(), re.DOTALL | re.M)
    run(tmp_path, script, *torchrun(2))
    two = joblib.load(tmp_path / "model.joblib")
    # The script's rows are a batch of 128 in each process.
    one = AutoencoderTransformer(8, batch_size=128, random_state=0).partial_fit(X)
    start = one.transform(X)
    one.set_params(batch_size=256, callbacks=[OneOfMany()])
    for _ in range(10):
        one.partial_fit(X)
    assert two.n_iter_ == one.n_iter_ == 11
    assert abs(one.transform(X) - start).max() > 0.01
    np.testing.assert_allclose(two.transform(X), one.transform(X), atol=1e-4)


UNEQUAL = """
import numpy as np
import torch.distributed as dist

from sklearn_ae import AutoencoderTransformer
from sklearn_ae.callbacks import AverageGradients

dist.init_process_group("gloo")
X = np.random.default_rng(0).random((50, 4))
model = AutoencoderTransformer(random_state=0).partial_fit(X)
model.set_params(callbacks=[AverageGradients()]).partial_fit(X[dist.get_rank():])
"""


def test_unequal_shares_are_an_error_not_a_wait(tmp_path):
    errors = run(tmp_path, UNEQUAL, *torchrun(2), status=1)
    assert "Each process needs equally many rows. Theirs have [50, 49]" in errors


def test_gradients_that_would_not_be_averaged():
    X = np.random.default_rng(0).random((50, 4))
    model = AdversarialAutoencoder(callbacks=[AverageGradients()])
    with pytest.raises(ValueError, match="more than one optimizer"):
        model.partial_fit(X)
    model = AutoencoderTransformer(callbacks=[AverageGradients()])
    with pytest.raises(ValueError, match="is not initialized"):
        model.partial_fit(X)
    with pytest.raises(ValueError, match="for partial_fit, not for fit"):
        model.fit(X)
