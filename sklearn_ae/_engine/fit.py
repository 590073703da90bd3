"""A fit, from a table to a fitted model. It writes nothing to the estimator.

Four steps, of which each takes what the ones before gave: `look_through`, `prepare`,
`train`, `finish`.
"""

import contextlib
import copy
import hashlib
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from sklearn.exceptions import ConvergenceWarning
from skorch.helper import predefined_split

from . import batches, crossfit
from .batches import Batches, Data, Rows
from .blueprint import Blueprint, build
from .caller import warn_caller
from .checkpoint import Checkpoint
from .codec import Codec, share_curve
from .counts import Reading
from .cut import cut
from .filling import Filling, cells_aside
from .fitted import Fitted
from .history import History
from .judge import Judge, KeepBest, KeepFinite
from .layout import layout
from .losses import LOSSES
from .neighbours import Pairs, pair_up
from .net import AutoencoderNet
from .noise import MOST_HIDDEN, MOST_HIDDEN_TO_FILL, corruption, hidden
from .plan import JUDGED_ROWS, Plan, decay
from .scaling import Scaling
from .survey import Job, look_through
from .torch_state import generator, resolve_device, torch_state
from .trial import of_pass, set_arrays
from .wrappers import PCAStart

WATCHED_ROWS = 1000  # of each kind that callbacks are given to look at
JUDGED_AT_ONCE = 512  # rows with holes: many small batches would take longer to judge


@dataclass(frozen=True)
class Prepared:
    """All that a training needs."""

    scaling: Scaling
    blueprint: Blueprint
    plan: Plan
    data: Data
    net: AutoencoderNet  # at its start
    keeper: KeepBest | KeepFinite | crossfit.CrossFit
    split_seed: int
    trial_loss: float | None = None  # for a stream that began at PCA, see `Trial`
    pairs: Pairs | None = None  # what trains in the place of rows


def fit(estimator, rows, previous=None, one_pass=False, listeners=None):
    """Fit a model to a table.

    Parameters
    ----------
    estimator : estimator
        Its parameters are read, and its hooks `_blueprint`, `_objective` and `_extras`
        called.
    rows : Weighted
        The table, its groups and weights.
    previous : Fitted, default=None
        What the fit goes on from.
    one_pass : bool, default=False
        Whether the rows are gone through once, as a part of many.
    listeners : callable, default=None
        Called with the number of epochs; returns further callbacks.

    Returns
    -------
    fitted : Fitted
    interrupted : bool
        Whether Ctrl-C ended it.
    """
    device = resolve_device(estimator.device)
    # A copy: a pass that fails shall not have advanced it.
    draws = copy.deepcopy(previous.generator) if previous and one_pass else None
    draws = draws or generator(estimator.random_state)
    job = Job(
        *(estimator, rows.table, previous, rows.groups, one_pass, device, draws),
        *(rows.weights, rows.n_given),
    )
    checkpoint = None
    if estimator.checkpoint is not None and not one_pass:
        checkpoint = Checkpoint(estimator.checkpoint, draws)
    seed = int(draws.integers(2**62))
    survey = look_through(job)  # before torch's modes: denormal numbers count here
    with torch_state(device, seed):
        prepared = prepare(job, survey, listeners, checkpoint)
        del survey  # which may hold rows
        verdict = train(job, prepared)
        fitted, interrupted = finish(job, prepared, verdict)
    if checkpoint is not None and not interrupted:
        checkpoint.remove()
    return fitted, interrupted


def prepare(job, survey, listeners, checkpoint):
    """Start at PCA, and set a net up."""
    estimator, previous, scaling = job.estimator, job.previous, survey.scaling
    filling = _filling(job, survey)
    reading = _reading(job, survey)
    axes, blueprint = layout(job, survey, filling, reading)
    where = scaling, job.device, survey.picked
    data = batches.read(job.table, survey.split, *where, job.weights)
    if survey.hidden is not None:
        train, cells = cells_aside(data.every, survey.hidden, data.weights)
        data = data._replace(train=train, cells=cells)
    plan = Plan.of(estimator, len(data.train), blueprint.ordered, job.one_pass)
    if survey.cross_fitted:
        plan = replace(plan, n_epochs=crossfit.N_ROUNDS, rates=None, memory_steps=None)
    keeper = _keeper(job, survey, plan, data, axes, blueprint)
    callbacks = [*(estimator.callbacks or ())]
    callbacks += listeners(plan.n_epochs) if listeners else []
    if checkpoint is not None:  # which may be of another fit
        checkpoint.open(_identity(job, scaling), keeper)
    if not survey.cross_fitted:
        callbacks.append(keeper)  # after all that may change weights
        callbacks += [checkpoint] if checkpoint else []
    objective = estimator._objective(blueprint, _unexplained(blueprint, axes, previous))
    net = _net(
        *(estimator, scaling, blueprint, objective, plan, data),
        device=str(job.device),
        callbacks=callbacks,
    )
    net.initialize()
    if filling is not None:
        net.module_.start(filling.factors)
    if reading is not None:
        normalised = estimator.loss == "multinomial"
        reading.start(net.module_, axes, normalised)
    pairs = None
    if estimator.neighbors is not None:
        pairs = pair_up(net, data.train, previous and previous.codec.net)
    trial_loss = _start(job, net, axes, pairs or data.train)
    return Prepared(
        *(scaling, blueprint, plan, data, net, keeper, survey.split_seed),
        trial_loss,
        pairs,
    )


def train(job, prepared):
    """Train the net; return what became of it."""
    net, data = prepared.net, prepared.data
    if prepared.blueprint.ordered:
        cut(net, prepared.blueprint.prefix(1))  # fails now rather than after it
    if job.estimator.compile:
        batch_size = prepared.plan.batch_size
        _compile(net, next(iter(Batches(data.train, batch_size)))[0])
    codec = Codec(net, prepared.scaling, prepared.blueprint)
    goes_on = job.one_pass and job.previous is not None
    with _watched(codec, data, goes_on):
        if isinstance(prepared.keeper, crossfit.CrossFit):
            return crossfit.train(net, data.train, prepared.keeper)
        net.partial_fit(prepared.pairs or data.train)
    return prepared.keeper.verdict


def finish(job, prepared, verdict):
    """Return what the training came to, and whether it was interrupted."""
    net, data = prepared.net, prepared.data
    estimator, previous = job.estimator, job.previous
    trial = _end_of_pass(prepared, previous, verdict)
    codec = Codec(net, prepared.scaling, prepared.blueprint)
    epochs = [epoch for epoch in net.history if "train_loss" in epoch]
    interrupted = len(epochs) < len(net.history)
    _warn(net, verdict, len(epochs), interrupted, prepared.plan)
    fitted = Fitted(
        codec,
        History.of(epochs, verdict, codec.in_units, previous and previous.history),
        prepared.split_seed,
        estimator._noise,
        generator=job.generator if job.one_pass else None,
    )
    if codec.blueprint.ordered:
        rows, weights = data.every, data.weights
        if data.valid is not None:
            rows, weights = data.valid, data.valid_weights
        some = slice(JUDGED_ROWS)
        weights = None if weights is None else weights[some]
        fitted = replace(fitted, curve=share_curve(codec, rows[some], weights))
        if previous is None and isinstance(estimator.n_components, float):
            fitted = fitted.prefix(_enough(fitted.ratios, estimator.n_components))
    codec = fitted.codec
    error, shares = codec.error_and_shares(data.every, data.weights)
    n_before = previous.n_samples if previous and job.one_pass else 0
    fitted = replace(
        fitted,
        error=error,
        shares=shares,
        n_samples=n_before + job.n_given,
        extras=estimator._extras(codec, data.every, data.weights),
        trial=trial,
    )
    # A model that is shipped holds no rows, and little that only training needs.
    net = codec.net
    net.train_split = net.iterator_train__corrupt = net.rates = net.average_ = None
    if not job.one_pass:
        net.forget_momenta()
    return fitted, interrupted


# -- prepare --


def _filling(job, survey):
    """Return what fills missing cells, or None."""
    if not survey.missing or job.previous is not None:
        return None
    seed = survey.split_seed
    return Filling.of(job.table, survey.scaling, survey.hidden, seed, job.weights)


def _reading(job, survey):
    """Return how counts are read, or None."""
    if not LOSSES[job.estimator.loss].counts or job.previous is not None:
        return None
    return Reading.of(job.table, survey.scaling, job.weights)


def _keeper(job, survey, plan, data, axes, blueprint):
    """Return what finds the weights to keep."""
    estimator = job.estimator
    if job.one_pass:
        return KeepFinite()
    if survey.cross_fitted:
        labels = None if survey.found is None else survey.found.labels
        rows, k = data.every[:].cpu(), blueprint.n_components
        return crossfit.CrossFit(
            *(rows, axes, k, decay(estimator), labels, survey.split_seed),
            survey.scaling.ends,
            data.weights,
        )
    safe_start = job.previous is not None or estimator.init == "pca"
    patience = estimator.n_iter_no_change if data.judged else None
    # Of more columns than rows steps are dear and gains rare; elsewhere some come late.
    wide = job.table.shape[1] > len(job.table) and job.previous is None
    probation = plan.probation if wide and patience is not None else None
    labels = survey.split.labels
    judge = Judge(safe_start, estimator.tol, patience, labels, probation=probation)
    return KeepBest(judge)


def _unexplained(blueprint, axes, previous):
    """Return the share of variance that PCA leaves to each prefix of the code."""
    if not blueprint.ordered:
        return None
    if previous is not None:
        return previous.codec.net.criterion__unexplained
    return axes.unexplained(blueprint.n_components)


def _net(estimator, scaling, blueprint, objective, plan, data, **params):
    """Return a skorch net that is not initialized yet."""
    by_default = estimator.noise == "auto"
    corrupt = corruption(estimator._noise, estimator.noise_level, scaling, by_default)
    if blueprint.takes_missing:
        most = MOST_HIDDEN if data.cells is None else MOST_HIDDEN_TO_FILL
        corrupt = partial(hidden, corrupt=corrupt, most=most)
    valid = data.valid
    if data.cells is not None:
        valid = data.cells
    elif valid is not None:
        # Corrupted once, so that every epoch is judged on the same rows; not where
        # noise is a means, rather than what was asked for.
        read = corrupt(valid) if corrupt and not by_default else valid
        valid = Rows(read, valid, data.valid_weights)
    criterion, criterion_params = objective
    criterion_params = {**criterion_params, "ends": scaling.ends}
    if estimator.neighbors is not None:
        criterion_params["neighbors"] = float(estimator.neighbors)
    if blueprint.takes_missing:
        criterion_params = {**criterion_params, "missing": True}
        params["iterator_valid__batch_size"] = max(JUDGED_AT_ONCE, plan.batch_size)
    optimizer = {f"optimizer__{k}": v for k, v in plan.optimizer_params.items()}
    return AutoencoderNet(
        build,
        module__blueprint=blueprint,
        optimizer=plan.optimizer,
        dataset=Rows,
        iterator_train=Batches,
        iterator_train__shuffle=True,
        iterator_train__corrupt=corrupt,
        iterator_valid=Batches,
        precision=estimator.precision,
        verbose=int(estimator.verbose),
        max_epochs=plan.n_epochs,
        batch_size=plan.batch_size,
        rates=plan.rates,
        memory_steps=plan.memory_steps,
        train_split=None if valid is None else predefined_split(valid),
        criterion=criterion,
        **params,
        **{
            **optimizer,
            **estimator._prefixed(("optimizer__", "criterion__")),
            **{f"criterion__{k}": v for k, v in criterion_params.items()},
        },
    )


def _start(job, net, axes, rows):
    """Give a net its first weights; return the loss of a `Trial` if it is on one."""
    previous = job.previous
    if previous is not None:
        _go_on(net, previous, momenta=job.one_pass)
        # Processes that each have rows of their own would find other verdicts.
        apart = any(
            getattr(callback, "one_of_many", False)
            for callback in job.estimator.callbacks or ()
        )
        if job.one_pass and previous.trial is not None and not apart:
            return previous.trial.judged(net, rows)
    elif job.estimator.init == "pca":
        linear = next(m for m in net.module_.modules() if isinstance(m, PCAStart))
        net.criterion_.start(net.module_, linear, axes)
        # The PCA of counts is linked by what all rows say: no stream goes on with it.
        return 0.0 if job.one_pass and not net.criterion_.loss.counts else None
    return None


def _go_on(net, previous, momenta):
    """Let a net go on from the weights of a fit and, if `momenta`, its momenta."""
    net.set_weights(previous.codec.net.weights())
    if momenta and previous.trial is not None and previous.trial.weights is not None:
        set_arrays(net, previous.trial.weights)
    momenta = momenta and previous.generator is not None  # only a pass keeps them
    for name in net.optimizer_names:
        own, old = getattr(net, name), getattr(previous.codec.net, name)
        if momenta and type(own) is type(old):
            state = old.state_dict()
            # What set_params changed since then counts.
            state["param_groups"] = own.state_dict()["param_groups"]
            own.load_state_dict(state)


def _identity(job, scaling):
    """Return what tells one fit from another: names and values."""
    estimator, table = job.estimator, job.table
    # What does not change the result, or is not the same after a restart.
    params = estimator.get_params()
    for name in ("checkpoint", "callbacks", "device", "verbose", "warm_start"):
        params.pop(name)
    plain = {k: getattr(v, "__qualname__", repr(v)) for k, v in params.items()}
    first = np.ascontiguousarray(table[:1000])
    if job.weights is not None:
        weights = hashlib.sha256(np.ascontiguousarray(job.weights))
        plain["checksum of sample_weight"] = weights.hexdigest()[:16]
    return {
        "class": type(estimator).__name__,
        "number of rows": str(len(table)),
        "number of columns": str(table.shape[1]),
        "data's mean": repr(float(scaling.mean.mean())),
        "data's spread": repr(scaling.scale),
        "checksum of the first rows": hashlib.sha256(first).hexdigest()[:16],
        "start": "cold" if job.previous is None else "warm",
        **plain,
    }


# -- train --


@contextlib.contextmanager
def _watched(codec, data, goes_on):
    """Let the callbacks that have `watch` look at the model while it is trained."""
    watchers = [each for _, each in codec.net.callbacks_ if hasattr(each, "watch")]
    with contextlib.ExitStack() as stack:
        if watchers:
            rows = {"train": next(data.train.windows(False))[:WATCHED_ROWS][1]}
            if data.valid is not None:
                rows["validation"] = data.valid[:WATCHED_ROWS]
            rows = {
                name: codec.scaling.undo(part.cpu().numpy()).astype(np.float32)
                for name, part in rows.items()
            }
        for watcher in watchers:
            stack.enter_context(watcher.watch(codec, rows, goes_on))
        yield


def _compile(net, inputs):
    """Compile the network, or say why not and go on without."""
    module = net.module_
    module.compile()
    try:
        with torch.random.fork_rng(), torch.no_grad():
            module.eval()(inputs)
    except Exception as error:  # any of torch's many compilers may be missing
        module._compiled_call_impl = None
        warn_caller(
            f"compile=True has no effect here: {type(error).__name__}: "
            f"{str(error).splitlines()[0]}",
            UserWarning,
        )


# -- finish --


def _end_of_pass(prepared, previous, verdict):
    """Return the trial of a stream, or None; the net becomes the model."""
    if prepared.trial_loss is None:
        return None
    if verdict.diverged and previous is not None:  # the pass is undone
        prepared.net.set_weights(previous.codec.net.weights())
        return previous.trial
    before = previous and previous.trial
    return of_pass(prepared.net, prepared.data.train, before, prepared.trial_loss)


def _warn(net, verdict, n_whole, interrupted, plan):
    """Say what went wrong."""
    if verdict.diverged:
        warn_caller(
            f"The loss was not finite in epoch {n_whole}; the best weights "
            f"until then (epoch {verdict.best_epoch}) were restored. Try a "
            f"smaller learning_rate_init (now {plan.rate:g}) or data "
            f"without extreme rows.",
            ConvergenceWarning,
        )
    elif interrupted:
        warn_caller(
            f"The fit was interrupted in epoch {len(net.history)} of "
            f"{net.max_epochs}; the best weights until then (epoch "
            f"{verdict.best_epoch}) were kept.",
            ConvergenceWarning,
        )


def _enough(ratios, share):
    """Return the smallest code that keeps the wanted share of variance."""
    enough = np.searchsorted(np.cumsum(ratios), share) + 1
    return int(min(enough, len(ratios)))
