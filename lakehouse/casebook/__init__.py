"""Cases: a small world in JSON, tried through the ordinary path, and what must follow."""

from lakehouse.casebook.case import Case, read_cases
from lakehouse.casebook.comparing import differences
from lakehouse.casebook.trying import answer_to

__all__ = ["Case", "answer_to", "differences", "read_cases"]
