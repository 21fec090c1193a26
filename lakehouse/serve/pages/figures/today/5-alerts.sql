-- title: Alerts of the day, the gravest first
-- draw: table
-- wide
-- empty: No alert on this day.
SELECT severity, rule, entity_type, entity_id, score, said, suggested_action, alert_id
FROM gold.anomalies
WHERE gaming_day = $day::DATE AND rule <> 'cash_is_reviewed'
ORDER BY CASE severity WHEN 'CRITICAL' THEN 0 WHEN 'WARNING' THEN 1 ELSE 2 END, score DESC
