-- title: Visits
-- draw: table
-- wide
-- with: player
SELECT gaming_day, minutes, coin_in, buy_in, theo, actual, free_play, cash_in, cash_out, wins_amount,
       points
FROM gold.player_day
WHERE player_id IN (SELECT $player UNION ALL
                    SELECT player_id FROM silver.online_accounts WHERE is_current AND account_id = $player)
  AND gaming_day BETWEEN $first::DATE AND $last::DATE
ORDER BY gaming_day DESC
