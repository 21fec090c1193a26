-- title: Hold by denomination, against what the par sheets promise
-- for: slot manager
-- param days = 30: gaming days back from the newest
SELECT denomination,
       count(DISTINCT machine_id) AS machines,
       sum(coin_in) AS coin_in,
       sum(win) AS win,
       sum(theo) AS theo,
       round(sum(win) / nullif(sum(coin_in), 0), 4) AS actual_hold,
       round(sum(theo) / nullif(sum(coin_in), 0), 4) AS theoretical_hold
FROM gold.slot_performance
WHERE gaming_day > (SELECT max(gaming_day) FROM gold.slot_performance) - $days::INTEGER
GROUP BY denomination
ORDER BY denomination
