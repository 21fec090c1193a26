-- title: Theoretical win on the floor, and net revenue online, by day
-- draw: bars
-- with: player
-- x: gaming_day
-- y: theo, actual, online_ngr
-- wide
WITH person AS (
    SELECT $player AS id UNION
    SELECT unnest([account_id, player_id]) FROM silver.online_accounts
    WHERE is_current AND (account_id = $player OR player_id = $player)
)
SELECT gaming_day, sum(theo) AS theo, sum(actual) AS actual, sum(ngr) AS online_ngr
FROM (
    SELECT gaming_day, theo, actual, 0.00::DECIMAL(18, 2) AS ngr FROM gold.player_day
    WHERE player_id IN (SELECT id FROM person) AND gaming_day BETWEEN $first::DATE AND $last::DATE
    UNION ALL
    SELECT gaming_day, 0.00, 0.00, ngr FROM gold.player_metrics
    WHERE user_id IN (SELECT id FROM person) AND gaming_day BETWEEN $first::DATE AND $last::DATE
)
GROUP BY gaming_day
ORDER BY gaming_day
