import os

import pytest
import torch
from hypothesis import settings

# Before scipy is imported: else scikit-learn skips its array API check.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

# Cases for each estimator in test_fuzz.py: 300 and 5,000 in all. The few are always the
# same, so that a build fails for what it changed; `make fuzz` takes the many.
settings.register_profile(
    "few", max_examples=50, deadline=None, derandomize=True, database=None
)
settings.register_profile("many", max_examples=834, deadline=None, print_blob=True)
settings.load_profile("few")

collect_ignore = ["typed_usage.py"]  # for type checkers


def pytest_collection_modifyitems(items):
    if torch.cuda.is_available():
        return
    for item in items:
        if item.get_closest_marker("cuda"):
            item.add_marker(pytest.mark.skip(reason="no CUDA"))
