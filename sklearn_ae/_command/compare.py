"""`sklearn-ae compare`: read, compare, say and write what was found."""

import tempfile
from dataclasses import replace
from pathlib import Path

import joblib
import numpy as np
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.preprocessing import StandardScaler

from .. import AutoencoderTransformer
from .._catalogue import IMAGE_SETS
from .._measures import holds_classes
from ..compare import compare_reducers, conclude, summarize
from ..datasets import Table, load_images, read_table
from ..plotting import ComparisonDisplay
from .page import page
from .printing import cells, console, progress_bar, rich_table, target_in_words

ORDERED = (
    "One fit with an ordered code served all sizes: a fit for the size you choose does "
    "better still (--separate shows it)."
)


def compare(options, say):
    """Run the command.

    Parameters
    ----------
    options : argparse.Namespace
        Its arguments.
    say : callable
        Says a sentence beside the results.
    """
    _check_output("--output", options.output, options.output)
    if options.report is not None:
        _check_output("--report", options.report, options.report.parent)
        if options.report.is_dir():
            raise OSError(f"--report {options.report} is a folder: name a file in it.")
    table = load(options)
    for note in table.notes:
        say(note)
    measure = _measure(table, options)
    title = _title(table, measure, options)
    printed = console()
    printed.print(title, soft_wrap=True)
    reducers, results = _compare(table, options)
    summary = summarize(results)
    header, lines = cells(results, summary, measure)
    printed.print(rich_table(header, lines, results["reducer"].nunique()))
    printed.print()
    printed.print(conclude(results))
    remarks = [] if options.separate else [ORDERED]
    for remark in remarks:
        printed.print(remark)
    written = _write(results, title, measure, options.output)
    if options.report is not None:
        html = page(
            results,
            summary,
            reducers,
            table,
            title=title,
            measure=measure,
            remarks=[*remarks, *table.notes],
            options=options,
        )
        options.report.write_text(html, encoding="utf-8")
        written.append(options.report)
    *files, last = map(str, written)
    printed.print(f"Wrote {', '.join(files)} and {last}.", soft_wrap=True)


def load(options):
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


def _measure(table, options):
    """Return what the k-NN score measures, or None without a target."""
    n = len(table.X)
    measure = None
    if table.y is not None:
        try:
            measure = "accuracy" if holds_classes(table.y) else "R²"
        except ValueError as error:
            raise ValueError(f"--target {options.target}: {error}") from error
    if n < options.cv:
        raise ValueError(
            f"{options.data} leaves {n} row{'s' * (n > 1)}, too few for {options.cv} "
            "folds (--cv)."
        )
    return measure


def _title(table, measure, options):
    n, d = table.X.shape
    title = f"{Path(options.data).name}: {n:,} rows, {d:,} column{'s' * (d > 1)}"
    if options.scale:
        title += ", standardized"
    if table.y is not None:
        title += f", {target_in_words(table.y, measure)}"
    return title


def _compare(table, options):
    reducers = {
        "PCA": PCA(),
        "AutoencoderTransformer": AutoencoderTransformer(ordered=not options.separate),
    }
    with progress_bar() as progress:
        results = compare_reducers(
            reducers,
            table.X,
            table.y,
            n_components=options.n_components,
            cv=options.cv,
            n_jobs=options.n_jobs or joblib.cpu_count(),
            random_state=options.random_state,
            progress=progress,
        )
    return reducers, results


def _write(results, title, measure, folder):
    """Write the numbers and their picture; return the paths."""
    written = [folder / "comparison.csv", folder / "comparison.png"]
    results.to_csv(written[0], index=False)
    metrics = ["explained_variance", "knn_score"][: 1 if measure is None else 2]
    figure = Figure(figsize=(5.5 * len(metrics), 4), layout="constrained")
    axes = figure.subplots(1, len(metrics), squeeze=False)[0]
    for metric, ax in zip(metrics, axes, strict=True):
        ComparisonDisplay.from_results(results, metric=metric, ax=ax)
    if measure is not None:
        axes[1].set_ylabel(f"k-NN {measure} on the code")
        axes[1].get_legend().remove()  # that of the first panel serves both
    figure.suptitle(title, fontsize="medium")
    figure.savefig(written[1], dpi=150)
    return written
