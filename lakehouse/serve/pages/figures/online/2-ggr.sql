-- title: Gross and net gaming revenue by day
-- draw: lines
-- x: gaming_day
-- y: ggr, ngr, theo
SELECT gaming_day, sum(ggr) AS ggr, sum(ngr) AS ngr, sum(theo) AS theo
FROM gold.game_day
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
GROUP BY gaming_day
ORDER BY gaming_day
