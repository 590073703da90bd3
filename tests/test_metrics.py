import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_digits, load_iris, load_wine
from sklearn.decomposition import NMF, PCA, IncrementalPCA, KernelPCA, TruncatedSVD
from sklearn.exceptions import NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.manifold import TSNE
from sklearn.metrics import r2_score
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    cross_validate,
    validation_curve,
)
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import MinMaxScaler, StandardScaler

from sklearn_ae import AutoencoderTransformer
from sklearn_ae.metrics import (
    continuity,
    explained_variance_share,
    neg_reconstruction_mse_scorer,
    reconstruction_mse,
    reconstruction_scorer,
    trustworthiness,
)

IRIS = load_iris().data
WINE = load_wine().data


@pytest.mark.parametrize("k", [1, 2, 3, 4])
def test_scorer_on_training_rows_is_explained_variance_ratio(k):
    pca = PCA(k).fit(IRIS)
    expected = pca.explained_variance_ratio_.sum()
    assert reconstruction_scorer(pca, IRIS) == pytest.approx(expected, abs=1e-12)


def test_share_on_held_out_rows_against_singular_vectors():
    train, test = WINE[::2], WINE[1::2]
    mean = train.mean(axis=0)
    directions = np.linalg.svd(train - mean)[2][:1]
    centred = test - mean
    residual = np.linalg.norm(centred - centred @ directions.T @ directions) ** 2
    pca = PCA(1).fit(train)
    share = explained_variance_share(
        test, pca.inverse_transform(pca.transform(test)), mean=mean
    )
    assert share == pytest.approx(1 - residual / np.linalg.norm(centred) ** 2)
    # The scorer knows no training mean: the rows' own mean is the baseline.
    own = np.linalg.norm(test - test.mean(axis=0)) ** 2
    assert reconstruction_scorer(pca, test) == pytest.approx(1 - residual / own)


def test_share_is_variance_weighted_r2():
    rng = np.random.default_rng(0)
    X = rng.normal(size=(50, 4)) * [1, 10, 100, 0.1]
    X_hat = X + rng.normal(size=X.shape)
    expected = r2_score(X, X_hat, multioutput="variance_weighted")
    assert explained_variance_share(X, X_hat) == pytest.approx(expected)


def test_mse():
    rng = np.random.default_rng(0)
    X, X_hat = rng.normal(size=(2, 7, 3))
    expected = sum((X[i, j] - X_hat[i, j]) ** 2 for i in range(7) for j in range(3))
    assert reconstruction_mse(X, X_hat) == pytest.approx(expected / 21)
    pca = PCA(2).fit(X)
    X_hat = pca.inverse_transform(pca.transform(X))
    expected = -((X - X_hat) ** 2).mean()
    assert neg_reconstruction_mse_scorer(pca, X) == pytest.approx(expected)


def test_constant_data():
    X = np.full((10, 3), 0.1)
    assert explained_variance_share(X, X) == 1.0
    assert explained_variance_share(X, X.astype(np.float32)) == 1.0
    assert explained_variance_share(X, X + 1) == 0.0
    assert explained_variance_share(X * 0, X * 0) == 1.0
    assert explained_variance_share(X * 0, X) == 0.0


@pytest.mark.parametrize("unit", [1e-12, 1e12])
def test_share_does_not_depend_on_the_unit(unit):
    pca = PCA(2).fit(WINE)
    pca_in_unit = PCA(2).fit(WINE * unit)
    expected = reconstruction_scorer(pca, WINE)
    assert reconstruction_scorer(pca_in_unit, WINE * unit) == pytest.approx(expected)


def test_statistics_in_float64():
    X = (1e4 + np.random.default_rng(0).normal(size=(1000, 3))).astype(np.float32)
    X_hat = np.broadcast_to(X.mean(axis=0, dtype=np.float64), X.shape)
    assert explained_variance_share(X, X_hat) == pytest.approx(0, abs=1e-12)


def test_pipeline_is_measured_in_its_input_units():
    pipeline = make_pipeline(StandardScaler(), PCA(2)).fit(WINE)
    scale, pca = pipeline[0], pipeline[1]
    code = ((WINE - scale.mean_) / scale.scale_) @ pca.components_.T
    X_hat = (code @ pca.components_) * scale.scale_ + scale.mean_
    expected = 1 - ((WINE - X_hat) ** 2).sum() / (WINE.var(axis=0) * len(WINE)).sum()
    assert reconstruction_scorer(pipeline, WINE) == pytest.approx(expected)


@pytest.mark.parametrize(
    "reducer",
    [
        PCA(2),
        IncrementalPCA(2),
        TruncatedSVD(2, algorithm="arpack"),
        NMF(2, max_iter=2000),
        KernelPCA(2, kernel="rbf", gamma=0.1, fit_inverse_transform=True, alpha=1e-3),
        make_pipeline(MinMaxScaler(clip=True), NMF(2, max_iter=5000)),
    ],
    ids=lambda reducer: type(reducer).__name__,
)
def test_any_reducer_scores(reducer):
    scores = cross_validate(
        reducer,
        IRIS,
        cv=KFold(3, shuffle=True, random_state=0),
        scoring={"share": reconstruction_scorer, "mse": neg_reconstruction_mse_scorer},
    )
    assert np.all(scores["test_share"] > 0.85)
    assert np.all((scores["test_mse"] > -0.2) & (scores["test_mse"] < 0))


def test_one_denominator_for_all_reducers_on_a_fold():
    # total variance = mse / (1 - share), whatever the reducer
    train, test = IRIS[::2], IRIS[1::2]
    totals = []
    for reducer in (PCA(1), KernelPCA(1, fit_inverse_transform=True), TruncatedSVD(1)):
        reducer.fit(train)
        mse = -neg_reconstruction_mse_scorer(reducer, test)
        totals.append(mse / (1 - reconstruction_scorer(reducer, test)))
    np.testing.assert_allclose(totals, test.var(axis=0).mean(), rtol=1e-9)


def test_search_over_two_kinds_of_reducer_chooses_by_reconstruction():
    pipeline = make_pipeline(StandardScaler(with_std=False), PCA())
    grid = {
        "pca": [PCA(), TruncatedSVD(algorithm="arpack")],
        "pca__n_components": [1, 3],
    }
    search = GridSearchCV(pipeline, grid, scoring=reconstruction_scorer, cv=3)
    search.fit(IRIS)
    assert search.best_params_["pca__n_components"] == 3
    # a fitted search is itself a reducer
    assert reconstruction_scorer(search, IRIS) > 0.99
    halving = HalvingGridSearchCV(
        PCA(), {"n_components": [1, 2, 3]}, scoring=reconstruction_scorer, cv=3
    )
    assert halving.fit(IRIS).best_params_ == {"n_components": 3}
    _, shares = validation_curve(
        PCA(),
        IRIS,
        None,
        param_name="n_components",
        param_range=[1, 2, 3],
        scoring=reconstruction_scorer,
    )
    assert np.all(np.diff(shares.mean(axis=1)) > 0)


def test_autoencoder_beside_pca():
    autoencoder = AutoencoderTransformer(
        2, hidden_layer_sizes=(8,), max_iter=2, random_state=0
    )
    train, test = WINE[::2], WINE[1::2]
    autoencoder.fit(train)
    share = explained_variance_share(
        test, autoencoder.reconstruct(test), mean=train.mean(axis=0)
    )
    assert share == pytest.approx(autoencoder.score(test), abs=1e-6)
    search = GridSearchCV(
        make_pipeline(StandardScaler(), PCA()),
        {"pca": [PCA(), autoencoder], "pca__n_components": [1, 2]},
        scoring=reconstruction_scorer,
        cv=2,
    ).fit(WINE)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    assert search.best_score_ == max(search.cv_results_["mean_test_score"])


@pytest.mark.parametrize("container", ["pandas", "polars"])
def test_dataframes_and_set_output(container):
    frame = pytest.importorskip(container).DataFrame(
        {f"column {j}": IRIS[:, j] for j in range(4)}
    )
    expected = reconstruction_scorer(PCA(2).fit(IRIS), IRIS)
    reducer = PCA(2).set_output(transform=container).fit(frame)
    assert reconstruction_scorer(reducer, frame) == pytest.approx(expected)
    pipeline = make_pipeline(StandardScaler(with_std=False), PCA(2))
    pipeline.set_output(transform=container).fit(frame)
    assert reconstruction_scorer(pipeline, frame) == pytest.approx(expected)


def test_sparse():
    X = load_digits().data[:200]
    svd = TruncatedSVD(5, random_state=0).fit(csr_matrix(X))
    assert reconstruction_scorer(svd, csr_matrix(X)) == pytest.approx(
        reconstruction_scorer(svd, X)
    )


def test_no_way_back():
    scaled = make_pipeline(StandardScaler(), make_column_transformer((PCA(1), [0, 1])))
    with pytest.raises(
        TypeError, match=r"step 'columntransformer' \(ColumnT.* has no inverse_tr"
    ):
        reconstruction_scorer(scaled.fit(IRIS), IRIS)
    with pytest.raises(TypeError, match=r"^TSNE has no transform"):
        reconstruction_scorer(TSNE(), IRIS)
    kernel_pca = KernelPCA(2).fit(IRIS)
    with pytest.raises(ValueError, match=r"KernelPCA.* set fit_inverse_transform=True"):
        reconstruction_scorer(kernel_pca, IRIS)
    with pytest.raises(NotFittedError):
        reconstruction_scorer(NMF(), IRIS)


def test_bad_input():
    with pytest.raises(ValueError, match="single row"):
        reconstruction_scorer(PCA(2).fit(IRIS), IRIS[:1])
    one = explained_variance_share(IRIS[:1], IRIS[:1] + 1, mean=IRIS[0] - 2)
    assert one == pytest.approx(1 - 4 / 16)
    with pytest.raises(ValueError, match=r"shape of X, \(150, 4\)\. Got \(150, 3\)"):
        reconstruction_mse(IRIS, IRIS[:, :3])
    with pytest.raises(ValueError, match="each of the 4 columns"):
        explained_variance_share(IRIS, IRIS, mean=0.0)
    with pytest.raises(ValueError, match="X_reconstructed contains NaN"):
        reconstruction_mse(IRIS, IRIS * np.nan)


def _continuity_by_hand(X, Z, k):
    """Venna & Kaski (2006), equation by equation, with plain Python lists."""
    n = len(X)

    def order(data, i):
        distances = [(sum((data[i] - data[j]) ** 2), j) for j in range(n) if j != i]
        return [j for _, j in sorted(distances)]

    penalty = 0
    for i in range(n):
        near, code_order = order(X, i)[:k], order(Z, i)
        for j in near:
            if j not in code_order[:k]:
                penalty += code_order.index(j) + 1 - k
    return 1 - 2 * penalty / (n * k * (2 * n - 3 * k - 1))


@pytest.mark.parametrize("k", [1, 5, 9])
def test_continuity_by_hand(k):
    rng = np.random.default_rng(k)
    X, Z = rng.normal(size=(40, 5)), rng.normal(size=(40, 2))
    expected = _continuity_by_hand(X, Z, k)
    assert continuity(X, Z, n_neighbors=k) == pytest.approx(expected)
    assert continuity(X, Z, n_neighbors=k) != pytest.approx(
        trustworthiness(X, Z, n_neighbors=k)
    )


def test_continuity_tells_tearing_from_gluing():
    # A ring cut open and laid on a line tears (continuity suffers); two clusters
    # laid on top of each other are glued (trustworthiness suffers).
    angle = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    ring = np.c_[np.cos(angle), np.sin(angle)]
    cut = angle[:, None]
    assert trustworthiness(ring, cut) > continuity(ring, cut)
    rng = np.random.default_rng(0)
    blob = rng.normal(size=(60, 2))
    clusters = np.c_[blob, np.repeat([0, 100], 30)]
    assert continuity(clusters, blob) > trustworthiness(clusters, blob)
    assert continuity(blob, blob) == 1.0
    with pytest.raises(ValueError, match="n_neighbors"):
        continuity(ring[:8], ring[:8], n_neighbors=4)


def test_rows_are_paired_by_position_not_index():
    frame = pd.DataFrame(IRIS, index=np.arange(150)[::-1])
    assert explained_variance_share(frame, IRIS) == 1.0


def test_scorers_notice_a_pca_that_has_cancelled():
    rng = np.random.default_rng(0)
    near = 60 * (rng.normal(size=(500, 2)) @ rng.normal(size=(2, 12)))
    near += 18 * rng.normal(size=near.shape)
    far = (1e5 + near).astype(np.float32)
    for scorer in (reconstruction_scorer, neg_reconstruction_mse_scorer):
        for pca in (PCA(2), make_pipeline(StandardScaler(with_mean=False), PCA(2))):
            with pytest.warns(
                UserWarning, match="This PCA has too few digits.*svd_solver"
            ):
                scorer(pca.fit(far), far)
            scorer(pca.fit(near), near)
        scorer(PCA(2, svd_solver="full").fit(far), far)
        scorer(PCA(2, whiten=True).fit(near), near)
        scorer(PCA(2).fit(1e5 + near), 1e5 + near)  # float64 keeps enough
