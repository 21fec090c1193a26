-- title: Payments of the shop that look like fraud, the gravest first
-- for: fraud desk
-- param days = 2: gaming days back from the newest
-- param profile = tuned: tuned or streamify
SELECT gaming_day, alert_level, fraud_score, learned_score, alert_timestamp, user_id, amount,
       fraud_reason, transaction_id, len(evidence) AS evidence_rows
FROM gold.fraud_alerts
WHERE profile = $profile
  AND gaming_day > (SELECT max(gaming_day) FROM gold.fraud_alerts) - $days::INTEGER
ORDER BY CASE alert_level WHEN 'CRITICAL' THEN 0 WHEN 'HIGH' THEN 1 WHEN 'MEDIUM' THEN 2 ELSE 3 END,
         fraud_score DESC, alert_timestamp DESC, transaction_id
