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
    commands = command.add_subparsers(required=True, metavar="COMMAND")
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
        metavar="N",
        help="fits to run at a time (default: the number of cores)",
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
    return command


def _whole(smallest):
    def whole_number(text):
        number = int(text)
        if number < smallest:
            raise argparse.ArgumentTypeError(f"must be {smallest} or more, not {text}")
        return number

    return whole_number
