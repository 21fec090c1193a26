-- title: Machines by what they won
-- draw: table
-- wide
-- note: Days outside: hold of the day outside the interval that its games allow.
SELECT machine_id, zone, any_value(game_theme) AS game_theme,
       any_value(denomination)::DECIMAL(18, 2) AS denomination,
       sum(coin_in) AS coin_in, sum(win) AS win, sum(theo) AS theo,
       sum(win)::DOUBLE / nullif(sum(coin_in), 0)::DOUBLE AS hold,
       sum(games_played)::BIGINT AS games, avg(occupancy) AS occupancy,
       sum(jackpots)::BIGINT AS jackpots, count(*) FILTER (WHERE is_hold_outside) AS days_outside
FROM gold.slot_performance
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
GROUP BY machine_id, zone
ORDER BY win DESC
