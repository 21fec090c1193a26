"""Whether a gaming day may be trusted, and why not: results of checks as a page, JUnit XML, JSON."""
