-- title: Alerts of the day, the gravest first
-- draw: table
-- wide
-- note: `lakehouse alerts show ID` opens one to its rows.
SELECT severity, rule, entity_type, entity_id, score, said, suggested_action, alert_id
FROM gold.anomalies
WHERE gaming_day = $day::DATE
ORDER BY CASE severity WHEN 'CRITICAL' THEN 0 WHEN 'WARNING' THEN 1 ELSE 2 END, score DESC
