"""AutoencoderTransformer: the dense autoencoder, beside PCA."""

import inspect
from numbers import Integral, Real

from torch import nn

from ._base import BaseAutoencoder
from ._engine.blueprint import Blueprint
from ._engine.losses import output_of
from ._engine.networks import ACTIVATIONS, DenseNetwork
from ._params import PREFIXES, layer_sizes
from ._sklearn import Interval, StrOptions

# Parameters that leave the training of a small table as it is by default.
FREE = (
    *("n_components", "alpha", "device", "callbacks", "checkpoint", "missing"),
    *("warm_start", "random_state", "verbose"),
)

FEW_FEATURES = 16  # up to which ReLU is the better activation


class AutoencoderTransformer(BaseAutoencoder):
    """Dimensionality reduction by a dense autoencoder that starts at PCA.

    The network is a linear path, set to PCA before the first step, beside a multilayer
    perceptron to the code and a mirrored one back, both of which add nothing before the
    first step. What training adds is kept only where rows set aside show a significant
    gain, so that the result is PCA where PCA is all there is to find.

    Parameters
    ----------
    n_components : int, float or None, default=2
        Code size. It may exceed the number of rows or columns: code units beyond
        PCA's components start at zero. A float between 0 and 1 is a share of variance,
        as for PCA: an ordered code is fitted, and the fewest of its units are kept that
        explain this share of the rows set aside. None is as for PCA the smaller of the
        numbers of rows and columns. Such a code can keep everything, so that there is
        nothing to gain but with ``ordered=True``, a `penalty` or `noise`.
    hidden_layer_sizes : "auto", int or array-like of int, default="auto"
        Widths of the encoder's hidden layers, an int for a single one; the decoder has
        them in reverse. ``()`` is a linear autoencoder. "auto" is (512, 256) above 200
        columns or with `neighbors`, else (128, 64) up to 1,000 rows, (256, 128) above.
    activation : {"auto", "relu", "identity", "tanh", "logistic", "silu", "gelu", \
            "elu"}, default="auto"
        Of the hidden layers. Code and reconstruction are linear. "auto" is "relu" up to
        16 columns, for a small table (see Notes), if `partial_fit` begins, for data
        within a range (`out_activation`), and where codes follow a prior; otherwise
        "silu".
    dropout : float, default=0.0
        Share of hidden units dropped in training, in [0, 1).
    module : class or None, default=None
        A `torch.nn.Module` class of your own, called with `n_features` and
        `n_components` (and the ``module__…`` parameters), with methods
        ``encode(x)``, ``decode(z)`` and ``forward(x)``, the round trip. With
        ``init="pca"`` what it encodes and decodes is added to the linear path, times
        a learned factor that starts at zero (its ``forward`` is not called); with
        ``init="random"`` it is all there is. It replaces `hidden_layer_sizes`,
        `activation`, `code_activation` and `dropout`.
    ordered : bool, default=False
        Whether every prefix of the code shall be a code, as PCA's first components are:
        the first k units are trained to be good alone, for every k, by nested dropout
        (Rippel et al. 2014). `inverse_transform` then takes codes of any width up to
        `n_components_`, and `truncate` gives a model of that size. One such fit takes
        two to four times as long as a plain one and leaves more unexplained than a fit
        for one size, on images a fifth to a half. Nothing is kept of a training after
        which a size may be more than 2 % worse than PCA, by the rows set aside.
    loss : {"squared_error", "absolute_error", "huber", "binary_cross_entropy", \
            "poisson", "multinomial"}, default="squared_error"
        What training minimises, as a mean over cells. Data are centred and divided by
        one number, `scale_`, so the squared error is PCA's objective. Huber's switch
        from square to linear is at one `scale_` (``criterion__delta=1.0``).
        Cross-entropy needs data in [0, 1] and reconstructs within [0, 1]. "poisson" and
        "multinomial" are for counts, from 0 on, such as words of texts, and are the
        deviance: see the guide on counts.
    out_activation : {"auto", "identity", "clip", "tanh", "logistic"}, default="auto"
        Of the reconstruction. "auto" is "logistic" for cross-entropy; for other losses
        it clips each column to its least and to its largest training value where many
        cells lie, as those of pixels, shares and counts do: where at least 30 rows, and
        one in 500, are equal to it (not in a first `partial_fit`, which more
        rows follow). "clip" moves what lies beyond `data_range_`, the least and the
        largest value of the training data, to its ends. PCA's start is clipped as well;
        values of new rows beyond an end are reconstructed as the end. With "logistic"
        data must lie in [0, 1] and are reconstructed within it, with "tanh" in [-1, 1];
        they are neither centred nor scaled then. "identity" clips nothing.
    code_activation : {"identity", "relu", "tanh", "logistic", "silu", "gelu", "elu"}, \
            default="identity"
        Of the code. All but "identity" need ``init="random"``.
    noise : {"auto", "gaussian", "masking", "salt_and_pepper", "swap"} or None, \
            default="auto"
        What corrupts the rows that the network reads in training: see
        `DenoisingAutoencoder`. "auto" is nothing, but with `neighbors` "gaussian", of
        counts "masking"; rows set aside are judged as they are then.
    noise_level : float or "auto", default="auto"
        How much of it: see `DenoisingAutoencoder`.
    penalty : {"l1", "kl", "contractive", "k_sparse"} or None, default=None
        What the code shall be, besides short, for a row x with code z in the units of
        `scale_`:

        - "l1": sparse, by adding Σ|z| to the loss; with ``code_activation="relu"`` and
          ``init="random"`` many units are exactly zero;
        - "kl": rarely active, by adding the Kullback-Leibler divergence of each unit's
          mean over the batch from `sparsity` (Ng 2011); needs
          ``code_activation="logistic"`` and ``init="random"``;
        - "contractive": insensitive, by adding the squared Frobenius norm of ∂z/∂x
          (Rifai et al. 2011), which takes a backward pass for each code unit;
        - "k_sparse": sparse, by setting all but the `sparsity` largest units of each
          row to zero (Makhzani and Frey 2013). Nothing is added to the loss.

        Epochs are judged by loss and penalty together, so that with a penalty the
        reconstruction may be worse than PCA's.
    penalty_weight : float, default=0.01
        Weight of what `penalty` adds, next to the mean loss of the cells.
    sparsity : float, int or "auto", default="auto"
        For "kl" the mean activation, between 0 and 1, by default 0.05. For "k_sparse"
        the units that stay: an int, or a share of them, by default 0.25.
    neighbors : float or None, default=None
        Weight of a loss of neighbours, for codes of two or three units that are looked
        at as a map; 0.3 is a good one for the squared error. Each row of a batch comes
        with one of its 15 nearest training rows (in the first 50 principal components),
        and it costs what their codes are less alike, by 1 / (1 + distance²) in units of
        `scale_`, than the row's and those that came with others (InfoNCE with the
        kernel of t-SNE). Epochs, and PCA, are judged by the reconstruction of rows set
        aside and this loss of theirs together; the reconstruction alone may be worse
        than PCA's. Network, batches and steps that are "auto" are larger. Neighbours in
        `partial_fit` are of the chunk. Not with ordered codes, missing cells, streams.
    init : {"pca", "random"}, default="pca"
        "pca" starts at PCA by the linear path. "random" is a plain autoencoder, without
        that path, from Glorot's random weights, and has no promise towards PCA.
    alpha : float or "auto", default="auto"
        Weight decay. "auto" is 0.1 with AdamW, 0.01 with others. Images gain by more.
    batch_size : int or "auto", default="auto"
        Rows in a training step. "auto" is a twentieth of the rows, from 16 to 512, for
        an ordered code half as many again, from 24; with `neighbors` a third of the
        rows in `fit`, from 16 to 512.
    learning_rate : {"one_cycle", "constant"}, default="one_cycle"
        Schedule of the learning rate: up to `learning_rate_init` and down to zero
        (Smith and Topin 2019), or `learning_rate_init` throughout.
    learning_rate_init : float or "auto", default="auto"
        Highest learning rate of the schedule, and the constant one in `partial_fit`.
        "auto" is 0.004, for batches above 256 rows more, as their root grows, and half
        of that as a constant rate; for an ordered code the root of the batch size,
        divided by 2,000, at most 0.006.
    max_iter : int or "auto", default="auto"
        Epochs at most; with 0 the start is the result. "auto" is as many as make 1,000
        steps, for an ordered code 2,000, from 13 to 200 epochs; with `neighbors` 1,600,
        up to 300 epochs. With more columns than rows a fit that shows no sign of a gain
        on PCA ends after 15 % of them, at least 5 and at most 10.
    tol : float, default=1e-3
        Share by which the validation loss must fall to count as an improvement.
    early_stopping : bool, default=True
        Whether rows are set aside to choose the best epoch and to end the fit. If
        False, all rows train for `max_iter` epochs, the training loss chooses, and
        the start is kept only if the result's training loss is not below it.
    validation_fraction : float or "auto", default="auto"
        Share of rows set aside by `early_stopping`: at least 20, or a quarter of all
        rows where that is fewer. Where fewer than 8 are set aside, as in a table of
        less than 32 rows, they prove nothing, and PCA is kept. "auto" is a tenth, and
        never more than 2,000 rows; nor are more set aside for an ordered code.
    validation_rows : {"random", "last", "cells"}, default="random"
        Which rows `early_stopping` sets aside. "last" is for rows in order, as those of
        a time series: the last ones judge, and as many before them as are alike are
        left out. "cells" sets this share of all rows' observed cells aside
        instead, and judges how they are filled: where a table's own holes matter.
    missing : {"auto", "expect", "error"}, default="auto"
        What becomes of missing cells (NaN). "auto" takes them where the rows of `fit`
        have some, in any column, and new rows may lack others then: see Notes. "expect"
        prepares for them though the rows of `fit` have none. "error" refuses them.
    n_iter_no_change : int, inf or None, default=20
        Epochs without improvement after which a fit with `early_stopping` ends; with
        None or inf it goes on to `max_iter`.
    optimizer : {"adamw", "adam", "sgd"} or class, default="adamw"
        Name, or a class of `torch.optim`; "sgd" wants a `learning_rate_init` of about
        0.1. It gets `learning_rate_init` as ``lr``,
        `alpha` as ``weight_decay`` and every ``optimizer__…`` parameter.
    device : str or torch.device, default="auto"
        "auto" is CUDA where present, else the CPU.
    precision : {"auto", "float32", "bfloat16"}, default="auto"
        Of the products in training steps; weights, judging and what comes after the fit
        are in float32. "auto" is "bfloat16" where a CPU has instructions for it
        (avx512_bf16, amx) and a batch takes more than 100 million products, as
        one of images does, otherwise "float32".
    callbacks : list of skorch.callbacks.Callback or None, default=None
        Called during training. They see skorch's net, with `train_loss` and
        `valid_loss` in its history in units of `scale_`, and with `neighbors` that loss
        before its weight as `train_neighbors` and `valid_neighbors`. One that ends
        training ends the fit; the best weights until then are kept.
    checkpoint : path-like or None, default=None
        Folder for the state of the fit, written after every epoch. If the process ends
        on the way, the same call goes on from there, in a new process too, and gives
        bit by bit what it would have given; when it is done the file is deleted. One
        folder is for one fit: a checkpoint of other data or parameters is an error.
        What `callbacks` remember is not in it. `partial_fit` does not use it.
    compile : bool, default=False
        Whether to train through `torch.compile`. Without a compiler a warning says so
        and training goes on.
    warm_start : bool, default=False
        Whether `fit` starts at the weights of the last fit, keeping `mean_` and
        `scale_`.
    random_state : int, RandomState instance or None, default=None
        Seeds the split, the network, the batches and the noise. An int makes fits on
        one machine bit-identical. None reads NumPy's global generator once, as all of
        scikit-learn does: `numpy.random.seed` before a fit makes it repeatable.
    verbose : int, default=0
        Whether to print a line for each epoch.

    Attributes
    ----------
    n_components_ : int
        Code size.
    code_size_curve_ : ndarray of shape (n_components,)
        Share of variance explained by the first unit, the first two, and so on, of at
        most 2,000 of the rows set aside (of the training rows, if there are none).
        Only with an ordered code.
    explained_variance_ratio_ : ndarray of shape (n_components,)
        Share of variance that each code unit adds, none below zero, so that the sum
        over the first is never more than `code_size_curve_` has for them, and the sum
        over all is the `score` of those rows, with an ordered code. The units of a code
        without order share what they explain together: the `score` of the rows of the
        last fit is divided among them in proportion to the variance of their codes.
        For PCA's start both are PCA's own; for others it is a rough guide, since such
        units may tell the same.
    n_samples_ : int
        Rows of the fit; over all calls of `partial_fit`.
    net_ : skorch.NeuralNet
        The trained net; ``net_.module_`` is the torch module.
    mean_ : ndarray of shape (n_features,), float64
        Mean of the training rows.
    scale_ : float
        Root mean square of the centred training data: the unit that the network works
        in. 1.0 where `out_activation` needs data in a range, which are neither centred
        nor scaled then.
    data_range_ : tuple of float
        Smallest and largest value of the training data.
    loss_ : float
        Training loss of the last epoch; NaN if there was none. All losses are means
        over cells, in the data's own (squared) units, deviances of counts; a penalty
        and the loss of neighbours are part of them.
    best_loss_ : float
        Loss of the weights that were kept, on the validation rows, or on the training
        rows if there are none.
    loss_curve_ : list of float
        Training loss of each epoch, while its weights changed.
    validation_loss_curve_ : list of float
        Validation loss after each epoch; empty without validation rows.
    n_iter_ : int
        Epochs trained, over all calls of `partial_fit` or warm starts.
    best_iter_ : int
        Epoch whose weights were kept. 0 is the start: nothing significantly better
        than PCA was found, and PCA is what the estimator does.
    reconstruction_error_ : float
        Mean squared error per cell of the data of the last fit; of counts the deviance.
    device_ : str
        Device of the net.
    n_features_in_ : int
        Number of columns.
    feature_names_in_ : ndarray of shape (n_features,)
        Names of the columns, where X had names that are all strings.

    See Also
    --------
    DenoisingAutoencoder : Learns to undo noise.
    sklearn.decomposition.PCA : What it starts from.
    sklearn_ae.compare.compare_reducers : Compares both on your data.

    Notes
    -----
    Further parameters, whose names begin with ``module__``, ``optimizer__`` or
    ``criterion__``, reach the network, the optimizer or the loss, as in skorch:
    ``optimizer__betas=(0.9, 0.95)``.

    Small tables, of 32 to 1,000 rows and up to 200 columns, are cross-fitted if what
    steers the training is as it is by default, that is all parameters but
    `n_components`, `alpha`, `device`, `warm_start`, `random_state`, `verbose` and
    `callbacks` that are told of epochs alone. No rows are set aside: networks without a
    fold of the rows each, and one on all rows, train side by side; each row judges the
    network that has not seen it; and the one on all rows is kept if the others beat
    PCA beyond doubt. What is said of epochs holds for rounds of 50 steps then, and what
    is said of validation rows for all rows. Such a fit takes a second or two and writes
    no `checkpoint`.

    Missing cells are filled by factor analysis (Rubin and Thayer 1982) of the observed
    cells, a part of the network: each has its mean given the row's other cells. The fit
    starts at PCA of the rows so filled; training hides further cells, and loss and
    judgment are of those that are there. A row without holes is encoded as it is.
    Values that are missing for a reason, such as large ones, are filled as if there
    were none. Streams, `partial_fit` and cross-fitting take no missing cells.

    Sparse X, in any of SciPy's formats or in pandas' Sparse columns, is held as CSR and
    made dense a batch at a time. Centre, scale and PCA come from sparse products. The
    result is that of the dense rows, up to rounding. What comes back is dense.

    float32 rows are encoded and decoded in float32. Others are in float64, which takes
    twice the time and makes a row's code independent of its neighbours.

    Ctrl-C ends a fit, and whatever called it. The estimator is fitted then: a
    `ConvergenceWarning` tells which weights were kept.

    Fits in threads of one process take turns, since torch's random generator is one for
    all of them.

    References
    ----------
    P. Baldi and K. Hornik (1989). Neural networks and principal component analysis:
    learning from examples without local minima. Neural Networks 2(1), 53-58.

    G. E. Hinton and R. R. Salakhutdinov (2006). Reducing the dimensionality of data
    with neural networks. Science 313(5786), 504-507.

    A. Makhzani and B. Frey (2013). k-Sparse autoencoders. arXiv:1312.5663.

    A. Ng (2011). Sparse autoencoder. CS294A lecture notes, Stanford University.

    S. Rifai, P. Vincent, X. Muller, X. Glorot and Y. Bengio (2011). Contractive
    auto-encoders: explicit invariance during feature extraction. ICML, 833-840.

    A. van den Oord, Y. Li and O. Vinyals (2018). Representation learning with
    contrastive predictive coding. arXiv:1807.03748.

    O. Rippel, M. A. Gelbart and R. P. Adams (2014). Learning ordered representations
    with nested dropout. ICML, 1746-1754.

    D. B. Rubin and D. T. Thayer (1982). EM algorithms for ML factor analysis.
    Psychometrika 47(1), 69-76.

    L. N. Smith and N. Topin (2019). Super-convergence: very fast training of neural
    networks using large learning rates. Proc. SPIE 11006.

    Examples
    --------
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.decomposition import PCA
    >>> from sklearn_ae import AutoencoderTransformer
    >>> X = load_digits().data
    >>> autoencoder = AutoencoderTransformer(2, max_iter=20, random_state=0).fit(X)
    >>> autoencoder.transform(X).shape
    (1797, 2)
    >>> pca = PCA(2).fit(X)
    >>> bool(autoencoder.score(X) > pca.explained_variance_ratio_.sum() + 0.1)
    True

    A map, on which rows lie near their neighbours, and which decodes:

    >>> drawn = AutoencoderTransformer(2, neighbors=0.3, max_iter=20, random_state=0)
    >>> places = drawn.fit_transform(X)
    >>> drawn.inverse_transform([[0.0, 0.0]]).shape
    (1, 64)

    One fit for every code size:

    >>> ordered = AutoencoderTransformer(8, ordered=True, max_iter=20, random_state=0)
    >>> codes = ordered.fit_transform(X)
    >>> ordered.inverse_transform(codes[:, :2]).shape
    (1797, 64)
    >>> ordered.truncate(2).transform(X).shape
    (1797, 2)
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        **BaseAutoencoder._parameter_constraints,
        "hidden_layer_sizes": [
            StrOptions({"auto"}),
            "array-like",
            Interval(Integral, 1, None, closed="left"),
        ],
        "activation": [StrOptions({"auto", *ACTIVATIONS})],
        "dropout": [Interval(Real, 0, 1, closed="left")],
        "module": [type, nn.Module, None],
    }

    def __init__(
        self,
        n_components=2,
        *,
        hidden_layer_sizes="auto",
        activation="auto",
        dropout=0.0,
        module=None,
        **params,
    ):
        super().__init__(n_components, **params)
        self.hidden_layer_sizes = hidden_layer_sizes
        self.activation = activation
        self.dropout = dropout
        self.module = module

    def _blueprint(self, n_features, n_components):
        if self.module is not None:
            own = self._own_module()
            return Blueprint.of(self, own, {}, n_features, n_components)
        sizes = self._hidden_layer_sizes(n_features)
        params = {
            "hidden_layer_sizes": sizes,
            "activation": self._activation(n_features),
            "code_activation": self.code_activation,
            "dropout": self.dropout,
        }
        asked = self.hidden_layer_sizes
        asked = {
            "hidden_layer_sizes": asked if isinstance(asked, str) else sizes,
            "activation": self.activation,
        }
        widths = n_features, n_components
        return Blueprint.of(self, DenseNetwork, params, *widths, **asked)

    @property
    def _may_cross_fit(self):
        """Whether all that steers the training is as it is by default."""
        defaults = inspect.signature(AutoencoderTransformer.__init__).parameters
        steered = defaults.keys() - {"self", "noise", *FREE}
        return (
            isinstance(self.n_components, Integral)
            and self._noise is None
            and not self._prefixed(PREFIXES)
            # Others would want to hear of batches.
            and all(getattr(one, "epochs_only", False) for one in self.callbacks or ())
            and all(
                isinstance(value := getattr(self, name), str | Real | None)
                and value == defaults[name].default
                for name in steered
            )
        )

    def _own_module(self):
        if isinstance(self.module, nn.Module):
            name = type(self.module).__name__
            raise TypeError(
                f"module must be a class, which each fit builds anew. Got an "
                f"instance: pass module={name}, its parameters as module__…."
            )
        if not issubclass(self.module, nn.Module):
            raise TypeError(
                f"module must be a subclass of torch.nn.Module. Got {self.module}."
            )
        return self.module

    def _activation(self, n_features):
        if self.activation != "auto":
            return self.activation
        # Bounded data are not scaled: small numbers, for which SiLU is nearly linear.
        bounded = output_of(self.loss, self.out_activation).bounds is not None
        return "relu" if bounded or n_features <= FEW_FEATURES else "silu"

    def _hidden_layer_sizes(self, n_features):
        sizes = self.hidden_layer_sizes
        if isinstance(sizes, str):
            wide = n_features > 200 or self.neighbors is not None
            return (512, 256) if wide else (256, 128)
        return layer_sizes(sizes, "hidden_layer_sizes", " or be 'auto'")
