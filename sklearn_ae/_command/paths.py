"""Where the command writes: refused before the work rather than after."""

import tempfile

FILES = {  # what each command writes into the folder that --output names
    "compare": ("comparison.csv", "comparison.png"),
    "fit": ("reading.json", "autoencoder.safetensors", "imputer.safetensors"),
}


def check_output(options):
    """Refuse outputs that cannot be written to, or are there already.

    Parameters
    ----------
    options : argparse.Namespace
        The arguments.

    Raises
    ------
    OSError
        With a sentence that names the option and the way out.
    """
    output, report = options.output, getattr(options, "report", None)
    in_folder = options.verb in FILES
    _check_folder("--output", output, output if in_folder else output.parent)
    written = [output / name for name in FILES[options.verb]] if in_folder else [output]
    _check_new("--output", output, written, options.force)
    if report is not None:
        _check_folder("--report", report, report.parent)
        _check_new("--report", report, [report], options.force)


def _check_folder(option, path, folder):
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise OSError(
            f"{option} {path} cannot be written to: {error.strerror}."
        ) from error


def _check_new(option, path, written, force):
    if path.is_dir() and written == [path]:
        raise OSError(f"{option} {path} is a folder: name a file in it.")
    there = [file for file in written if file.exists()]
    if there and not force:
        raise OSError(
            f"{option} {path}: {there[0]} is there already; name another, or overwrite "
            "it with --force."
        )
