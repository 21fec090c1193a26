-- title: The floor: what a machine wins by zone
-- draw: floor
-- x: zone
-- y: win_per_machine
-- note: Win of the days over machines and days; the deeper the colour, the more. A plan of where zones lie to each other, and not to scale.
SELECT zone, round(sum(win) / count(*), 2)::DECIMAL(18, 2) AS win_per_machine,
       sum(win)::DOUBLE / nullif(sum(coin_in), 0)::DOUBLE AS hold, avg(occupancy) AS occupancy,
       count(DISTINCT machine_id) AS machines
FROM gold.slot_performance
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
GROUP BY zone
ORDER BY win_per_machine DESC
