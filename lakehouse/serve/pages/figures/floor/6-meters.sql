-- title: Meters that disagree with play
-- draw: table
-- wide
SELECT gaming_day, machine_id, zone, coin_in, meter_variance
FROM gold.slot_performance
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE AND meter_variance <> 0
ORDER BY abs(meter_variance) DESC
