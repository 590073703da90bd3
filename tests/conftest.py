import os

# Before scipy is imported: else scikit-learn skips its array API check.
os.environ.setdefault("SCIPY_ARRAY_API", "1")
