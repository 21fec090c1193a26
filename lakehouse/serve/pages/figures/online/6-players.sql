-- title: Players of the last day by stakes
-- draw: table
-- wide
SELECT user_id, player_id, sessions, rounds, stakes, wins, ggr, ngr, minutes, games, devices
FROM gold.player_metrics
WHERE gaming_day = $last::DATE
ORDER BY stakes DESC
