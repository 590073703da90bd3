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
        its interval ``low`` and ``high`` (NaN with a single fold; no further than the
        metric can go: no share above 1) and ``verdict``:
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
            rows.append(
                {
                    "reducer": reducer,
                    "n_components": size,
                    **_compare_pairs(pair, metric, confidence),
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
        sentences.append(f"{reducer} {_verdicts_in_words(lines, baseline)}.")
        sentences += _starts_in_words(results[results["reducer"] == reducer])
        sentences.append(
            f"A fit takes {seconds[reducer]:.2g} s, "
            f"{baseline}'s {seconds[baseline]:.2g} s."
        )
        if not (lines["verdict"] == "better").any():
            advice = f"Without a clear gain, keep {baseline}."
            if reducer in results.attrs.get("ordered", ()):
                advice = (
                    "One ordered fit served all code sizes: a fit for each "
                    "(ordered=False, on the command line --separate) may gain where "
                    f"it did not. If that gains nothing either, keep {baseline}."
                )
            sentences.append(advice)
    return " ".join(sentences)


def difference_in_words(line):
    """Write a difference of shares and its interval in percentage points.

    Parameters
    ----------
    line : Series or mapping
        A line of `summarize`.

    Returns
    -------
    str
        Such as "+1.23 [+0.50, +1.96]": zero without a sign; a clear difference with as
        many digits as show it; no brackets where there is no interval.
    """
    values = [100 * line[name] for name in ("difference", "low", "high")]
    decimals, smallest = 2, min(map(abs, values))
    if line["verdict"] != "no clear difference" and 0 < smallest < 0.005:
        decimals = min(6, int(np.ceil(-np.log10(smallest))))
    texts = [f"{value:+.{decimals}f}" for value in values]
    texts = [text[1:] if float(text) == 0 else text for text in texts]
    if np.isnan(values).any():
        return texts[0]
    return f"{texts[0]} [{texts[1]}, {texts[2]}]"


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


def _compare_pairs(pair, metric, confidence):
    """Return what `summarize` says of one reducer at one code size."""
    differences = pair[metric] - pair["baseline"]
    mean, low, high = corrected_interval(
        differences, pair["n_train"], pair["n_test"], confidence
    )
    rounding = 1e-6 * pair[[metric, "baseline"]].abs().max(axis=None)
    verdict = "no clear difference"
    if low * high > 0 and abs(mean) > rounding:
        gained = (mean > 0) == METRICS[metric].greater_is_better
        verdict = "better" if gained else "worse"
    of_reducer, of_baseline = pair[metric].mean(), pair["baseline"].mean()
    # The baseline leaves only so much to gain.
    possible = np.array(METRICS[metric].bounds) - of_baseline
    low, high = np.clip([low, high], *possible).tolist()
    return {
        "mean": of_reducer,
        "baseline_mean": of_baseline,
        "difference": mean,
        "low": low,
        "high": high,
        "verdict": verdict,
    }


def _listed(items):
    """Write a list with "and" before its last item."""
    *first, last = map(str, items)
    return " and ".join(filter(None, [", ".join(first), last]))


def _at_sizes(sizes):
    return f"at code size{'s' * (len(sizes) > 1)} {_listed(sizes)}"


def _verdicts_in_words(lines, baseline):
    """Say at which code sizes a reducer is better, not clearly different, and worse."""
    clauses = []
    for verdict, words in (
        ("better", f"is better than {baseline}"),
        ("no clear difference", f"shows no clear difference from {baseline}"),
        ("worse", f"is worse than {baseline}"),
    ):
        found = lines[lines["verdict"] == verdict]
        if found.empty:
            continue
        clause = f"{words} {_at_sizes(found['n_components'])}"
        if verdict == "better":
            removed = found["difference"] / (1 - found["baseline_mean"])
            low, high = f"{removed.min():.0%}", f"{removed.max():.0%}"
            clause += (
                f", where it removes {low if low == high else f'{low} to {high}'} "
                f"of the variance that {baseline} leaves unexplained"
            )
        clauses.append(clause)
    return "; it ".join(clauses)


def _starts_in_words(results):
    """Say in how many folds a reducer kept its start, and at which code sizes."""
    if "kept_start" not in results:
        return []
    folds = results.groupby("n_components", sort=False)["kept_start"]
    n_kept, n_folds = folds.sum(), folds.size().max()
    clauses = [
        f"in {count} of {n_folds} folds {_at_sizes(sizes.index)}"
        for count, sizes in n_kept[n_kept > 0].groupby(n_kept)
    ]
    if not clauses:
        return []
    return [f"Training gained nothing and its start, PCA, was kept {_listed(clauses)}."]
