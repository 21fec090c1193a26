-- title: Tables by what they won
-- draw: table
-- wide
SELECT table_id, any_value(game_type) AS game_type, any_value(zone) AS zone,
       sum("drop") AS "drop", sum(win) AS win, sum(theo) AS theo,
       sum(win)::DOUBLE / nullif(sum("drop"), 0)::DOUBLE AS hold,
       sum(rated_minutes)::BIGINT AS rated_minutes,
       count(*) FILTER (WHERE is_win_outside) AS days_outside
FROM gold.table_performance
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
GROUP BY table_id
ORDER BY win DESC
