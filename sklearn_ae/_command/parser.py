"""What can be said to the command: its arguments, and what they mean.

Nothing but the standard library is imported here: `--help` answers at once.
"""

import argparse
from pathlib import Path

from .. import __version__

MAX_ROWS = 5000


def parser():
    """Return the parser of the command's arguments."""
    command = argparse.ArgumentParser(
        prog="sklearn-ae", description="Autoencoders beside PCA, for scikit-learn."
    )
    command.add_argument("--version", action="version", version=__version__)
    commands = command.add_subparsers(required=True, dest="verb", metavar="COMMAND")
    _add_compare(commands)
    _add_fit(commands)
    _add_transform(commands)
    _add_reconstruct(commands)
    _add_score(commands)
    _add_impute(commands)
    return command


def _add_compare(commands):
    compare = commands.add_parser(
        "compare",
        help="compare an autoencoder with PCA on held-out data",
        description="Compare AutoencoderTransformer with PCA on held-out data: how "
        "much of the variance each explains, code size by code size. Prints a table "
        "and a verdict, and writes comparison.csv and comparison.png.",
    )
    _add_data(
        compare,
        nargs="?",
        default="digits",
        help="digits, fashion-mnist, mnist, a file with a table (csv, tsv, txt, xlsx, "
        "ods, parquet, feather, json, npy, npz, arff, sav, dta; .gz or .zip of one), "
        "or - for standard input (default: %(default)s)",
    )
    compare.add_argument(
        "--target",
        metavar="COLUMN",
        help="the file's column to predict from the code; kept out of the data",
    )
    compare.add_argument(
        "--group",
        metavar="COLUMN",
        help="the file's column that says which rows belong together (one patient's, "
        "one day's): they are never split; kept out of the data",
    )
    compare.add_argument(
        "--time",
        action="store_true",
        help="rows are in order of time: what comes later is predicted from what came "
        "before, with a gap between",
    )
    _add_scale(compare)
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
        metavar="N",
        help="fits to run at a time (default: the number of cores)",
    )
    _add_seed(compare)
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
    compare.add_argument(
        "--json",
        action="store_true",
        help="print the numbers, the verdicts and the notes as JSON instead",
    )
    _add_force(compare)
    _add_reading(compare)


def _add_fit(commands):
    fit = commands.add_parser(
        "fit",
        help="fit an autoencoder to a table, and save it",
        description="Fit AutoencoderTransformer to all rows of a table and write the "
        "model into a folder: how the table was read, how missing cells are filled and "
        "columns scaled (JSON), and the network (safetensors). The files hold no code "
        "and none of the rows.",
    )
    _add_data(fit, help="the file with the table, or - for standard input")
    fit.add_argument(
        "--n-components",
        type=_whole(1),
        required=True,
        metavar="SIZE",
        help="the code size",
    )
    fit.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="DIR",
        help="the folder to write the model to",
    )
    _add_scale(fit)
    _add_seed(fit)
    _add_force(fit)
    _add_reading(fit)


def _add_transform(commands):
    transform = commands.add_parser(
        "transform",
        help="write the codes of a table's rows",
        description="Read a table as the model's was read, columns matched by name, "
        "and write the code of each row.",
    )
    _add_model(transform, output=True)


def _add_reconstruct(commands):
    reconstruct = commands.add_parser(
        "reconstruct",
        help="write what a model keeps of a table's rows",
        description="Read a table as the model's was read, columns matched by name, "
        "and write what is left of each row once it has been through the code, in the "
        "table's own units.",
    )
    _add_model(reconstruct, output=True)


def _add_score(commands):
    score = commands.add_parser(
        "score",
        help="print how much of a table a model explains",
        description="Read a table as the model's was read, columns matched by name, "
        "and print the share of its variance that the model explains; with --output, "
        "write the squared error of each row as well.",
    )
    _add_model(score, output=False)
    score.add_argument(
        "--json", action="store_true", help="print the numbers as JSON instead"
    )


def _add_impute(commands):
    impute = commands.add_parser(
        "impute",
        help="fill a table's missing cells",
        description="Fit AutoencoderImputer to a table and write the table with its "
        "missing cells filled: numbers by what the row's other cells tell, categories "
        "by the most probable value. Columns that are not read are not written.",
    )
    _add_data(impute, help="the file with the table, or - for standard input")
    impute.add_argument(
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help="the csv file to write",
    )
    _add_seed(impute)
    _add_force(impute)
    _add_reading(impute)
    impute.set_defaults(scale=True)


def _add_data(command, **more):
    command.add_argument("data", metavar="DATA", **more)


def _add_model(command, output):
    command.add_argument("model", type=Path, metavar="MODEL", help="the model's folder")
    _add_data(command, help="the file with the table, or - for standard input")
    command.add_argument(
        "--output",
        type=Path,
        required=output,
        metavar="FILE",
        help="the csv file to write",
    )
    _add_force(command)


def _add_scale(command):
    command.add_argument(
        "--scale",
        action=argparse.BooleanOptionalAction,
        help="standardize the columns first, so that each counts alike (default: where "
        "numbers and categories are mixed, and where a column varies over 100 times as "
        "much as the median one)",
    )


def _add_seed(command):
    command.add_argument(
        "--random-state",
        type=_whole(0),
        default=0,
        metavar="SEED",
        help="seed (default: %(default)s)",
    )


def _add_force(command):
    command.add_argument(
        "--force", action="store_true", help="overwrite what --output names"
    )


def _add_reading(command):
    """Add what may be said about the file: what is not said is told from it."""
    reading = command.add_argument_group("the file, where it is not read right")
    reading.add_argument(
        "--columns",
        nargs="+",
        metavar="NAME",
        help="the columns to take: names, ranges (first:last), patterns ('x*'); one "
        "named in full is taken even if it looks like an id",
    )
    reading.add_argument(
        "--drop", nargs="+", metavar="NAME", help="columns to leave out, likewise"
    )
    reading.add_argument(
        "--categorical",
        nargs="+",
        metavar="NAME",
        help="columns to take as categories besides text with few values; none: not "
        "even those (default: auto)",
    )
    reading.add_argument(
        "--dates", action="store_true", help="take dates, as days since 1970"
    )
    reading.add_argument(
        "--missing",
        choices=["mean", "impute", "rows", "error"],
        default="mean",
        help="what to do about missing cells, once columns with more than half of them "
        "are left out: fill them by means of the training rows (of each fold), or by "
        "AutoencoderImputer, fitted to these; leave out their rows; or stop (default: "
        "%(default)s)",
    )
    reading.add_argument(
        "--na", nargs="+", metavar="WORD", help="more words for missing, such as -999"
    )
    reading.add_argument(
        "--header",
        action=argparse.BooleanOptionalAction,
        help="the first line has the names, or has none",
    )
    reading.add_argument("--sep", help="what stands between cells (space: any spaces)")
    reading.add_argument("--decimal", choices=[".", ","], help="the decimal sign")
    reading.add_argument("--encoding", help="such as utf-8 or cp1252")
    reading.add_argument("--comment", help="the sign that starts a line to leave out")
    reading.add_argument("--sheet", help="the sheet, array or file to read of several")


def _whole(smallest):
    def whole_number(text):
        number = int(text)
        if number < smallest:
            raise argparse.ArgumentTypeError(f"must be {smallest} or more, not {text}")
        return number

    return whole_number
