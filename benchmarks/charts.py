"""Bar charts of the benchmarks' tables."""

from pathlib import Path


def bars(table, path, xlabel, titles=None, log=False):
    """Draw a chart for each column of a table, side by side, and save it.

    Parameters
    ----------
    table : DataFrame
        A bar for each row; NaN for none.
    path : str
        Of the PNG.
    xlabel : str
        What is measured, with its unit.
    titles : sequence of str, default=None
        Of the columns, by default their names.
    log : bool, default=False
        Whether the axis is logarithmic.
    """
    from matplotlib import pyplot as plt

    n_columns = table.shape[1]
    figure, axes = plt.subplots(
        1,
        n_columns,
        figsize=(1.5 + 3.2 * n_columns, 0.8 + 0.32 * len(table)),
        sharey=True,
        squeeze=False,
        layout="constrained",
    )
    for ax, name, title in zip(axes[0], table, titles or table, strict=True):
        values = table[name][::-1]
        colours = ["#0072B2" if "ours" in row else "0.7" for row in values.index]
        drawn = ax.barh(values.index, values, color=colours, edgecolor="black", lw=0.5)
        numbers = [f"{v:,.0f}" if v >= 100 else f"{v:.3g}" for v in values]
        ax.bar_label(drawn, numbers, padding=3)
        ax.set_title(title, fontsize="medium")
        ax.set_xlabel(xlabel)
        if log:
            ax.set_xscale("log")
        else:
            ax.locator_params(axis="x", nbins=4)
        ax.margins(x=0.25)
        ax.spines[["top", "right"]].set_visible(False)
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=120)
    plt.close(figure)
