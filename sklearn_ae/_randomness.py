"""Random generators as their states, and back.

NumPy takes a state at its word: a position beyond the end of the generator's numbers
makes it read memory that isn't its own. So what comes from a file is compared with a
state of the same generator first.
"""

import numpy as np

BIT_GENERATORS = {
    bits.__name__: bits
    for bits in (
        *(np.random.MT19937, np.random.PCG64, np.random.PCG64DXSM),
        *(np.random.Philox, np.random.SFC64),
    )
}
# The largest value of what is not simply any unsigned number.
LARGEST = {"pos": 624, "buffer_pos": 4, "has_uint32": 1, "has_gauss": 1}


def generator(state):
    """Return a generator with a state, or raise an error that says what is wrong."""
    bits = _bit_generator(state)
    _check(state, bits.state, "state")
    bits.state = state
    return np.random.Generator(bits)


def random_state(state):
    """Return a `RandomState` with a state, or raise an error that says what's wrong."""
    made = np.random.RandomState(_bit_generator(state))
    _check(state, made.get_state(legacy=False), "state")
    made.set_state(state)
    return made


def _bit_generator(state):
    return BIT_GENERATORS[state["bit_generator"]](0)


def _check(value, like, name):
    """Raise an error if a state is not made as another of its kind is."""
    if type(value) is not type(like):
        raise ValueError(f"a random generator's {name} is a {type(value).__name__}")
    if isinstance(like, dict):
        if value.keys() != like.keys():
            raise ValueError(f"a random generator's {name} has other entries")
        for key in like:
            _check(value[key], like[key], key)
    elif isinstance(like, np.ndarray):
        if value.shape != like.shape or value.dtype != like.dtype:
            raise ValueError(f"a random generator's {name} has another shape or dtype")
    elif isinstance(like, int):
        if not 0 <= value <= LARGEST.get(name, 2**128 - 1):
            raise ValueError(f"a random generator's {name} is {value}")
    elif isinstance(like, float) and not np.isfinite(value):
        raise ValueError(f"a random generator's {name} is {value}")
