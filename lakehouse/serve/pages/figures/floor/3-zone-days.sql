-- title: What a machine wins by zone and day
-- draw: heat
-- wide
-- x: gaming_day
-- y: zone, win_per_machine
SELECT gaming_day, zone, round(sum(win) / count(*), 2)::DECIMAL(18, 2) AS win_per_machine
FROM gold.slot_performance
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
GROUP BY ALL
ORDER BY gaming_day, zone
