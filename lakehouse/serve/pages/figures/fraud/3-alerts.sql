-- title: Payments that look like fraud, the gravest first
-- draw: table
-- wide
-- param state = : open, acknowledged or closed; without it all that is not closed
SELECT a.alert_level AS severity, CASE last.action WHEN 'ack' THEN 'acknowledged' WHEN 'close' THEN 'closed'
       ELSE 'open' END AS state, a.alert_timestamp, a.user_id, a.amount, a.fraud_reason, a.fraud_score,
       a.learned_score, last.acted_by, a.alert_id
FROM gold.fraud_alerts a
LEFT JOIN (SELECT alert_id, action, acted_by FROM ops.alert_actions
           QUALIFY row_number() OVER (PARTITION BY alert_id ORDER BY acted_at DESC, action_id DESC) = 1) last
     ON last.alert_id = a.alert_id
WHERE a.gaming_day BETWEEN $first::DATE AND $last::DATE AND a.profile = 'tuned'
  AND CASE $state WHEN '' THEN state <> 'closed' ELSE state = $state END
ORDER BY a.fraud_score DESC, a.alert_timestamp DESC, a.alert_id
