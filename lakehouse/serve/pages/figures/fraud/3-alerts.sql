-- title: Alerts of the days, the gravest first
-- draw: table
-- wide
SELECT alert_level, alert_timestamp, user_id, amount, fraud_reason, fraud_score, learned_score,
       alert_id
FROM gold.fraud_alerts
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE AND profile = 'tuned'
ORDER BY fraud_score DESC, alert_timestamp DESC
