"""A table of numbers and categories as a matrix, and back."""

from warnings import warn

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.impute import SimpleImputer
from sklearn.pipeline import Pipeline
from sklearn.utils.validation import check_array, check_is_fitted

FACTOR = 100  # times the median spread: a column with more is in another unit
NEARLY_ALL = 0.9  # of the variance, in one column


class TableEncoder(TransformerMixin, BaseEstimator):
    """Columns of numbers and of categories as one matrix, and back.

    Categories become a column of 0 and 1 for each of their values (one-hot), divided
    by one number for all, so that together they vary as much as one column of numbers
    does on average. Missing cells stay missing: NaN, in all columns of a category.

    Parameters
    ----------
    scale : bool, default=True
        Whether columns are brought to mean 0 and variance 1, so that each counts alike
        and a category as one.

    Attributes
    ----------
    feature_names_in_ : ndarray of str
        The columns.
    categories_ : dict of str to list of str
        The values of each category, sorted.
    mean_, scale_ : ndarray of shape (n_encoded,)
        What is taken off each encoded column, and what it is then divided by.

    See Also
    --------
    read_table : Reads a file; its `preprocessing` begins with this encoder.
    sklearn.preprocessing.OneHotEncoder : Knows categories alone, in units of their own.

    Examples
    --------
    >>> import pandas as pd
    >>> from sklearn_ae.datasets import TableEncoder
    >>> table = pd.DataFrame({"mass": [1.0, 3.0], "colour": ["red", "blue"]})
    >>> encoder = TableEncoder().fit(table)
    >>> encoder.get_feature_names_out().tolist()
    ['mass', 'colour=blue', 'colour=red']
    >>> encoder.inverse_transform(encoder.transform(table))
       mass colour
    0   1.0    red
    1   3.0   blue
    """

    def __init__(self, scale=True):
        self.scale = scale

    def fit(self, X, y=None):
        """Learn the categories' values, means and spreads.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            Numbers and text. Columns of other types than numbers are categories.
        y : object, default=None
            Ignored.

        Returns
        -------
        self : object
            The fitted encoder.
        """
        X = pd.DataFrame(X)
        self.feature_names_in_ = np.array([str(name) for name in X], dtype=object)
        self.n_features_in_ = X.shape[1]
        self.categories_ = {
            str(name): sorted(X[name].dropna().astype(str).unique())
            for name in X
            if not pd.api.types.is_numeric_dtype(X[name])
        }
        raw = self._raw(X)
        self.mean_, spread = np.zeros(raw.shape[1]), np.ones(raw.shape[1])
        if self.scale:
            self.mean_, spread = np.nanmean(raw, axis=0), np.nanstd(raw, axis=0)
        unit = 1.0
        numeric = np.concatenate([[not b] * n for b, n in self._blocks()])
        if not self.scale and numeric.any():
            unit = np.sqrt(np.mean(np.nanvar(raw[:, numeric], axis=0)))
        self.scale_ = np.where(spread > 0, spread, 1.0)
        start = 0
        for is_category, n in self._blocks():
            if is_category:
                variance = np.nanvar(raw[:, start : start + n], axis=0).sum()
                self.scale_[start : start + n] = np.sqrt(variance or 1.0) / (
                    unit or 1.0
                )
            start += n
        return self

    def transform(self, X):
        """Return the table as a matrix.

        Parameters
        ----------
        X : DataFrame of shape (n_samples, n_features)
            The columns that `fit` had, by name; others are ignored.

        Returns
        -------
        ndarray of shape (n_samples, n_encoded), float64
            Numbers, and categories as 0 and 1, in common units; NaN where missing.
        """
        check_is_fitted(self)
        return (self._raw(self._by_name(X)) - self.mean_) / self.scale_

    def inverse_transform(self, X):
        """Return the table that a matrix stands for.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_encoded)
            As `transform` returns it.

        Returns
        -------
        DataFrame of shape (n_samples, n_features)
            Of a category the value whose column is largest.
        """
        check_is_fitted(self)
        X = check_array(X, dtype=np.float64, ensure_all_finite="allow-nan")
        raw, columns, start = X * self.scale_ + self.mean_, {}, 0
        for name, (is_category, n) in zip(
            self.feature_names_in_, self._blocks(), strict=True
        ):
            block = raw[:, start : start + n]
            start += n
            if is_category:
                found = np.array(self.categories_[name], dtype=object)
                columns[name] = found[np.nan_to_num(block, nan=-np.inf).argmax(axis=1)]
            else:
                columns[name] = block[:, 0]
        return pd.DataFrame(columns)

    def get_feature_names_out(self, input_features=None):
        """Return the names of the encoded columns, such as ``"colour=red"``.

        Parameters
        ----------
        input_features : object, default=None
            Ignored.

        Returns
        -------
        ndarray of str
            A name for each column that `transform` gives.
        """
        check_is_fitted(self)
        names = []
        for name in self.feature_names_in_:
            found = self.categories_.get(name)
            names += [name] if found is None else [f"{name}={x}" for x in found]
        return np.array(names, dtype=object)

    def _blocks(self):
        """Return for each column if it is a category, and how many columns it makes."""
        return [
            (name in self.categories_, len(self.categories_.get(name, [name])))
            for name in self.feature_names_in_
        ]

    def _by_name(self, X):
        if not hasattr(X, "columns"):
            X = pd.DataFrame(X, columns=self.feature_names_in_)
        lacking = [name for name in self.feature_names_in_ if name not in X]
        if lacking:
            raise ValueError(f"X lacks the columns {', '.join(lacking)}.")
        return X

    def _raw(self, X):
        blocks = []
        for name in self.feature_names_in_:
            column = X[name]
            if name not in self.categories_:
                values = column.to_numpy(dtype=np.float64, na_value=np.nan)
                blocks.append(values[:, None])
                continue
            known = pd.Index(self.categories_[name])
            cells = column.astype(object).where(column.notna(), None)
            place = known.get_indexer(cells.map(str, na_action="ignore"))
            strange = sorted({str(x) for x in cells[place < 0].dropna()})
            if strange:
                warn(
                    f"{name} has values that fit did not see "
                    f"({', '.join(strange[:5])}): they count as missing.",
                    stacklevel=3,
                )
            block = np.eye(len(known))[place]
            block[place < 0] = np.nan
            blocks.append(block)
        return np.hstack(blocks)


class MeanImputer(SimpleImputer):
    """Missing cells filled by their column's mean; nothing is undone on the way back.

    scikit-learn's SimpleImputer, whose own ``inverse_transform`` wants indicators.
    """

    def __init__(self):
        super().__init__(keep_empty_features=True)

    def inverse_transform(self, X):
        """Return `X` as it is."""
        return X


def imputer():
    """Return what fills missing cells, unfitted: the one place that decides it.

    Returns
    -------
    transformer
        Fills a cell by the mean of its column in the rows that it was fitted to.
    """
    return MeanImputer()


def preprocessing(scale):
    """Return the way from a table of `read_table` to numbers, unfitted."""
    return Pipeline([("encode", TableEncoder(scale)), ("fill", imputer())])


def needs_scale(X):
    """Tell whether a table's columns are in units too different to be summed.

    Parameters
    ----------
    X : DataFrame
        Numbers and categories.

    Returns
    -------
    scale : bool
    remark : str or None
        Why, or what it means if not.
    """
    variances = X.select_dtypes("number").var(ddof=0)
    if variances.size < X.shape[1] and X.shape[1] > 1:
        return True, (
            "Numbers and categories are mixed: columns are standardized, so that each "
            "counts alike, and errors are in those units (--no-scale keeps the "
            "numbers' own)."
        )
    if variances.size < 2:
        return False, None
    largest, share = variances.idxmax(), variances.max() / variances.sum()
    if variances.max() > FACTOR**2 * variances.median():
        return True, (
            f"Column {largest} varies over {FACTOR} times as much as the median one: "
            "columns are standardized, so that each counts alike (--no-scale keeps "
            "their units)."
        )
    if share > NEARLY_ALL and variances.size > 2:
        return False, (
            f"Column {largest} holds {share:.1%} of the variance, so that the verdict "
            "is nearly about this column alone; --scale lets each count alike."
        )
    return False, None
