-- title: Alerts of the days, the gravest first
-- draw: table
-- wide
-- param state = : open, acknowledged or closed; without it all that is not closed
SELECT a.severity, CASE last.action WHEN 'ack' THEN 'acknowledged' WHEN 'close' THEN 'closed'
       ELSE 'open' END AS state, a.gaming_day, a.entity_id AS player_id, a.said, a.suggested_action,
       last.acted_by, a.alert_id
FROM gold.anomalies a
LEFT JOIN (SELECT alert_id, action, acted_by FROM ops.alert_actions
           QUALIFY row_number() OVER (PARTITION BY alert_id ORDER BY acted_at DESC, action_id DESC) = 1) last
     ON last.alert_id = a.alert_id
WHERE a.gaming_day BETWEEN $first::DATE AND $last::DATE AND a.family = 'protection'
  AND CASE $state WHEN '' THEN state <> 'closed' ELSE state = $state END
ORDER BY list_position(['CRITICAL', 'WARNING', 'INFO'], a.severity), a.gaming_day DESC, a.score DESC, a.alert_id
