-- title: Stakes by country
-- draw: bars
-- x: country
-- y: stakes
SELECT country, sum(stakes) AS stakes
FROM gold.game_day
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
GROUP BY country
ORDER BY stakes DESC
