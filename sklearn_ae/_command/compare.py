"""`sklearn-ae compare`: read, compare, say and write what was found."""

import contextlib
import json
import tempfile
import warnings
from dataclasses import replace

import joblib
import numpy as np
from matplotlib.figure import Figure
from sklearn.decomposition import PCA
from sklearn.model_selection import TimeSeriesSplit
from sklearn.pipeline import Pipeline

from .. import AutoencoderTransformer
from ..compare import compare_reducers, conclude, summarize
from ..plotting import ComparisonDisplay
from . import target
from .page import page
from .printing import cells, console, progress_bar, rich_table
from .source import filler, load, name

OURS = "AutoencoderTransformer"
ORDERED = (
    "One fit with an ordered code served all sizes: a fit for the size you choose does "
    "better still (--separate shows it)."
)
GAP = 0.01  # of the rows, between those fitted to and later ones, with --time


def compare(options, say):
    """Run the command.

    Parameters
    ----------
    options : argparse.Namespace
        Its arguments.
    say : callable
        Says a sentence beside the results.
    """
    source = load(options)
    for note in source.notes:
        say(note)
    measure, notes = target.check(source, options)
    for note in notes:
        say(note)
    source = replace(source, notes=[*source.notes, *notes])
    title = _title(source, measure, options)
    printed = console(options.json)
    printed.print(title, soft_wrap=True)
    reducers, results = _compare(source, options)
    summary = summarize(results)
    remarks = []
    if not options.separate and (summary["verdict"] == "better").any():
        remarks = [ORDERED]
    printed.print(rich_table(*cells(results, summary, measure), results, printed.width))
    printed.print()
    for sentence in (conclude(results), *remarks):
        printed.print(sentence)
    written = _write(results, title, measure, options.output)
    if options.report is not None:
        html = page(
            results,
            summary,
            reducers,
            replace(source, X=_filled(source.X, options)),
            title=title,
            measure=measure,
            remarks=[*remarks, *source.notes],
            options=options,
        )
        options.report.write_text(html, encoding="utf-8")
        written.append(options.report)
    *files, last = map(str, written)
    printed.print(f"Wrote {', '.join(files)} and {last}.", soft_wrap=True)
    if options.json:
        found = {"title": title, "verdict": conclude(results)}
        found |= {"remarks": remarks, "notes": source.notes}
        found |= {
            "summary": summary.to_dict("records"),
            "written": [*map(str, written)],
        }
        print(json.dumps(_plain(found | {"results": results.to_dict("records")})))


def _title(source, measure, options):
    n, d = source.X.shape
    title = f"{name(options)}: {n:,} rows, {d:,} column{'s' * (d > 1)}"
    if source.scaled:
        title += ", standardized"
    if source.missing:
        title += f", {source.missing:.1%} of cells missing"
    if source.groups is not None:
        title += f", {len(np.unique(source.groups)):,} groups"
    if source.y is not None:
        title += f", {target.in_words(source.y, measure)}"
    return title


def _compare(source, options):
    judged = {"validation_rows": "last"} if options.time else {}
    reducers = {
        "PCA": PCA(),
        OURS: AutoencoderTransformer(ordered=not options.separate, **judged),
    }
    if np.isnan(source.X).any():
        reducers = {
            key: Pipeline([("fill", filler(options)), ("reduce", reducer)])
            for key, reducer in reducers.items()
        }
    n_sizes = len(options.n_components)
    with (
        _fills_kept(reducers),
        progress_bar(n_first=n_sizes * options.cv) as progress,
        warnings.catch_warnings(),
    ):
        warnings.filterwarnings("ignore", "The least populated class", UserWarning)
        results = compare_reducers(
            reducers,
            source.X,
            source.y,
            n_components=options.n_components,
            n_jobs=options.n_jobs or joblib.cpu_count(),
            random_state=options.random_state,
            progress=progress,
            **_folds(source, options),
        )
    return reducers, results


@contextlib.contextmanager
def _fills_kept(reducers):
    """Let all reducers of a fold, and all sizes, use one fit of what fills."""
    pipelines = [each for each in reducers.values() if isinstance(each, Pipeline)]
    with tempfile.TemporaryDirectory() as folder:
        for pipeline in pipelines:
            pipeline.set_params(memory=folder)
        yield
    for pipeline in pipelines:
        pipeline.set_params(memory=None)


def _folds(source, options):
    """Return how rows are split: at random, by groups, or by time."""
    if options.time:
        gap = max(1, round(GAP * len(source.X)))
        cv = TimeSeriesSplit(options.cv, gap=gap)
        first = next(cv.split(source.X))[0]
        if source.y is not None and len(np.unique(source.y[first])) < 2:
            raise ValueError(
                f"--time: the first {len(first)} rows have a single value of --target "
                f"{options.target}, so that nothing can be predicted from them."
            )
        return {"cv": cv}
    if source.groups is None:
        return {"cv": options.cv}
    n_groups = len(np.unique(source.groups))
    if n_groups < options.cv:
        raise ValueError(
            f"--group {options.group} has {n_groups} groups, too few for {options.cv} "
            "folds (--cv)."
        )
    return {"cv": options.cv, "groups": source.groups}


def _filled(X, options):
    return filler(options).fit_transform(X) if np.isnan(X).any() else X


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


def _plain(value):
    """Return what JSON can hold: NaN as null, numpy's numbers as Python's."""
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.generic):
        value = value.item()
    return None if value != value else value
