"""The report of a comparison: one HTML page that needs nothing else."""

import datetime
import hashlib
import html
import platform
from importlib.metadata import version
from pathlib import Path
from string import Template

from .. import __version__
from ..compare import conclude
from .pictures import as_base64, pictures
from .printing import cells

PACKAGES = ["numpy", "pandas", "scikit-learn", "scipy", "skorch", "torch"]
PAGE = Path(__file__).with_name("page.html")


def page(results, summary, reducers, table, *, title, measure, remarks, options):
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
    names = " and ".join(name for name in reducers if name != "PCA")
    return Template(PAGE.read_text(encoding="utf-8")).substitute(
        title=html.escape(f"Comparison: {title}"),
        question=html.escape(f"Is {names} worth it beside PCA?"),
        data=html.escape(title),
        verdict=html.escape(conclude(results)),
        notes="".join(f"<p>{html.escape(remark)}</p>" for remark in remarks),
        table=_table(*cells(results, summary, measure)),
        folds=results["fold"].nunique(),
        csv=as_base64(results.to_csv(index=False).encode()),
        **pictures(
            results,
            reducers,
            table,
            measure=measure,
            target=options.target,
            random_state=options.random_state,
        ),
        settings="".join(
            f"<tr><th>{html.escape(name)}</th><td>{html.escape(_plain(value))}</td></tr>"
            for name, value in _settings(options).items()
        ),
        command=html.escape(options.command),
    )


def _settings(options):
    """Return what the numbers depend on, to be shown."""
    settings = {"data": options.data}
    if Path(options.data).is_file():
        content = Path(options.data).read_bytes()
        settings["SHA-256 of the file"] = hashlib.sha256(content).hexdigest()
    for name, value in vars(options).items():
        if name not in ("command", "data", "verb", "force", "json"):
            settings[f"--{name.replace('_', '-')}"] = value
    settings["made"] = f"{datetime.datetime.now().astimezone():%Y-%m-%d %H:%M %Z}"
    settings["Python"] = f"{platform.python_version()} on {platform.platform()}"
    settings["sklearn-ae"] = __version__
    return settings | {name: version(name) for name in PACKAGES}


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
