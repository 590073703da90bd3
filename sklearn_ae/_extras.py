"""How to install what only a part of the package needs."""

import json
from importlib.metadata import PackageNotFoundError, distribution
from urllib.parse import urlsplit
from urllib.request import url2pathname


def how_to_install(extra):
    """Return the command that adds an extra to the package as it was installed.

    Parameters
    ----------
    extra : str
        Its name in ``pyproject.toml``.

    Returns
    -------
    str
        For a shell; in double quotes, which the one of Windows knows too.
    """
    try:
        origin = distribution("sklearn-ae").read_text("direct_url.json")
    except PackageNotFoundError:  # it is run from its folder
        return f'pip install -e ".[{extra}]" in the folder with pyproject.toml'
    if not origin:
        return f'pip install "sklearn-ae[{extra}]"'
    origin = json.loads(origin)
    url = origin["url"]
    if "vcs_info" in origin:
        return f'pip install "sklearn-ae[{extra}] @ {origin["vcs_info"]["vcs"]}+{url}"'
    if not url.startswith("file:"):
        return f'pip install "sklearn-ae[{extra}] @ {url}"'
    path = url2pathname(urlsplit(url).path)
    option = "-e " if origin.get("dir_info", {}).get("editable") else ""
    return f'pip install {option}"{path}[{extra}]"'
