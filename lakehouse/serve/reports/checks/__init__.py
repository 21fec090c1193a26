"""Whether a gaming day may be trusted, and why not: checks as a page, as JUnit XML, as JSON."""
