"""Neighbours: the graph of training rows, batches of pairs, and how codes keep them.

A row and one of its nearest neighbours shall have codes nearer to one another than to
those of all other rows of a batch.
"""

import torch
from sklearn.decomposition import PCA
from sklearn.neighbors import NearestNeighbors
from skorch.helper import predefined_split
from torch.utils.data import Dataset

from .._sklearn import fit_unseen
from .batches import Batch, weights_of
from .counts import Counts

N_NEIGHBORS = 15
N_AXES = 50  # distances in more columns cost time, and are mostly noise


def nearest_rows(X, others=None):
    """Return the numbers of the training rows that are nearest to each row.

    Parameters
    ----------
    X : ndarray of shape (n_samples, n_features)
        Training rows, scaled.
    others : ndarray of shape (n_others, n_features), default=None
        Further rows, whose neighbours are training rows too.

    Returns
    -------
    list of Tensor of shape (n_rows, n_neighbors)
        Nearest first, for the training rows, of which none is its own, and for
        the others, if given; 15 neighbours, or all where they are fewer.
    """
    if len(X) < 2:
        raise ValueError(
            f"neighbors= needs at least 2 rows to train on, got {len(X)}: give more "
            f"rows, or set neighbors=None."
        )
    n_neighbors = min(N_NEIGHBORS, len(X) - 1)
    if X.shape[1] > N_AXES and len(X) > N_AXES:
        axes = fit_unseen(PCA(N_AXES, random_state=0), X)
        X, others = (
            rows if rows is None else axes.transform(rows) for rows in (X, others)
        )
    search = NearestNeighbors(n_neighbors=n_neighbors).fit(X)
    found = [search.kneighbors(return_distance=False)]
    if others is not None:
        found.append(search.kneighbors(others, return_distance=False))
    return [torch.from_numpy(numbers) for numbers in found]


class Pairs(Dataset):
    """Rows, each of which comes with one of its neighbours.

    Asked for n of them it gives 2n rows: those, then a neighbour of each. Rows asked
    for by number, as in training, come with a random one of their neighbours; those of
    a slice, which judge, always with the same.

    Parameters
    ----------
    rows : Rows or Picks of length n_rows
    others : Rows or Picks
        The rows that the neighbours are among.
    graph : Tensor of shape (n_rows, n_neighbors)
        Numbers of the neighbours.
    """

    def __init__(self, rows, others, graph):
        self.rows = rows
        self.others = others
        self.graph = graph.to(rows.device)
        self.device = rows.device
        self.drawn = self._draw(len(graph))

    def __len__(self):
        return len(self.rows)

    def __getitem__(self, numbers):
        fixed = isinstance(numbers, slice)
        graph = self.graph[numbers]
        drawn = self.drawn[numbers] if fixed else self._draw(len(graph))
        partners = graph.gather(1, drawn[:, None])[:, 0]
        own, others = self.rows[numbers], self.others[partners]
        inputs, targets = (torch.cat(both) for both in zip(own, others, strict=True))
        weights = weights_of(own)
        if weights is None:
            return inputs, targets
        return Batch(inputs, targets, weights.repeat(2))  # a pair has its row's

    def _draw(self, n_rows):
        return torch.randint(self.graph.shape[1], (n_rows,), device=self.device)

    def windows(self, shuffle):
        """Yield the rows' parts that may be picked from at a time: all."""
        yield self


def pair_up(net, train, previous=None):
    """Return rows to train on in pairs, and let those set aside judge in pairs.

    Parameters
    ----------
    net : AutoencoderNet
        At its start; it knows the rows set aside.
    train : Rows or Picks
        Those to train on.
    previous : AutoencoderNet, default=None
        The net that it goes on from.

    Returns
    -------
    Pairs
    """
    valid = net.get_split_datasets(train)[1] if net.train_split else None
    modules = (net if previous is None else previous).module_.modules()
    counts = next((part for part in modules if isinstance(part, Counts)), None)
    held = [rows for rows in (train, valid) if rows is not None]
    tables = []
    for rows in held:
        _, targets = rows[:]
        with torch.no_grad():
            tables.append((counts.read(targets) if counts else targets).cpu().numpy())
    graphs = nearest_rows(*tables)
    pairs = [
        Pairs(each, train, graph) for each, graph in zip(held, graphs, strict=True)
    ]
    if valid is not None:
        net.train_split = predefined_split(pairs[1])
    return pairs[0]


def pair_losses(z):
    """Return how badly codes tell each row's partner from those of other rows.

    Parameters
    ----------
    z : Tensor of shape (2 * n_pairs, n_components)
        Codes of rows, then those of their partners.

    Returns
    -------
    losses : Tensor of shape (2 * n_pairs,)
        Minus the logarithm of the partner's share (InfoNCE) of all likenesses of a row,
        first, and of a partner, which are 1 / (1 + distance²) to codes of the other
        kind. log(n_pairs) where all codes are the same.
    """
    rows, partners = z.float().chunk(2) if z.dtype.itemsize < 4 else z.chunk(2)
    likeness = 1.0
    for a, b in zip(rows.T, partners.T, strict=True):  # faster than a third axis
        likeness = likeness + (a[:, None] - b).square()
    likeness = 1 / likeness  # (n_pairs, n_pairs)
    own = likeness.diagonal().log()
    return torch.cat([likeness.sum(axis).log() - own for axis in (1, 0)])
