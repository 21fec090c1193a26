"""What training needs of scikit-learn, and nothing that it does not."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def without_pandas() -> Iterator[None]:
    """scikit-learn, imported inside, finds no pandas. It imports it where it is installed, in case
    it is given a frame: 45 MB in a process that gives it arrays."""
    if "pandas" in sys.modules:
        yield
        return
    sys.modules["pandas"] = None  # type: ignore[assignment]  # Python's word for "not to be had"
    try:
        yield
    finally:
        del sys.modules["pandas"]
