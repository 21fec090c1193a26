-- title: Revenue by day
-- draw: lines
-- x: gaming_day
-- y: gross_revenue, revenue
SELECT gaming_day, gross_revenue, revenue
FROM gold.kpi
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
ORDER BY gaming_day
