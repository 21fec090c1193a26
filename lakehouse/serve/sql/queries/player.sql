-- title: One player, day by day
-- for: host
-- param player = P00000001: patron number
SELECT gaming_day, visits, minutes, coin_in, buy_in, theo, actual, free_play, cash_in, cash_out,
       points
FROM gold.player_day
WHERE player_id = $player
ORDER BY gaming_day
