"""What the command prints: the table of a comparison, a bar while it waits."""

import contextlib
import sys

import numpy as np
from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress
from rich.table import Table


def console():
    """Return where the results are printed: stdout."""
    printed = Console(markup=False, emoji=False, highlight=False)
    if not printed.is_terminal:
        printed.width = 104  # the table's, without a break
    return printed


def cells(results, summary, measure):
    """Return the table of a comparison: its header, and its lines as text.

    Parameters
    ----------
    results, summary : DataFrame
        What `compare_reducers` and `summarize` returned.
    measure : str or None
        What the k-NN score is: "accuracy", "R²", or None for no column.

    Returns
    -------
    header : list of str
        In two lines; the first is empty over columns of text.
    lines : list of list of str
    """
    header = ["code\nsize", "\nreducer", "variance\nexplained"]
    header += ["difference to PCA\n[95% interval]", "\nverdict"]
    header += [] if measure is None else [f"k-NN\n{measure}"]
    header += ["fit\nseconds"]
    means = results.groupby(["n_components", "reducer"], sort=False).mean()
    summary = summary.set_index(["n_components", "reducer"])
    lines = []
    for size in results["n_components"].unique():
        for reducer in results["reducer"].unique():
            mean = means.loc[size, reducer]
            difference = verdict = ""
            if (size, reducer) in summary.index:
                line = summary.loc[(size, reducer)]
                verdict = line["verdict"]
                points = [f"{100 * line[end]:+.2f}" for end in ("low", "high")]
                difference = f"{100 * line['difference']:+.2f} [{', '.join(points)}]"
            line = [str(size), reducer, f"{mean['explained_variance']:.2%}"]
            line += [difference, verdict]
            line += [] if measure is None else [f"{mean['knn_score']:.3f}"]
            lines.append([*line, f"{mean['fit_seconds']:.3f}"])
    return header, lines


def rich_table(header, lines, n_reducers):
    """Return a comparison's table to print, with a gap after each code size."""
    printed = Table(box=SIMPLE, padding=(0, 1, 0, 0), show_edge=False)
    for name in header:
        justify = "left" if name.startswith("\n") else "right"
        overflow = "fold" if name == "\nreducer" else "ellipsis"
        printed.add_column(name, justify=justify, overflow=overflow)
    for i, line in enumerate(lines, 1):
        printed.add_row(*line, end_section=i % n_reducers == 0)
    return printed


@contextlib.contextmanager
def progress_bar():
    """Draw a bar on stderr, if that is a terminal; give a hook that moves it."""
    if not sys.stderr.isatty():  # some releases of rich leave an empty line there
        yield None
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("fitting", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def target_in_words(y, measure):
    """Say what kind of target there is."""
    if measure == "accuracy":
        return f"{len(np.unique(y))} classes"
    return "a target of numbers"
