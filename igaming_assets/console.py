"""What a run prints: warnings and errors. Everything else is in the event log."""

from __future__ import annotations

import logging

import dagster as dg


@dg.logger(
    {
        "log_level": dg.Field(
            str, default_value="WARNING", description="Level from which a run's log is printed."
        )
    }
)
def console(context: dg.InitLoggerContext) -> logging.Logger:
    """Plain lines on standard error."""
    logger = logging.getLoggerClass()("lakehouse.run")
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logger.addHandler(handler)
    logger.setLevel(context.logger_config["log_level"])
    return logger
