-- title: Machines by win per day on the floor, best first
-- for: slot manager
-- param days = 30: gaming days back from the newest
-- param rows = 25: machines to show
SELECT machine_id, any_value(zone) AS zone, any_value(denomination) AS denomination,
       any_value(game_theme) AS game_theme,
       round(sum(win) / count(*), 2) AS win_per_day,
       round(sum(coin_in) / count(*), 2) AS coin_in_per_day,
       round(sum(win) / nullif(sum(coin_in), 0), 4) AS hold,
       round(avg(occupancy), 4) AS occupancy
FROM gold.slot_performance
WHERE gaming_day > (SELECT max(gaming_day) FROM gold.slot_performance) - $days::INTEGER
GROUP BY machine_id
ORDER BY win_per_day DESC
LIMIT $rows::INTEGER
