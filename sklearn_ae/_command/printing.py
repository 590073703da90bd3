"""What the command prints: the table of a comparison, a bar while it waits."""

import contextlib
import sys

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import Progress, TimeElapsedColumn
from rich.table import Table

from .._verdict import difference_in_words


def console(quiet=False):
    """Return where the results are printed: stdout, or nowhere."""
    printed = Console(markup=False, emoji=False, highlight=False, quiet=quiet)
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
                difference = difference_in_words(line)
            line = [str(size), reducer, f"{mean['explained_variance']:.2%}"]
            line += [difference, verdict]
            line += [] if measure is None else [f"{mean['knn_score']:.3f}"]
            lines.append([*line, f"{mean['fit_seconds']:.3f}"])
    return header, lines


def rich_table(header, lines, results, width):
    """Return a comparison's table to print, with a gap after each code size.

    Where the terminal is narrow, names are shorter, and the seconds are left out: the
    verdict has them too.
    """
    if _width(header, lines) > width:
        header, lines = header[:-1], [line[:-1] for line in lines]
        for line in lines:
            line[1] = line[1].removesuffix("Transformer")
    gap = int(_width(header, lines) + len(header) <= width)
    printed = Table(box=SIMPLE, padding=(0, gap, 0, 0), show_edge=False)
    for name in header:
        justify = "left" if name.startswith("\n") else "right"
        printed.add_column(name, justify=justify, no_wrap=name != "\nreducer")
    n_reducers = results["reducer"].nunique()
    for i, line in enumerate(lines, 1):
        printed.add_row(*line, end_section=i % n_reducers == 0)
    return printed


def _width(header, lines):
    """Return what a table takes, its columns one space apart."""
    columns = zip(*lines, strict=True)
    return sum(
        1 + max(map(len, (*name.split("\n"), *column)))
        for name, column in zip(header, columns, strict=True)
    )


@contextlib.contextmanager
def progress_bar(n_first):
    """Draw a bar on stderr, if that is a terminal; give a hook that moves it.

    Parameters
    ----------
    n_first : int
        PCA's fits come first and take no time: they do not move the bar, so that its
        estimate is that of the others.
    """
    if not sys.stderr.isatty():  # some releases of rich leave an empty line there
        yield None
        return
    columns = (*Progress.get_default_columns(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("fitting", total=None)

        def move(done, total):
            few = min(n_first, total - 1)
            bar.update(task, completed=max(done - few, 0), total=total - few)

        yield move
