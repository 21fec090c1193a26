-- title: Rows in quarantine, by table and broken rule
-- for: data steward
-- param days = 30: gaming days back from the newest rejects
WITH rejected AS (
    SELECT 'slot_telemetry' AS table_name, gaming_day, _rules FROM quarantine.slot_telemetry
    UNION ALL SELECT 'table_games', gaming_day, _rules FROM quarantine.table_games
    UNION ALL SELECT 'player_profile', gaming_day, _rules FROM quarantine.player_profile
    UNION ALL SELECT 'financial_txn', gaming_day, _rules FROM quarantine.financial_txn
    UNION ALL SELECT 'security_events', gaming_day, _rules FROM quarantine.security_events
    UNION ALL SELECT 'gaming_wins', gaming_day, _rules FROM quarantine.gaming_wins
)
SELECT table_name, rule, count(*) AS rows, min(gaming_day) AS first_day, max(gaming_day) AS last_day
FROM rejected, unnest(_rules) AS broken(rule)
WHERE gaming_day > (SELECT max(gaming_day) FROM rejected) - $days::INTEGER
GROUP BY table_name, rule
ORDER BY rows DESC, table_name, rule
