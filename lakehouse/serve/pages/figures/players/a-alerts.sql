-- title: Alerts
-- draw: table
-- with: player
WITH person AS (
    SELECT $player AS id UNION
    SELECT unnest([account_id, player_id]) FROM silver.online_accounts
    WHERE is_current AND (account_id = $player OR player_id = $player)
)
SELECT gaming_day, severity, said, alert_id FROM gold.anomalies
WHERE list_has_any(string_split(entity_id, '+'), (SELECT list(id) FROM person))
  AND gaming_day BETWEEN $first::DATE AND $last::DATE
UNION ALL
SELECT gaming_day, alert_level, fraud_reason, alert_id FROM gold.fraud_alerts
WHERE profile = 'tuned' AND user_id IN (SELECT id FROM person)
  AND gaming_day BETWEEN $first::DATE AND $last::DATE
ORDER BY gaming_day DESC
