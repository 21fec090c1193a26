-- title: Alerts of the day that nobody has closed, the gravest first
-- draw: table
-- wide
-- empty: No alert on this day, or all are closed.
-- note: Payments of an account in the shop are one line.
WITH closed AS (
    SELECT alert_id FROM ops.alert_actions
    GROUP BY alert_id HAVING arg_max(action, (acted_at, action_id)) = 'close'
), told AS (
    SELECT CASE severity WHEN 'CRITICAL' THEN 0 WHEN 'WARNING' THEN 2 ELSE 3 END AS nth, severity,
           rule, entity_type, entity_id, 1 AS alerts, score, said, alert_id
    FROM gold.anomalies
    WHERE gaming_day = $day::DATE AND rule <> 'cash_is_reviewed' AND alert_id NOT IN (FROM closed)
    UNION ALL
    SELECT min(CASE alert_level WHEN 'CRITICAL' THEN 0 ELSE 1 END), arg_max(alert_level, fraud_score),
           'payments', 'account', user_id, count(*), max(fraud_score),
           arg_max(fraud_reason, (fraud_score, alert_id)),
           arg_max(alert_id, (fraud_score, alert_id))
    FROM gold.fraud_alerts
    WHERE gaming_day = $day::DATE AND profile = 'tuned' AND alert_level IN ('CRITICAL', 'HIGH')
      AND alert_id NOT IN (FROM closed)
    GROUP BY user_id
)
SELECT * EXCLUDE (nth) FROM told
ORDER BY nth, score DESC, alert_id
