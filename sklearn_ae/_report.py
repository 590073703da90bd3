"""The report of a comparison: one HTML page that needs nothing else."""

import base64
import datetime
import hashlib
import html
import io
import platform
from importlib.metadata import version
from pathlib import Path
from string import Template

import numpy as np
import pandas as pd
from sklearn.model_selection import train_test_split

from . import __version__
from ._reducers import configured, is_ordered, shortened
from .compare import conclude
from .plotting import (
    CodeDisplay,
    ComparisonDisplay,
    LossCurveDisplay,
    ReconstructionDisplay,
)

PACKAGES = ["numpy", "pandas", "scikit-learn", "scipy", "skorch", "torch"]
MOST_CLASSES = 30  # that colours and a legend can tell apart

PAGE = Template("""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>$title</title>
<style>
:root { color-scheme: light dark; --line: #8885; --ink: #1a1a1a; --paper: #fff; }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --paper: #16181c; } }
body { max-width: 60rem; margin: 0 auto; padding: 1rem; color: var(--ink);
  background: var(--paper); font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; line-height: 1.25; margin: .5rem 0; }
h2 { font-size: 1.15rem; margin: 2rem 0 .5rem; }
.verdict { border-left: .3rem solid #0072b2; padding: .2rem 1rem; font-size: 1.1rem; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .7rem .25rem 0; text-align: left; white-space: nowrap;
  border-bottom: 1px solid var(--line); }
th { vertical-align: bottom; }
.number { text-align: right; }
.settings th { vertical-align: baseline; }
.settings td { white-space: normal; overflow-wrap: anywhere; }
.pictures { display: flex; flex-wrap: wrap; gap: 1rem; }
figure { margin: 0; max-width: 100%; }
.half { flex: 1 1 20rem; max-width: 29rem; }
img { width: 100%; height: auto; box-sizing: border-box; padding: .4rem;
  border-radius: .4rem; background: #fff; }
figcaption { font-size: .9rem; opacity: .85; }
pre { overflow-x: auto; padding: .7rem; border: 1px solid var(--line);
  border-radius: .4rem; }
</style>
</head>
<body>
<h1>$question</h1>
<p>$data</p>
<p class="verdict">$verdict</p>
$notes
<h2>The numbers</h2>
<div class="scroll">$table</div>
<p>Means over $folds folds, on the rows of each fold that neither reducer was fitted to.
The difference is in percentage points, with its 95% corrected resampled t interval;
a reducer is better or worse where that leaves out zero.
<a download="comparison.csv" href="data:text/csv;base64,$csv">All numbers, fold by
fold (CSV)</a></p>
<h2>By code size</h2>
<div class="pictures">$curves</div>
<h2>What is kept</h2>
$reconstructions
<h2>The codes, and the training</h2>
<div class="pictures">$codes</div>
<h2>Settings and versions</h2>
<table class="settings">$settings</table>
<h2>To reproduce</h2>
<pre>$command</pre>
<p>Run it where the data are, with the versions above. With the same seed, machine and
number of threads the numbers are the same, but for the seconds.</p>
</body>
</html>
""")


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


def report(results, summary, reducers, table, *, title, measure, remarks, options):
    """Return the page.

    Parameters
    ----------
    results, summary : DataFrame
        What `compare_reducers` and `summarize` returned.
    reducers : dict of str to estimator
        The reducers, unfitted. Each is fitted once more, for the pictures.
    table : Table
        The data.
    title : str
        What the data are.
    measure : str or None
        What the k-NN score is.
    remarks : list of str
        What else is to be said about the data and the verdict.
    options : argparse.Namespace
        The command's.

    Returns
    -------
    str
    """
    folds = results["fold"].nunique()
    codes, curve = [], []
    X, y = table.X, table.y
    rows = np.arange(len(X))
    train, test = train_test_split(
        rows, test_size=1 / folds, random_state=options.random_state
    )
    sizes = results["n_components"].unique()
    middle = int(sorted(sizes)[len(sizes) // 2])
    wanted = {middle, 2} if max(sizes) > 1 else {middle}
    fitted = {
        name: _fit(reducer, wanted, max(sizes), X[train], options.random_state)
        for name, reducer in reducers.items()
    }
    if 2 in wanted:
        target = _colours(y, test, options.target)
        for name, models in fitted.items():

            def draw(ax, model=models[2]):
                CodeDisplay.from_estimator(model, X[test], target, ax=ax, size=12)

            codes.append(_picture(draw, f"{name}: held-out rows, code size 2"))
    for name, models in fitted.items():
        if hasattr(models[middle], "loss_curve_"):

            def draw(ax, model=models[middle]):
                LossCurveDisplay.from_estimator(model, ax=ax)

            curve.append(_picture(draw, f"{name}: loss by epoch"))

    def reconstruct(ax):
        models = {name: models[middle] for name, models in fitted.items()}
        ReconstructionDisplay.from_estimator(models, X[test], ax=ax)

    metrics = ["explained_variance", "knn_score"][: 1 if measure is None else 2]
    names = " and ".join(name for name in reducers if name != "PCA")
    settings = {"data": options.data}
    if Path(options.data).is_file():
        content = Path(options.data).read_bytes()
        settings["SHA-256 of the file"] = hashlib.sha256(content).hexdigest()
    for name, value in vars(options).items():
        if name not in ("command", "data"):
            settings[f"--{name.replace('_', '-')}"] = value
    settings["made"] = f"{datetime.datetime.now().astimezone():%Y-%m-%d %H:%M %Z}"
    settings["Python"] = f"{platform.python_version()} on {platform.platform()}"
    settings["sklearn-ae"] = __version__
    settings |= {name: version(name) for name in PACKAGES}
    return PAGE.substitute(
        title=html.escape(f"Comparison: {title}"),
        question=html.escape(f"Is {names} worth it beside PCA?"),
        data=html.escape(title),
        verdict=html.escape(conclude(results)),
        notes="".join(f"<p>{html.escape(remark)}</p>" for remark in remarks),
        table=_table(*cells(results, summary, measure)),
        folds=folds,
        csv=_base64(results.to_csv(index=False).encode()),
        curves="".join(_curve(results, metric, measure) for metric in metrics),
        reconstructions=_picture(
            reconstruct,
            f"Held-out rows, and what each reducer keeps of them at code size {middle},"
            " the middle one",
            size=(8, 2.8),
            half=False,
        ),
        codes="".join(codes + curve),
        settings="".join(
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(_plain(value))}</td></tr>"
            for name, value in settings.items()
        ),
        command=html.escape(options.command),
    )


def _fit(reducer, sizes, largest, X, seed):
    """Return the fitted reducer for each code size."""
    if is_ordered(reducer):
        whole = configured(reducer, int(largest), seed).fit(X)
        return {size: shortened(whole, size) for size in sizes}
    return {size: configured(reducer, size, seed).fit(X) for size in sizes}


def _colours(y, rows, name):
    """Return what the codes are coloured by, or None."""
    if y is None or (y.dtype.kind not in "iuf" and len(np.unique(y)) > MOST_CLASSES):
        return None
    return pd.Series(y[rows], name=name)


def _curve(results, metric, measure):
    def draw(ax):
        ComparisonDisplay.from_results(results, metric=metric, ax=ax)
        if metric == "knn_score":
            ax.set_ylabel(f"k-NN {measure} on the code")

    words = {
        "explained_variance": "Share of variance explained, with 95% intervals",
        "knn_score": "How well nearest neighbours predict the target from the code",
    }
    return _picture(draw, words[metric])


def _picture(draw, caption, size=(5.5, 4), half=True):
    """Return what a function draws as a figure of the page."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=size, layout="constrained")
    draw(figure.subplots())
    file = io.BytesIO()
    figure.savefig(file, format="png", dpi=150, bbox_inches="tight")
    caption = html.escape(caption)
    return (
        f'<figure{" class=half" * half}><img alt="{caption}" '
        f'src="data:image/png;base64,{_base64(file.getvalue())}">'
        f"<figcaption>{caption}</figcaption></figure>"
    )


def _base64(content):
    return base64.b64encode(content).decode()


def _table(header, lines):
    """Return the HTML of a table whose columns of numbers are set to the right."""
    right = [not column.startswith("\n") for column in header]

    def line(cells, tag):
        return "".join(
            f"<{tag}{' class=number' * number}>"
            f"{html.escape(cell.strip()).replace(chr(10), '<br>')}</{tag}>"
            for cell, number in zip(cells, right, strict=True)
        )

    body = "".join(f"<tr>{line(cells, 'td')}</tr>" for cells in lines)
    return (
        f"<table><thead><tr>{line(header, 'th')}</tr></thead>"
        f"<tbody>{body}</tbody></table>"
    )


def _plain(value):
    """Return a setting as one would write it."""
    if isinstance(value, list):
        return " ".join(map(str, value))
    return {"None": "not given", "True": "yes", "False": "no"}.get(
        str(value), str(value)
    )
