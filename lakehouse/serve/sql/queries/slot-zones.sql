-- title: What a machine earns in each zone: win, games and occupancy per unit and day
-- for: slot manager
-- param days = 30: gaming days back from the newest
SELECT zone,
       count(DISTINCT machine_id) AS machines,
       round(sum(win) / count(*), 2) AS win_per_unit_day,
       round(sum(theo) / count(*), 2) AS theo_per_unit_day,
       round(sum(games_played) / count(*), 1) AS games_per_unit_day,
       round(avg(occupancy), 4) AS occupancy,
       round(sum(carded_coin_in) / nullif(sum(coin_in), 0), 4) AS carded_share,
       sum(jackpots) AS jackpots
FROM gold.slot_performance
WHERE gaming_day > (SELECT max(gaming_day) FROM gold.slot_performance) - $days::INTEGER
GROUP BY zone
ORDER BY win_per_unit_day DESC
