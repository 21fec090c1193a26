-- title: What was seen
-- draw: facts
-- wide
-- with: alert
WITH every AS (
    SELECT alert_id, severity, rule, family, entity_type, entity_id, gaming_day, window_start,
           window_end, score, said, suggested_action, evidence_rows
    FROM gold.anomalies
    UNION ALL
    SELECT alert_id, alert_level, list_sort(rules, 'DESC')[1].rule, 'shop', 'account', user_id,
           gaming_day, gaming_day - 30, gaming_day, fraud_score, fraud_reason,
           'Hold the payment, and ask the account''s holder about it.', len(evidence)
    FROM gold.fraud_alerts WHERE profile = 'tuned'
)
SELECT e.severity, CASE last.action WHEN 'ack' THEN 'acknowledged' WHEN 'close' THEN 'closed'
       ELSE 'open' END AS state, e.* EXCLUDE (severity), last.outcome
FROM every e
LEFT JOIN (SELECT alert_id, action, outcome FROM ops.alert_actions
           QUALIFY row_number() OVER (PARTITION BY alert_id ORDER BY acted_at DESC, action_id DESC) = 1) last
     ON last.alert_id = e.alert_id
WHERE e.alert_id = $alert
