-- title: Machines whose coin-in meter and reported play disagree
-- for: slot manager
-- param days = 30: gaming days back from the newest
SELECT gaming_day, machine_id, zone, coin_in, meter_variance,
       round(meter_variance / nullif(coin_in, 0), 4) AS share_of_coin_in
FROM gold.slot_performance
WHERE meter_variance <> 0
  AND gaming_day > (SELECT max(gaming_day) FROM gold.slot_performance) - $days::INTEGER
ORDER BY abs(meter_variance) DESC
