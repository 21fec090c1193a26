-- title: Checks that did not pass, by table and day
-- draw: heat
-- wide
-- x: gaming_day
-- y: table, not_passed
SELECT gaming_day, layer || '.' || table_name AS "table",
       count(*) FILTER (WHERE status <> 'passed') AS not_passed
FROM gold.check_results
WHERE gaming_day BETWEEN $first::DATE AND $last::DATE
GROUP BY ALL
ORDER BY gaming_day, "table" DESC
