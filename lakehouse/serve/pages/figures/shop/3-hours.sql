-- title: Sales of the last day by hour
-- draw: bars
-- x: hour
-- y: sales
SELECT strftime(hour_start, '%H:%M') AS hour, sales
FROM gold.shop_hours
WHERE gaming_day = $last::DATE
ORDER BY hour_start
