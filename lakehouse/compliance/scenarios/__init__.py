"""Cases: a small world in JSON, tried through the ordinary path, and what must follow."""

from lakehouse.compliance.scenarios.case import Case, read_cases
from lakehouse.compliance.scenarios.comparing import differences
from lakehouse.compliance.scenarios.trying import answers_to

__all__ = ["Case", "answers_to", "differences", "read_cases"]
