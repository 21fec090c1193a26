-- title: Accounts of the shop with the most that looks like fraud
-- for: fraud desk
-- param days = 28: gaming days back from the newest
-- param profile = tuned: tuned or streamify
SELECT user_id, count(*) AS alerts, sum(amount) AS amount, max(fraud_score) AS fraud_score,
       min(alert_timestamp) AS first_alert, max(alert_timestamp) AS last_alert,
       arg_max(fraud_reason, fraud_score) AS fraud_reason
FROM gold.fraud_alerts
WHERE profile = $profile
  AND gaming_day > (SELECT max(gaming_day) FROM gold.fraud_alerts) - $days::INTEGER
GROUP BY user_id
ORDER BY fraud_score DESC, alerts DESC, user_id
LIMIT 50
