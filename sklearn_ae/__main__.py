"""`python -m sklearn_ae`: the command `sklearn-ae`."""

import sys

from ._command import main

if __name__ == "__main__":
    sys.exit(main())
