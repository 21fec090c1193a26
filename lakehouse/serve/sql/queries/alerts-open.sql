-- title: Alerts that nobody has closed, the gravest first
-- for: surveillance room
-- param days = 7: gaming days back from the newest
WITH newest AS (
    SELECT alert_id, arg_max(action, acted_at) AS action
    FROM ops.alert_actions
    GROUP BY alert_id
)
SELECT a.gaming_day, a.severity, a.family, a.rule, a.entity_id, a.score, a.said,
       a.suggested_action, coalesce(n.action, 'open') AS state
FROM gold.anomalies a
LEFT JOIN newest n USING (alert_id)
WHERE a.gaming_day > (SELECT max(gaming_day) FROM gold.anomalies) - $days::INTEGER
  AND a.family <> 'cash'
  AND coalesce(n.action, 'open') <> 'close'
ORDER BY CASE a.severity WHEN 'CRITICAL' THEN 0 WHEN 'WARNING' THEN 1 ELSE 2 END,
         a.gaming_day DESC, a.score DESC, a.alert_id
