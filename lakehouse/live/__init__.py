"""Windows, sessions and alerts over events as they come: state and rows in, state and results out.

The functions are those of the daily marts, applied to what is known of a partition. `engine` alone
reads and writes; all else is pure, so that any cuts of a stream, and any restart, say the same.
"""
