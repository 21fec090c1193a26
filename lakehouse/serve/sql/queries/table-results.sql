-- title: Drop, win and hold of each table game against its theo
-- for: finance controller
-- param days = 30: gaming days back from the newest
SELECT game_type,
       count(DISTINCT table_id) AS tables,
       sum("drop") AS table_drop,
       sum(win) AS win,
       round(sum(win) / nullif(sum("drop"), 0), 4) AS hold,
       sum(theo) AS theo,
       sum(hands_played) AS hands,
       count(*) FILTER (is_win_outside) AS table_days_outside_interval
FROM gold.table_performance
WHERE gaming_day > (SELECT max(gaming_day) FROM gold.table_performance) - $days::INTEGER
GROUP BY game_type
ORDER BY win DESC
