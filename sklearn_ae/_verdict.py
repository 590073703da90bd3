"""What a comparison found: mean differences, their intervals, and words."""

import numpy as np
import pandas as pd
from scipy.stats import t as student_t

from ._measures import METRICS, check_results


def summarize(results, *, baseline="PCA", metric="explained_variance", confidence=0.95):
    """Compare each reducer with a baseline: mean differences and their intervals.

    The folds pair the reducers, and share most of their training rows: the plain
    t interval over folds would be too narrow. This one is the corrected resampled t
    interval, whose variance is that of the differences times
    1 / n_folds + n_test / n_train.

    Parameters
    ----------
    results : DataFrame
        What :func:`compare_reducers` returned.
    baseline : str, default="PCA"
        The reducer to compare with.
    metric : str, default="explained_variance"
        One of the columns that hold a metric.
    confidence : float, default=0.95
        Confidence level of the intervals, between 0 and 1.

    Returns
    -------
    pandas.DataFrame
        One row per reducer (but the baseline) and code size. Columns: ``reducer``,
        ``n_components``, ``mean`` and ``baseline_mean`` of the metric,
        ``difference`` (positive where the reducer's metric is greater), the ends of
        its interval ``low`` and ``high`` (NaN with a single fold) and ``verdict``:
        "better" or "worse" where the interval leaves out zero, otherwise "no clear
        difference". Differences below a millionth of the metric are rounding, and no
        clear ones.

    Raises
    ------
    ValueError
        If `results` lacks the baseline or the metric.

    References
    ----------
    C. Nadeau and Y. Bengio (2003). Inference for the generalization error. Machine
    Learning 52(3), 239-281.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_ae.compare import summarize
    >>> results = pd.DataFrame({
    ...     "reducer": ["PCA"] * 3 + ["ours"] * 3,
    ...     "n_components": 2,
    ...     "fold": [0, 1, 2] * 2,
    ...     "n_train": 100,
    ...     "n_test": 50,
    ...     "explained_variance": [0.5, 0.6, 0.7, 0.69, 0.8, 0.91],
    ... })
    >>> summarize(results).round(3).T
                                0
    reducer                  ours
    n_components                2
    mean                      0.8
    baseline_mean             0.6
    difference                0.2
    low                     0.161
    high                    0.239
    verdict                better
    """
    check_results(results, metric)
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie between 0 and 1. Got {confidence!r}.")
    reducers = list(dict.fromkeys(results["reducer"]))
    if baseline not in reducers:
        raise ValueError(f"baseline must be one of {reducers}. Got {baseline!r}.")
    folds = results.set_index(["reducer", "n_components", "fold"])
    rows = []
    for reducer in reducers:
        if reducer == baseline:
            continue
        pairs = folds.loc[reducer].assign(baseline=folds.loc[baseline][metric])
        pairs = pairs.dropna(subset=[metric, "baseline"])
        for size, pair in pairs.groupby(level="n_components", sort=False):
            mean, low, high = corrected_interval(
                pair[metric] - pair["baseline"],
                pair["n_train"],
                pair["n_test"],
                confidence,
            )
            rounding = 1e-6 * pair[[metric, "baseline"]].abs().max(axis=None)
            verdict = "no clear difference"
            if low * high > 0 and abs(mean) > rounding:
                gained = (mean > 0) == METRICS[metric].greater_is_better
                verdict = "better" if gained else "worse"
            rows.append(
                {
                    "reducer": reducer,
                    "n_components": size,
                    "mean": pair[metric].mean(),
                    "baseline_mean": pair["baseline"].mean(),
                    "difference": mean,
                    "low": low,
                    "high": high,
                    "verdict": verdict,
                }
            )
    columns = ["reducer", "n_components", "mean", "baseline_mean", "difference"]
    return pd.DataFrame(rows, columns=[*columns, "low", "high", "verdict"])


def conclude(results, *, baseline="PCA", confidence=0.95):
    """Say in words what a comparison found about the share of variance explained.

    Parameters
    ----------
    results : DataFrame
        What :func:`compare_reducers` returned, with ``explained_variance``.
    baseline : str, default="PCA"
        The reducer to compare with.
    confidence : float, default=0.95
        Confidence level of the intervals behind the verdicts.

    Returns
    -------
    str
        Two sentences per reducer: at which code sizes it is better and by how much,
        and what its fits cost.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_ae.compare import conclude
    >>> results = pd.DataFrame({
    ...     "reducer": ["PCA"] * 3 + ["ours"] * 3,
    ...     "n_components": 2,
    ...     "fold": [0, 1, 2] * 2,
    ...     "n_train": 100,
    ...     "n_test": 50,
    ...     "explained_variance": [0.5, 0.6, 0.7, 0.69, 0.8, 0.91],
    ...     "fit_seconds": [0.01] * 3 + [1.5] * 3,
    ... })
    >>> print(conclude(results))
    ours is better than PCA at code size 2, where it removes 50% of the variance that
    PCA leaves unexplained. A fit takes 1.5 s, PCA's 0.01 s.
    """
    summary = summarize(results, baseline=baseline, confidence=confidence)
    seconds = results.groupby("reducer")["fit_seconds"].mean()
    sentences = []
    for reducer, lines in summary.groupby("reducer", sort=False):
        clauses = []
        for verdict, words in (
            ("better", f"is better than {baseline}"),
            ("no clear difference", f"shows no clear difference from {baseline}"),
            ("worse", f"is worse than {baseline}"),
        ):
            found = lines[lines["verdict"] == verdict]
            if found.empty:
                continue
            sizes = [str(size) for size in found["n_components"]]
            sizes = " and ".join(filter(None, [", ".join(sizes[:-1]), sizes[-1]]))
            clause = f"{words} at code size{'s' * (len(found) > 1)} {sizes}"
            if verdict == "better":
                removed = found["difference"] / (1 - found["baseline_mean"])
                low, high = f"{removed.min():.0%}", f"{removed.max():.0%}"
                clause += (
                    f", where it removes {low if low == high else f'{low} to {high}'} "
                    f"of the variance that {baseline} leaves unexplained"
                )
            clauses.append(clause)
        sentences.append(f"{reducer} {'; it '.join(clauses)}.")
        sentences.append(
            f"A fit takes {seconds[reducer]:.2g} s, "
            f"{baseline}'s {seconds[baseline]:.2g} s."
        )
        if not (lines["verdict"] == "better").any():
            sentences.append(f"Without a clear gain, keep {baseline}.")
    return " ".join(sentences)


def corrected_interval(values, n_train, n_test, confidence):
    """Mean over folds, and its corrected resampled t interval (see `summarize`).

    Parameters
    ----------
    values, n_train, n_test : Series of shape (n_folds,)
        One number per fold. Folds whose value is NaN are left out.
    confidence : float
        Confidence level of the interval.

    Returns
    -------
    mean, low, high : float
        NaN ends where there are fewer than 2 values.
    """
    kept = values.notna()
    values, n_train, n_test = values[kept], n_train[kept], n_test[kept]
    if len(values) < 2:
        return (values.mean() if len(values) else np.nan), np.nan, np.nan
    inflation = 1 / len(values) + n_test.mean() / n_train.mean()
    half = student_t.ppf((1 + confidence) / 2, len(values) - 1) * np.sqrt(
        inflation * values.var(ddof=1)
    )
    mean = values.mean()
    return mean, mean - half, mean + half
