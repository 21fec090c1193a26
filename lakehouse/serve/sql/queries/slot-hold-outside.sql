-- title: Machines whose hold left its 99% interval, most days first
-- for: slot manager
-- param days = 30: gaming days back from the newest
-- param at_least = 2: days outside; one in a hundred is chance
SELECT machine_id, any_value(zone) AS zone, any_value(denomination) AS denomination,
       count(*) FILTER (is_hold_outside) AS days_outside,
       count(*) AS days_played,
       round(sum(win) / nullif(sum(coin_in), 0), 4) AS actual_hold,
       round(sum(theo) / nullif(sum(coin_in), 0), 4) AS theoretical_hold,
       sum(win) - sum(theo) AS win_over_theo
FROM gold.slot_performance
WHERE gaming_day > (SELECT max(gaming_day) FROM gold.slot_performance) - $days::INTEGER
  AND coin_in > 0
GROUP BY machine_id
HAVING days_outside >= $at_least::INTEGER
ORDER BY days_outside DESC, abs(win_over_theo) DESC
