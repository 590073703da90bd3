"""The files of `save`, as bytes.

A file is in safetensors' format: arrays are its tensors, all else is JSON in its
metadata, behind a checksum of the whole file. `FORMAT` goes up when the files of one
version would be misread by another.
"""

import hashlib
import json

from ._extras import how_to_install

FORMAT = 3
MARK = b'{"__metadata__":{"sklearn_ae":"'  # how a file begins, after 8 bytes
DIGITS = 64  # of the checksum that follows
CHECKSUM = slice(8 + len(MARK), 8 + len(MARK) + DIGITS)


def safetensors():
    """Return `safetensors.torch`, or raise an error that says how to get it."""
    try:
        import safetensors.torch as library
    except ImportError as error:
        raise ImportError(
            f"save and load need safetensors: {how_to_install('save')}"
        ) from error
    return library


def pack(content, tensors):
    """Return the bytes of a file.

    Parameters
    ----------
    content : dict
        Of what JSON can hold. It has "root", what was made of the estimator,
        and "given", the names and types of what is to be given to `load`.
    tensors : dict of str to Tensor
        What "root" refers to.

    Returns
    -------
    bytes
    """
    text = json.dumps({"format": FORMAT, **content}, allow_nan=False)
    metadata = {"sklearn_ae": "0" * DIGITS + text}
    data = safetensors().save(tensors, metadata=metadata)
    return data[: CHECKSUM.start] + _checksum(data) + data[CHECKSUM.stop :]


def unpack(data, path):
    """Return the content that `pack` was given.

    Parameters
    ----------
    data : bytes
        Of the file.
    path : path-like
        Of the file, for errors.

    Returns
    -------
    dict
        With "root" and "given".

    Raises
    ------
    ValueError
        If the file is damaged, foreign or of another format.
    """
    stop = 8 + int.from_bytes(data[:8], "little")
    try:
        if data[8 : CHECKSUM.start] != MARK:
            raise ValueError
        text = json.loads(data[8:stop])["__metadata__"]["sklearn_ae"]
        content = json.loads(text[DIGITS:])
        version = content["format"]
        if type(version) is not int or version < 1:
            raise ValueError
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise ValueError(
            f"{path} is not a file that sklearn_ae.save wrote, or it is damaged."
        ) from error
    if version > FORMAT:
        raise ValueError(
            f"{path} has format {version}, of a newer sklearn_ae than this, which "
            f"reads format {FORMAT}: update sklearn_ae."
        )
    if _checksum(data) != data[CHECKSUM]:
        raise ValueError(f"{path} is damaged: its checksum is not that of its content.")
    if version < FORMAT:
        raise ValueError(
            f"{path} has format {version}, of an older sklearn_ae than this, which "
            f"reads format {FORMAT}: fit and save again."
        )
    if not isinstance(content.get("given"), dict) or "root" not in content:
        raise ValueError(f"{path} is not a file that sklearn_ae.save wrote.")
    return content


def _checksum(data):
    parts = memoryview(data)  # not a copy
    digest = hashlib.sha256(parts[: CHECKSUM.start])
    digest.update(b"0" * DIGITS)
    digest.update(parts[CHECKSUM.stop :])
    return digest.hexdigest().encode()
