-- title: Hold by denomination, and as built
-- draw: bars
-- x: denomination
-- y: hold, theoretical_hold
SELECT '$' || denomination AS denomination,
       sum(win)::DOUBLE / nullif(sum(coin_in), 0)::DOUBLE AS hold,
       sum(theo)::DOUBLE / nullif(sum(coin_in), 0)::DOUBLE AS theoretical_hold
FROM gold.slot_performance s
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
GROUP BY s.denomination
ORDER BY s.denomination
