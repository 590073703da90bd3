"""What is said about a verdict besides it."""

SAME = 1e-5  # shares of variance nearer than this are one fit's: PCA's, in float32

ORDERED = (
    "One fit with an ordered code served all sizes: a fit for the size you choose does "
    "better still (--separate shows it)."
)
TRY = (
    "One fit with an ordered code served all sizes, and found no clear gain: try "
    "--separate, which fits each size by itself, before you keep PCA."
)


def remarks_on(results, summary, ours, *, ordered):
    """Return what is to be said before and after the verdict.

    Parameters
    ----------
    results, summary : DataFrame
        What `compare_reducers` and `summarize` returned.
    ours : str
        The autoencoder's name.
    ordered : bool
        Whether one fit served all sizes.

    Returns
    -------
    before, after : list of str
    """
    better = (summary["verdict"] == "better").any()
    before = [TRY] if ordered and not better else []
    after = [ORDERED] if ordered and better else []
    return before, fell_back(results, ours) + after


def fell_back(results, ours, baseline="PCA"):
    """Say in how many folds a fit kept its start, which is PCA, and at which sizes.

    Parameters
    ----------
    results : DataFrame
        What `compare_reducers` returned.
    ours, baseline : str
        The names of the two.

    Returns
    -------
    list of str
        Empty if each fit gained something.
    """
    shares = results.pivot_table(
        index="n_components", columns=["reducer", "fold"], values="explained_variance"
    )
    same = ((shares[ours] - shares[baseline]).abs() < SAME).sum(axis=1)
    same = same[same > 0]
    if same.empty:
        return []
    n_folds = results["fold"].nunique()
    folds = [f"{n} of {n_folds} folds at size {size}" for size, n in same.items()]
    if same.nunique() == 1:
        sizes = ", ".join(map(str, same.index))
        folds = [
            f"{same.iloc[0]} of {n_folds} folds at size{'s' * (len(same) > 1)} {sizes}"
        ]
    where = "; ".join(folds)
    return [f"The fit found nothing better than {baseline} and kept it in {where}."]
