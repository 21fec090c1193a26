"""Great Expectations: suites that users bring, judged by gaming day; suites of the contracts,
for others to run; Data Docs. Only `engine` and `pages` import it, inside their functions.
"""
