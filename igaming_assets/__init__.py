"""The Dagster code location.

Dagster's definitions are a million small objects that live as long as the process: Python would
go over them again after every 700 new ones, which was a twelfth of one more day's CPU seconds.
"""

import gc

gc.set_threshold(10_000, *gc.get_threshold()[1:])
