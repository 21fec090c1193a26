"""Bronze to silver: clean and judged. No row ever vanishes."""

from lakehouse.silver.judgement import CleanResult, clean

__all__ = ["CleanResult", "clean"]
