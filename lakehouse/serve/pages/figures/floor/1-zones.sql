-- title: What a machine earns by zone and day
-- draw: heat
-- x: gaming_day
-- y: zone, win_per_unit
-- note: Win of a zone's machines over the number of them; `slot_performance` has each machine.
SELECT gaming_day, zone, round(sum(win) / count(*), 2)::DECIMAL(18, 2) AS win_per_unit
FROM gold.slot_performance
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
GROUP BY ALL
ORDER BY gaming_day, zone
