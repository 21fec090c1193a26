"""Alerts: what a rule of detection found of whom, with what it rests on."""

from lakehouse.contracts.alert_shape import AlertShape
from lakehouse.contracts.registry import table


@table("anomalies", layer="gold", grain="one row per alert: a rule, an entity and a gaming day")
class Anomalies(AlertShape):
    """Signals of fraud, of machines, tables and staff, and of harm, for a person to judge.

    Patterns of currency that may belong to a report of suspicion are in the restricted zone
    (31 U.S.C. 5318(g)(2)); what stands here of the family `cash` is the same on every day."""
