"""Type checkers and editors see what the signatures have.

That mypy finds what is wrong is told by `tests/typed_usage.py`, which `make lint`
checks.
"""

import ast

from make_stubs import FILE, stubs


def test_the_stubs_are_those_of_the_signatures():
    written = FILE.read_text(encoding="utf-8")
    assert ast.dump(ast.parse(written)) == ast.dump(ast.parse(stubs())), (
        "run `python tests/make_stubs.py`"
    )
