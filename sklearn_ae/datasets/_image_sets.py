"""Image sets: MNIST and Fashion-MNIST, from published files or from OpenML."""

import gzip
import os
import struct
from pathlib import Path

import numpy as np
from sklearn.datasets import fetch_openml

from .._catalogue import IMAGE_SETS


def load_images(name, data_dir=None):
    """Load MNIST or Fashion-MNIST whole.

    Parameters
    ----------
    name : {"mnist", "fashion-mnist"}
        Which.
    data_dir : path-like, default=None
        The folder that holds a folder of that name with the four published ``.gz``
        files. By default the one that the environment variable ``SKLEARN_AE_DATA``
        names; without either, :func:`sklearn.datasets.fetch_openml` downloads.

    Returns
    -------
    X : ndarray of shape (70000, 784), float32
        Pixels in [0, 1]; the 60,000 training images, then the 10,000 test images.
    y : ndarray of shape (70000,), int64
        Classes, 0 to 9.

    Raises
    ------
    OSError
        If a file is missing, or the download fails.
    ValueError
        If a file is damaged.
    """
    data_dir = data_dir or os.environ.get("SKLEARN_AE_DATA")
    if data_dir:
        folder = Path(data_dir) / name
        images, labels = (
            np.concatenate([read_idx(folder / f"{part}-{kind}") for part in parts])
            for parts, kind in (
                (("train", "t10k"), "images-idx3-ubyte.gz"),
                (("train", "t10k"), "labels-idx1-ubyte.gz"),
            )
        )
        if len(images) != len(labels):
            raise ValueError(
                f"{folder} holds {len(images)} images but {len(labels)} labels: get "
                "its files again."
            )
        images = images.reshape(len(images), -1)
    else:
        try:
            images, labels = fetch_openml(
                IMAGE_SETS[name].openml, version=1, return_X_y=True, as_frame=False
            )
        except OSError as error:
            raise OSError(
                f"{name} could not be downloaded from OpenML ({error}); name a folder "
                f"that holds {name}/ with --data-dir or SKLEARN_AE_DATA."
            ) from error
    return images.astype(np.float32) / np.float32(255), labels.astype(np.int64)


def read_idx(path):
    """Read a gzipped idx file of unsigned bytes.

    The format: two zero bytes, 8 for "unsigned byte", the number of dimensions; each
    dimension's size as a big-endian 32-bit number; the bytes.

    Parameters
    ----------
    path : path-like
        The file.

    Returns
    -------
    ndarray of uint8
        In the shape that the file states.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If it is not a whole idx file of unsigned bytes.
    """
    try:
        with gzip.open(path) as file:
            content = file.read()
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{path} does not exist.") from error
    except (gzip.BadGzipFile, EOFError, gzip.zlib.error) as error:
        raise ValueError(f"{path} is damaged ({error}): get it again.") from error
    if len(content) < 4 or content[:3] != b"\x00\x00\x08":
        raise ValueError(f"{path} is not an idx file of unsigned bytes.")
    n_dimensions = content[3]
    start = 4 + 4 * n_dimensions
    shape = ()
    if len(content) >= start:
        shape = struct.unpack(f">{n_dimensions}I", content[4:start])
    n_bytes = int(np.prod(shape, dtype=np.int64))
    if not shape or len(content) - start != n_bytes:
        raise ValueError(
            f"{path} is damaged: {len(content)} bytes do not make an array of shape "
            f"{shape}; get it again."
        )
    return np.frombuffer(content, dtype=np.uint8, offset=start).reshape(shape)
