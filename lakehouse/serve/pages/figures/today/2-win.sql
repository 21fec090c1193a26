-- title: Win and theoretical win by day
-- draw: lines
-- x: gaming_day
-- y: win, theo
SELECT gaming_day, win, theo
FROM gold.property_day
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
ORDER BY gaming_day
