"""Security: badges, doors, exclusion checks, incidents, escorts."""

import dataframely as dy
import polars as pl

from lakehouse.contracts import columns as c
from lakehouse.contracts.floor.tables import SHIFTS, SHIFTS_SPELLED
from lakehouse.contracts.registry import table

EVENT_TYPES = (
    "BADGE_SWIPE",
    "DOOR_ENTRY",
    "ACCESS_GRANTED",
    "ACCESS_DENIED",
    "CAMERA_ALERT",
    "MOTION_DETECTED",
    "CAMERA_OBSTRUCTION",
    "EXCLUSION_CHECK",
    "EXCLUSION_VIOLATION",
    "INCIDENT_REPORT",
    "ALTERCATION",
    "MEDICAL_EMERGENCY",
    "THREAT_DETECTED",
    "WEAPON_DETECTED",
    "TRESPASS",
    "UNAUTHORIZED_ACCESS",
    "SUSPICIOUS_ACTIVITY",
    "PATRON_COMPLAINT",
    "ESCORT_REQUEST",
    "SECURITY_PATROL",
)
SECURITY_LEVELS = ("Public", "Employee", "Restricted", "High Security")
SEVERITIES = ("LOW", "MEDIUM", "HIGH", "CRITICAL")


@table(
    "security_events",
    layer="source",
    grain="one row per security event",
    event_time="event_timestamp",
    monthly_rows=25_000,
)
class SecurityEvents(dy.Schema):
    """What guards, doors and cameras recorded, following people through the property."""

    event_id = c.text("Event number, unique.", key=True)
    event_type = c.code(EVENT_TYPES, "What happened.")
    event_timestamp = c.utc("When it happened.")
    location_id = c.text("Code of the place.", nullable=True, regex="^LOC-[A-Z0-9]{3,10}$")
    zone = c.text("Part of the property.")
    location_detail = c.text("Door, gate or post.")
    security_level = c.code(SECURITY_LEVELS, "Level of the place.")
    severity_level = c.code(
        SEVERITIES, "How grave the event is; of an incident, its severity.", nullable=True
    )
    employee_id = c.text("Employee concerned.", nullable=True)
    badge_number = c.text("Badge read.", nullable=True)
    visitor_id = c.text("Visitor pass.", nullable=True)
    camera_id = c.text("Camera.", nullable=True)
    access_granted = c.flag("Whether the door opened.", nullable=True)
    access_denied_reason = c.text("Why it did not.", nullable=True)
    incident_number = c.text("Incident file.", nullable=True)
    incident_category = c.text("Kind of incident.", nullable=True)
    incident_severity = c.text("Low, Medium, High or Critical.", nullable=True)
    incident_description = c.text("What was written down.", nullable=True)
    responding_officer_id = c.text("Officer who came.", nullable=True)
    resolution_status = c.text("Open, Resolved or Escalated.", nullable=True)
    vehicle_license_plate = c.text(
        "Licence plate.", nullable=True, pii="direct", protect="token", token_field="plate"
    )
    alarm_type = c.text("Alarm raised.", nullable=True)
    patrol_route = c.text("Route walked.", nullable=True)
    shift = c.code(SHIFTS, "Shift of the guard.", also=SHIFTS_SPELLED)
    player_id = c.player("Patron of an exclusion event or escort.")
    gaming_day = c.gaming_day()
    _ingested_at = c.ingested_at()
    _source = c.source()
    _batch_id = c.batch_id()

    @dy.rule()
    def denied_door_says_why(cls) -> pl.Expr:
        """An ACCESS_DENIED row has its reason."""
        denied = pl.col("event_type") == "ACCESS_DENIED"
        return ~denied | pl.col("access_denied_reason").is_not_null()
