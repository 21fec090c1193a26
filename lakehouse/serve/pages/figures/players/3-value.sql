-- title: What the player is worth, on the last day
-- draw: tiles
-- wide
-- with: player
SELECT worth_30, worth_365, theo_365, net_theo_30, online_ngr_30, adt, visits_30, visits_365,
       days_since_visit, expected_value_12m, reinvestment_budget
FROM gold.player_value
WHERE player_id IN (SELECT $player UNION ALL
                    SELECT player_id FROM silver.online_accounts WHERE is_current AND account_id = $player)
  AND gaming_day <= $last::DATE
ORDER BY gaming_day DESC
LIMIT 1
