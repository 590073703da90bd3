"""The command `sklearn-ae`, which tells whether an autoencoder is worth it."""

import argparse
import contextlib
import shlex
import sys
import tempfile
import warnings
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from . import AutoencoderTransformer, __version__
from ._datasets import IMAGE_SETS, Table, load_images, read_table
from ._report import cells, report
from .compare import compare_reducers, conclude, holds_classes, summarize
from .plotting import ComparisonDisplay

MAX_ROWS = 5000
ORDERED = (
    "One fit with an ordered code served all sizes: a fit for the size you choose does "
    "better still (--separate shows it)."
)


def main(argv=None):
    """Run the command.

    Parameters
    ----------
    argv : list of str, default=None
        The arguments; by default those of the process.

    Returns
    -------
    int
        The exit status: 0, or 2 after a sentence on stderr about what was wrong.
    """
    argv = sys.argv[1:] if argv is None else argv
    options = _parser().parse_args(argv)
    options.command = shlex.join(["sklearn-ae", *argv])
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("default", UserWarning)
            warnings.showwarning = _show_warning
            _compare(options)
    except KeyboardInterrupt:
        print("sklearn-ae: interrupted.", file=sys.stderr)
        return 130
    except (ImportError, OSError, RuntimeError, ValueError) as error:
        print(f"sklearn-ae: error: {_one_line(error)}", file=sys.stderr)
        return 2
    return 0


def _parser():
    parser = argparse.ArgumentParser(
        prog="sklearn-ae", description="Autoencoders beside PCA, for scikit-learn."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    compare = commands.add_parser(
        "compare",
        help="compare an autoencoder with PCA on held-out data",
        description="Compare AutoencoderTransformer with PCA on held-out data: how "
        "much of the variance each explains, code size by code size. Prints a table "
        "and a verdict, and writes comparison.csv and comparison.png.",
    )
    compare.add_argument(
        "data",
        nargs="?",
        default="digits",
        metavar="DATA",
        help="digits, fashion-mnist, mnist, or a .csv, .parquet or .npy file "
        "(default: %(default)s)",
    )
    compare.add_argument(
        "--target",
        metavar="COLUMN",
        help="the file's column to predict from the code; kept out of the data",
    )
    compare.add_argument(
        "--scale",
        action="store_true",
        help="standardize the columns first, so that each counts alike",
    )
    compare.add_argument(
        "--n-components",
        nargs="+",
        type=_whole(1),
        default=[1, 2, 3, 4, 6, 8, 12, 16],
        metavar="SIZE",
        help="code sizes (default: 1 2 3 4 6 8 12 16)",
    )
    compare.add_argument(
        "--separate",
        action="store_true",
        help="fit an autoencoder for each code size, which takes longer and does "
        "better, rather than an ordered one for all",
    )
    compare.add_argument(
        "--cv",
        type=_whole(2),
        default=5,
        metavar="FOLDS",
        help="number of folds (default: %(default)s)",
    )
    compare.add_argument(
        "--n-jobs",
        type=_whole(1),
        default=joblib.cpu_count(),
        metavar="N",
        help="fits to run at a time (default: %(default)s)",
    )
    compare.add_argument(
        "--random-state",
        type=_whole(0),
        default=0,
        metavar="SEED",
        help="seed (default: %(default)s)",
    )
    compare.add_argument(
        "--max-rows",
        type=_whole(0),
        default=MAX_ROWS,
        metavar="N",
        help="larger data are sampled down to this many rows; 0 for no limit "
        "(default: %(default)s)",
    )
    compare.add_argument(
        "--data-dir",
        type=Path,
        metavar="DIR",
        help="the folder of mnist/ and fashion-mnist/ (else that of the environment "
        "variable SKLEARN_AE_DATA, else OpenML)",
    )
    compare.add_argument(
        "--output",
        type=Path,
        default=Path("comparison"),
        metavar="DIR",
        help="the folder to write to (default: %(default)s)",
    )
    compare.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="write all of it, and pictures of one more fit, to a page of HTML that "
        "needs no network, such as report.html",
    )
    return parser


def _whole(smallest):
    def whole_number(text):
        number = int(text)
        if number < smallest:
            raise argparse.ArgumentTypeError(f"must be {smallest} or more, not {text}")
        return number

    return whole_number


def _compare(options):
    try:
        import matplotlib.figure
        import rich.console
    except ImportError as error:
        raise ImportError(
            f"{error.name.partition('.')[0]} is not installed: "
            "pip install 'sklearn-ae[cli]'"
        ) from error
    console = rich.console.Console(markup=False, emoji=False, highlight=False)
    if not console.is_terminal:
        console.width = 104  # the table's, without a break
    _check_output("--output", options.output, options.output)
    if options.report is not None:
        _check_output("--report", options.report, options.report.parent)
        if options.report.is_dir():
            raise OSError(f"--report {options.report} is a folder: name a file in it.")
    table = _load(options)
    for note in table.notes:
        _say(note)
    measure = None
    if table.y is not None:
        try:
            measure = "accuracy" if holds_classes(table.y) else "R²"
        except ValueError as error:
            raise ValueError(f"--target {options.target}: {error}") from error
    n, d = table.X.shape
    if n < options.cv:
        raise ValueError(
            f"{options.data} leaves {n} row{'s' * (n > 1)}, too few for {options.cv} "
            "folds (--cv)."
        )
    title = f"{Path(options.data).name}: {n:,} rows, {d:,} column{'s' * (d > 1)}"
    if options.scale:
        title += ", standardized"
    if table.y is not None:
        title += f", {_target_in_words(table.y, measure)}"
    console.print(title, soft_wrap=True)

    reducers = {
        "PCA": PCA(),
        "AutoencoderTransformer": AutoencoderTransformer(ordered=not options.separate),
    }
    with _progress_bar() as progress:
        results = compare_reducers(
            reducers,
            table.X,
            table.y,
            n_components=options.n_components,
            cv=options.cv,
            n_jobs=options.n_jobs,
            random_state=options.random_state,
            progress=progress,
        )
    summary = summarize(results)
    console.print(_rich_table(results, summary, measure))
    console.print()
    console.print(conclude(results))
    remarks = [] if options.separate else [ORDERED]
    for remark in remarks:
        console.print(remark)

    results.to_csv(options.output / "comparison.csv", index=False)
    metrics = ["explained_variance", "knn_score"][: 1 if measure is None else 2]
    figure = matplotlib.figure.Figure(
        figsize=(5.5 * len(metrics), 4), layout="constrained"
    )
    axes = figure.subplots(1, len(metrics), squeeze=False)[0]
    for metric, ax in zip(metrics, axes, strict=True):
        ComparisonDisplay.from_results(results, metric=metric, ax=ax)
    if measure is not None:
        axes[1].set_ylabel(f"k-NN {measure} on the code")
        axes[1].get_legend().remove()  # that of the first panel serves both
    figure.suptitle(title, fontsize="medium")
    figure.savefig(options.output / "comparison.png", dpi=150)
    written = [options.output / "comparison.csv", options.output / "comparison.png"]
    if options.report is not None:
        page = report(
            results,
            summary,
            reducers,
            table,
            title=title,
            measure=measure,
            remarks=[*remarks, *table.notes],
            options=options,
        )
        options.report.write_text(page, encoding="utf-8")
        written.append(options.report)
    *files, last = map(str, written)
    console.print(f"Wrote {', '.join(files)} and {last}.", soft_wrap=True)


def _check_output(option, path, folder):
    """Refuse a folder that cannot be written to, before the work rather than after."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(
            f"{option} {path} cannot be written to: {error.strerror}."
        ) from error


def _load(options):
    """Read the data; sample them down; standardize them if asked."""
    if options.data == "digits" or options.data in IMAGE_SETS:
        if options.target is not None:
            raise ValueError(
                f"--target is for files; {options.data} comes with its own target."
            )
        if options.data == "digits":
            table = Table(*load_digits(return_X_y=True), notes=[])
        else:
            table = Table(*load_images(options.data, options.data_dir), notes=[])
    else:
        table = read_table(options.data, options.target)
    n = len(table.X)
    if 0 < options.max_rows < n:
        rng = np.random.default_rng(options.random_state)
        rows = np.sort(rng.choice(n, options.max_rows, replace=False))
        table = replace(
            table,
            X=table.X[rows],
            y=None if table.y is None else table.y[rows],
            notes=[
                *table.notes,
                f"Taking {options.max_rows:,} of {n:,} rows at random; --max-rows 0 "
                "takes all.",
            ],
        )
    if options.scale:
        # The data themselves rather than a step of the reducers: what each of these
        # minimises and what is measured are then in the same units.
        table = replace(table, X=StandardScaler().fit_transform(table.X))
    return table


def _target_in_words(y, measure):
    if measure == "accuracy":
        return f"{len(np.unique(y))} classes"
    return "a target of numbers"


def _rich_table(results, summary, measure):
    from rich.box import SIMPLE
    from rich.table import Table as RichTable

    header, lines = cells(results, summary, measure)
    printed = RichTable(box=SIMPLE, padding=(0, 1, 0, 0), show_edge=False)
    for name in header:
        justify = "left" if name.startswith("\n") else "right"
        overflow = "fold" if name == "\nreducer" else "ellipsis"
        printed.add_column(name, justify=justify, overflow=overflow)
    n_reducers = results["reducer"].nunique()
    for i, line in enumerate(lines, 1):
        printed.add_row(*line, end_section=i % n_reducers == 0)
    return printed


@contextlib.contextmanager
def _progress_bar():
    """Draw a bar on stderr, if that is a terminal; give a hook that moves it."""
    from rich.console import Console
    from rich.progress import Progress

    if not sys.stderr.isatty():  # some releases of rich leave an empty line there
        yield None
        return
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("fitting", total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)


def _say(note):
    print(f"sklearn-ae: {note}", file=sys.stderr)


def _show_warning(message, *where, **more):
    _say(_one_line(message))


def _one_line(message):
    return " ".join(str(message).split())


if __name__ == "__main__":
    sys.exit(main())
