WITH stands AS (
    SELECT *
    FROM gold.live_alerts
    QUALIFY row_number() OVER (PARTITION BY alert_id ORDER BY version DESC) = 1
)
SELECT detected_at, level, family, rule, account, said
FROM stands
WHERE NOT is_withdrawn
ORDER BY detected_at DESC, event_time DESC, alert_id DESC
LIMIT $alerts::INTEGER
